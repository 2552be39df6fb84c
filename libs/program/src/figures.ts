import { Counter, Gauge, type Registry } from 'prom-client';
import { answerWithin } from './answer-within.js';

/** FIGURE_PATIENCE_MS is how long a gauge is waited for: /metrics must answer above all when something is away. */
const FIGURE_PATIENCE_MS = 1000;

/** Figures show what is counted elsewhere: each is read when the registry is asked for, so that an idle program computes nothing. */
export class Figures {
  constructor(private readonly registry: Registry) {}

  /** gauge shows a figure that goes up and down; NaN where it cannot be read now. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        this.set(await answerWithin(FIGURE_PATIENCE_MS, read).catch(() => NaN));
      },
    });
  }

  /** total shows a count, from 0 at the start of the process. */
  total(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  /** totals shows counts that are told apart by the value of a label. */
  totals(
    name: string,
    help: string,
    { label, read }: { readonly label: string; readonly read: () => Readonly<Record<string, number>> },
  ): void {
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read())) this.inc({ [label]: value }, count);
      },
    });
  }
}

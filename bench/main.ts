import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missing } from '@tidemark/servers';
import { Bench } from './bench.js';
import { ChildProcess } from './child-process.js';
import { type Reading, verdictOf } from './figure.js';
import { FIGURES } from './figures.js';
import { leaveOut } from './leave-out.js';
import { describeMachine } from './machine.js';
import { type Options, readOptions, USAGE } from './options.js';
import { topFunctions } from './profile.js';
import { tableOf } from './table.js';

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));

const given = readOptions(
  process.argv.slice(2),
  FIGURES.map(({ name }) => name),
);
if (given.kind === 'options') process.exitCode = await run(given.options);
else {
  process.stdout.write(`${given.kind === 'fault' ? `${given.fault}\n\n` : ''}${USAGE}\n`);
  for (const { name, title } of FIGURES) process.stdout.write(`  ${name.padEnd(18)} ${title}\n`);
  process.exitCode = given.kind === 'fault' ? 2 : 0;
}

function sayer(): (line: string) => void {
  const beginMs = performance.now();
  return (line) => {
    process.stderr.write(`${((performance.now() - beginMs) / 1000).toFixed(0).padStart(5)} s  ${line}\n`);
  };
}

interface Outcome {
  readonly readings: readonly Reading[];
  /** Why figures could not be measured, by name. */
  readonly faults: Readonly<Record<string, string>>;
  readonly leftOut: Readonly<Record<string, string>>;
}

/** measure takes the figures in turn, all of them where none is named; one that fails does not keep the others from it. */
async function measure(bench: Bench, names: readonly string[]): Promise<Outcome> {
  const readings: Reading[] = [];
  const faults: Record<string, string> = {};
  const leftOut: Record<string, string> = {};
  for (const figure of FIGURES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const reason = leaveOut(figure, missing);
    if (reason !== null) {
      if (names.length > 0) faults[figure.name] = reason;
      else leftOut[figure.name] = reason;
      bench.say(`${figure.name} is left out: ${reason}`);
      continue;
    }
    bench.say(`${figure.name}: ${figure.title}`);
    try {
      readings.push(...(await figure.measure(bench)));
    } catch (error) {
      faults[figure.name] = error instanceof Error ? error.message : String(error);
      bench.say(`${figure.name} could not be measured: ${faults[figure.name]}`);
    }
  }
  return { readings, faults, leftOut };
}

/** run measures what was asked for and answers the exit code: 0 unless a figure could not be measured. */
async function run({ figures, quick, profile, out }: Options): Promise<number> {
  const workDir = join(RESULTS, `run-${process.pid}.tmp`);
  const profileDir = profile ? join(RESULTS, 'profile.tmp') : null;
  if (profileDir) rmSync(profileDir, { recursive: true, force: true });
  const stop = (): void => {
    ChildProcess.killAll();
    rmSync(workDir, { recursive: true, force: true });
    process.exit(130);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);

  const say = sayer();
  const machine = describeMachine(RESULTS);
  say(`${machine.processors} x ${machine.processor}, Node ${machine.node}, ${machine.system}`);
  const bench = Bench.open({ quick, profileDir, workDir, say });
  const { readings, faults, leftOut } = await measure(bench, figures).finally(() => bench.close());
  const file = resolve(out ?? join(RESULTS, 'latest.json'));
  const results = {
    measured_at: new Date().toISOString(),
    quick,
    machine,
    figures: readings.map((reading) => ({ ...reading, ...verdictOf(reading) })),
    faults,
    left_out: leftOut,
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  process.stdout.write(`\n${tableOf(readings)}\n\nWritten to ${file}\n`);
  if (profileDir) process.stdout.write(`\n${topFunctions(profileDir)}\n`);
  for (const [name, reason] of Object.entries(leftOut)) process.stdout.write(`${name} was left out: ${reason}\n`);
  for (const [name, fault] of Object.entries(faults)) process.stdout.write(`${name} was not measured: ${fault}\n`);
  return Object.keys(faults).length === 0 ? 0 : 1;
}

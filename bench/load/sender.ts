import { HttpConnection, type OnAnswer } from './http-connection.js';
import { seededRandom } from './metric-text.js';
import { LinesTemplate } from './lines-template.js';
import { RequestTemplate, type Times } from './request-template.js';

/** SenderOptions: `points` are the metrics of one request; `seed` chooses their content. */
export interface SenderOptions {
  readonly port: number;
  readonly points: number;
  /** linesPath is set where lines for InfluxDB are sent, to this path of it. */
  readonly linesPath?: string | undefined;
  readonly seed: number;
  readonly onFault: (error: Error) => void;
}

const TEMPLATE_POINTS = 4000;
const MAX_TEMPLATES = 64;
/** Ids start at the time, so that two runs on one server share none; 16 digits, as the numbers of Tidemark's lines have. */
let nextId = Date.now() * 1000;

/** Sender is one connection with requests of its own to take in turn, so that none is written over while it is sent. */
export class Sender {
  #turn = 0;

  private constructor(
    private readonly connection: HttpConnection,
    private readonly templates: readonly (RequestTemplate | LinesTemplate)[],
  ) {}

  /** open connects and prepares the requests. */
  static async open({ port, points, linesPath, seed, onFault }: SenderOptions): Promise<Sender> {
    const random = seededRandom(seed);
    const count = Math.min(MAX_TEMPLATES, Math.max(2, Math.round(TEMPLATE_POINTS / points)));
    const templates = Array.from({ length: count }, () =>
      linesPath === undefined ? new RequestTemplate(points, random) : new LinesTemplate(points, linesPath, random),
    );
    return new Sender(await HttpConnection.open(port, onFault), templates);
  }

  /** send sends the next request, with metrics of these times. */
  send(times: Times, onAnswer: OnAnswer): void {
    const template = this.templates[this.#turn++ % this.templates.length];
    if (!template) throw new Error('a sender has no requests');
    template.stamp(times, nextId);
    nextId += template.points;
    this.connection.send(template.bytes, onAnswer);
  }

  /** close ends the connection. */
  close(): void {
    this.connection.close();
  }
}

/** openSenders opens `count` senders, each with other content. */
export async function openSenders(count: number, options: Omit<SenderOptions, 'seed'>): Promise<Sender[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => Sender.open({ ...options, seed: index + 1 })));
}

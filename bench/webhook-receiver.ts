import { createServer, type Server } from 'node:http';

/** WebhookReceiver takes webhooks and notes when the whole body of each was there. */
export class WebhookReceiver {
  /** arrivals is when the first news of each model came. */
  readonly arrivals = new Map<string, number>();
  /** doubled counts those that came again. */
  doubled = 0;

  private constructor(private readonly server: Server) {}

  /** listen opens it on a free port. */
  static async listen(): Promise<WebhookReceiver> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        receiver.#take(JSON.parse(body), performance.now());
        response.writeHead(204).end();
      });
    });
    const receiver = new WebhookReceiver(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** url is where webhooks are to be sent. */
  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the receiver does not listen');
    return `http://127.0.0.1:${address.port}/`;
  }

  /** close ends it. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  #take(notice: unknown, nowMs: number): void {
    const isNotice = typeof notice === 'object' && notice !== null && 'model_id' in notice && 'event' in notice;
    if (!isNotice || notice.event !== 'fired' || typeof notice.model_id !== 'string') return;
    if (this.arrivals.has(notice.model_id)) this.doubled++;
    else this.arrivals.set(notice.model_id, nowMs);
  }
}

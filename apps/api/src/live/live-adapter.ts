import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WsAdapter } from '@nestjs/platform-ws';
import { LIVE_MAX_FRAME_BYTES } from '@tidemark/types';
import { WebSocketServer } from 'ws';
import { IgnoredUpgrades, type Upgrade } from '../platform/ignored-upgrades.js';
import { HttpProblem } from '../platform/problem.js';
import { writeProblem } from '../platform/write-problem.js';
import { LIVE_PATH, type LiveDoor } from './live-door.js';

/** LiveAdapterDeps are what the adapter works with. */
export interface LiveAdapterDeps {
  readonly door: LiveDoor;
  readonly requestId: () => string;
  /** Told of an upgrade that failed for no fault of the caller. */
  readonly onFault: (error: unknown) => void;
}

/**
 * LiveAdapter lets Nest's gateway speak through `ws`, and judges callers before there is a socket: Nest's guards only
 * run on messages. A refused upgrade is answered over HTTP with a problem document; what wishes for another protocol, or
 * for this one elsewhere, is an ordinary request. Messages do not pass through Nest, whose envelope of events the
 * contract does not have; the gateway hands sockets to the feed.
 */
export class LiveAdapter extends WsAdapter {
  private listener: ((request: IncomingMessage, socket: Duplex, head: Buffer) => void) | null = null;
  private readonly ignored: IgnoredUpgrades;

  constructor(
    private readonly server: Server,
    private readonly deps: LiveAdapterDeps,
  ) {
    super(server);
    this.ignored = new IgnoredUpgrades(server);
  }

  override create(): WebSocketServer {
    // No compression: it takes some 300 KB a client, and lets a small frame become a large one.
    const sockets = new WebSocketServer({ noServer: true, maxPayload: LIVE_MAX_FRAME_BYTES, perMessageDeflate: false });
    this.ignored.start();
    this.listener = (request, socket, head) => {
      if (isForFeed(request)) void this.upgrade(sockets, { request, socket, head });
      else this.ignored.handBack({ request, socket, head });
    };
    this.server.on('upgrade', this.listener);
    return sockets;
  }

  override bindMessageHandlers(): void {
    // The feed listens to the sockets itself.
  }

  override async dispose(): Promise<void> {
    if (this.listener) this.server.off('upgrade', this.listener);
    this.listener = null;
    this.ignored.close();
  }

  private async upgrade(sockets: WebSocketServer, { request, socket, head }: Upgrade): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const visitor = { url: request.url ?? '', headers: request.headers, remoteAddress: request.socket.remoteAddress };
      await this.deps.door.admit(request, visitor);
      sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
    } catch (error) {
      if (!(error instanceof HttpProblem)) this.deps.onFault(error);
      const problem =
        error instanceof HttpProblem ? error : new HttpProblem('internal', 'the feed could not be opened');
      writeProblem(socket, problem, this.deps.requestId());
    }
  }
}

function isForFeed({ url, headers }: IncomingMessage): boolean {
  return url?.split('?', 1)[0] === LIVE_PATH && headers.upgrade?.trim().toLowerCase() === 'websocket';
}

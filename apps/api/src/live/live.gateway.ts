import type { IncomingMessage } from 'node:http';
import { Inject } from '@nestjs/common';
import { type OnGatewayConnection, WebSocketGateway } from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { LIVE_PATH, LiveDoor } from './live-door.js';
import { LiveFeed } from './live-feed.js';

/** LiveGateway hands the connections that were let in to the feed. */
@WebSocketGateway({ path: LIVE_PATH })
export class LiveGateway implements OnGatewayConnection<WebSocket> {
  constructor(
    @Inject(LiveFeed) private readonly feed: LiveFeed,
    @Inject(LiveDoor) private readonly door: LiveDoor,
  ) {}

  handleConnection(socket: WebSocket, request: IncomingMessage): void {
    const principal = this.door.principalOf(request);
    if (principal) this.feed.join(socket, principal);
    else socket.terminate();
  }
}

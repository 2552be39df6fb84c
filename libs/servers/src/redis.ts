import { connect } from 'node:net';
import { LocalServer, type ServerKind, type ServerOptions } from './local-server.js';
import { requireProgram } from './programs.js';

/** RedisOptions are where it lives, and a password that clients must give. */
export interface RedisOptions extends ServerOptions {
  readonly password?: string;
  /** More arguments of redis-server. */
  readonly args?: readonly string[];
}

/** startRedis starts a Redis as production runs it: every write in the append-only file, nothing evicted. */
export function startRedis({ password, args = [], ...options }: RedisOptions = {}): Promise<LocalServer> {
  return LocalServer.start(redisKind(password, args), options);
}

function redisKind(password: string | undefined, more: readonly string[]): ServerKind {
  return {
    name: 'Redis',
    command: ({ folder, port }) => ({
      command: requireProgram('redis-server'),
      args: [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
        ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
        ...(password === undefined ? [] : ['--requirepass', password]),
        ...more,
      ],
    }),
    isReady: ({ port }) => ping(port),
    url: ({ port }) => `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
  };
}

/** Answers whether the server answers anything but that it is still loading. */
function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (isReady: boolean): void => {
      socket.destroy();
      resolve(isReady);
    };
    socket.setTimeout(1000, () => end(false));
    socket.on('error', () => end(false));
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('data', (answer) => end(!answer.toString().startsWith('-LOADING')));
  });
}

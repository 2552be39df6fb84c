import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { LocalServer, type Place, type ServerKind, type ServerOptions } from './local-server.js';
import { requireProgram } from './programs.js';

/**
 * INFLUXDB_MEMORY lets InfluxDB have more garbage before it collects it, up to a limit: it then takes less processor
 * time for a point. docker-compose.yml gives it the same.
 */
export const INFLUXDB_MEMORY = { GOGC: '400', GOMEMLIMIT: '3GiB' } as const;

/** startInfluxDb starts Debian's InfluxDB 1.x: no authentication, every write synced to its log before it is answered. */
export function startInfluxDb(options: ServerOptions = {}): Promise<LocalServer> {
  return LocalServer.start(INFLUXDB, options);
}

const INFLUXDB: ServerKind = {
  name: 'InfluxDB',
  prepare: async (place) => writeFile(configFile(place), configuration(place, await freePort())),
  command: (place) => ({
    command: requireProgram('influxd'),
    args: ['run', '-config', configFile(place)],
    env: INFLUXDB_MEMORY,
  }),
  isReady: async (place) => {
    const answer = await fetch(`${urlOf(place)}/ping`, { signal: AbortSignal.timeout(1000) });
    return answer.status === 204;
  },
  url: urlOf,
};

function urlOf({ port }: Place): string {
  return `http://127.0.0.1:${port}`;
}

function configFile({ folder }: Place): string {
  return join(folder, 'influxdb.conf');
}

function configuration({ folder, port }: Place, backupPort: number): string {
  return [
    'reporting-disabled = true',
    `bind-address = "127.0.0.1:${backupPort}"`,
    '[meta]',
    `dir = "${folder}/meta"`,
    '[data]',
    `dir = "${folder}/data"`,
    `wal-dir = "${folder}/wal"`,
    'wal-fsync-delay = "0s"',
    'index-version = "tsi1"',
    'query-log-enabled = false',
    'cache-max-memory-size = "512m"',
    '[http]',
    `bind-address = "127.0.0.1:${port}"`,
    'log-enabled = false',
    'flux-enabled = false',
    '[monitor]',
    'store-enabled = false',
    '[logging]',
    'level = "warn"',
    '',
  ].join('\n');
}

import { INFLUXDB_MEMORY } from './influxdb.js';
import { LocalServer, type Place, type ServerKind, type ServerOptions } from './local-server.js';

/** INFLUXDB2_ORG is the organisation of a server that startInfluxDb2 started. */
export const INFLUXDB2_ORG = 'tidemark';

/** INFLUXDB2_TOKEN may do everything on such a server; it has the form of those that `npm run secrets` makes. */
export const INFLUXDB2_TOKEN = '0123456789abcdef'.repeat(4);

const TIMEOUT_MS = 5000;

/** startInfluxDb2 starts an InfluxDB 2.x from its program and sets it up as docker-compose.yml has it done by the image. */
export function startInfluxDb2(program: string, options: ServerOptions = {}): Promise<LocalServer> {
  return LocalServer.start(influxDb2(program), options);
}

function influxDb2(program: string): ServerKind {
  return {
    name: 'InfluxDB2',
    command: ({ folder, port }) => ({
      command: program,
      args: [
        ...['--http-bind-address', `127.0.0.1:${port}`, '--reporting-disabled', '--log-level', 'warn'],
        ...['--bolt-path', `${folder}/influxd.bolt`, '--engine-path', `${folder}/engine`],
      ],
      // It reads a configuration from where it is started, if there is one.
      env: { INFLUXD_CONFIG_PATH: folder, ...INFLUXDB_MEMORY },
    }),
    isReady,
    url: urlOf,
  };
}

/** The first start has it set up; it answers requests before, but knows no token. */
async function isReady(place: Place): Promise<boolean> {
  const ping = await fetch(`${urlOf(place)}/ping`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (ping.status !== 204) return false;
  const setup = `${urlOf(place)}/api/v2/setup`;
  const asked: unknown = await (await fetch(setup, { signal: AbortSignal.timeout(TIMEOUT_MS) })).json();
  if (typeof asked !== 'object' || asked === null || !('allowed' in asked)) return false;
  if (asked.allowed === false) return true;
  const access = { username: 'tidemark', password: INFLUXDB2_TOKEN, token: INFLUXDB2_TOKEN };
  const answer = await fetch(setup, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...access, org: INFLUXDB2_ORG, bucket: 'tidemark' }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  return answer.status === 201;
}

function urlOf({ port }: Place): string {
  return `http://127.0.0.1:${port}`;
}

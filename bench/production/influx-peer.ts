/** DIRECT is the database that takes the lines which do not come from Tidemark, on the same server. */
const DIRECT = 'direct';
const OURS = 'tidemark';
const TIMEOUT_MS = 120_000;

/** DIRECT_PATH is where lines for it are sent. */
export const DIRECT_PATH = `/write?db=${DIRECT}&rp=raw&precision=ns`;

/** createDirect makes a database whose points lie as Tidemark's do: as long, in files of the same span. */
export async function createDirect(url: string): Promise<void> {
  const policies = rowsOf(await ask(url, `SHOW RETENTION POLICIES ON ${OURS}`));
  const raw = policies.find(([name]) => name === 'raw');
  if (!raw) throw new Error('the database of Tidemark has no policy "raw"');
  const terms = `WITH DURATION ${String(raw[1])} REPLICATION 1 SHARD DURATION ${String(raw[2])} NAME raw`;
  await ask(url, `CREATE DATABASE ${DIRECT} ${terms}`);
}

/** compareShapes throws unless both databases have the same tags and the same fields, and as many series. */
export async function compareShapes(url: string): Promise<void> {
  const shapeOf = async (database: string) => {
    const asked = `SHOW TAG KEYS ON ${database} FROM raw.inference; SHOW FIELD KEYS ON ${database} FROM raw.inference; SHOW SERIES EXACT CARDINALITY ON ${database} FROM raw.inference`;
    return JSON.stringify(rowsOf(await ask(url, asked)).map((row) => row.map(String)));
  };
  const [ours, direct] = await Promise.all([shapeOf(OURS), shapeOf(DIRECT)]);
  if (ours !== direct) throw new Error(`the lines differ: Tidemark's are ${ours}, the others ${direct}`);
}

/** countStored is how many points of Tidemark the server has. */
export async function countStored(url: string): Promise<number> {
  return Number(rowsOf(await ask(url, `SELECT count(latency) FROM ${OURS}.raw.inference`))[0]?.[1] ?? 0);
}

async function ask(url: string, text: string): Promise<unknown> {
  const answer = await fetch(`${url}/query`, {
    method: 'POST',
    body: new URLSearchParams({ q: text }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body: unknown = await answer.json();
  if (!answer.ok || JSON.stringify(body).includes('"error":')) throw new Error(`${text}: ${JSON.stringify(body)}`);
  return body;
}

/** rowsOf takes the rows of all series of all results together. */
export function rowsOf(body: unknown): unknown[][] {
  return listIn(body, 'results')
    .flatMap((result) => listIn(result, 'series'))
    .flatMap((series) => listIn(series, 'values'))
    .filter((row) => Array.isArray(row));
}

function listIn(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const list: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
  return Array.isArray(list) ? list : [];
}

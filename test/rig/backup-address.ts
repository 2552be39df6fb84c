import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalServer } from '@tidemark/servers';

/** backupAddress answers where an InfluxDB 1.x takes backups: host:port, the first address of its configuration. */
export async function backupAddress({ place }: LocalServer): Promise<string> {
  const configuration = await readFile(join(place.folder, 'influxdb.conf'), 'utf8');
  return /bind-address = "([^"]+)"/.exec(configuration)?.[1] ?? '';
}

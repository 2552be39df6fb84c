import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { backUp } from './backup/back-up.js';
import { readConfig } from './config.js';

const HELP = `Copies the data folder (TIDEMARK_DATA_DIR) into a new folder, also while the server runs. The copy is a data folder itself.

  npm run backup -- FOLDER

It holds the key that opens the channels' secrets: keep it where only you can read it. Where DATABASE_URL or INFLUXDB_URL
is set, PostgreSQL and InfluxDB are backed up by themselves; docs/backup.md says how, and in which order.
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const parsed = parse(args);
  if (typeof parsed === 'string') return fail(parsed);
  const { isHelp, folder } = parsed;
  if (isHelp) {
    process.stdout.write(HELP);
    return 0;
  }
  const read = readConfig(process.env);
  if (!read.ok) return fail(read.faults.join('\n'));
  try {
    const outcome = await backUp(read.config.dataDir, folder);
    if (!outcome.ok) return fail(outcome.reason);
    for (const { name, bytes } of outcome.parts) process.stdout.write(`${name.padEnd(12)} ${bytes} bytes\n`);
    process.stdout.write(`backed up to ${resolve(folder)}\n`);
    return 0;
  } catch (error) {
    return fail(`nothing was backed up: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** parse reads the command line, or says what is wrong with it. */
function parse(args: string[]): { readonly isHelp: boolean; readonly folder: string } | string {
  try {
    const options = { help: { type: 'boolean', short: 'h' } } as const;
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options });
    const [folder = '', ...more] = positionals;
    if (values.help) return { isHelp: true, folder };
    if (folder === '' || more.length > 0) return 'name one folder to make';
    return { isHelp: false, folder };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function fail(reason: string): number {
  process.stderr.write(`tidemark backup: ${reason}\nTry: npm run backup -- --help\n`);
  return 1;
}

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './command.mjs';

const HELP = `npm run secrets -- --public-url https://tidemark.example.com [--out FILE]

Writes .env for docker-compose.yml with a new secret for each service. Only its owner may read it (0600), and one that is
there is never touched: who loses TIDEMARK_SECRET loses the secrets of all channels.
`;

/** environmentFile writes a .env with fresh secrets; `random` makes bytes. */
export function environmentFile({ publicUrl, random = randomBytes }) {
  // Hexadecimal, because most of them become part of a URL.
  const fresh = () => random(32).toString('hex');
  return `# Written by \`npm run secrets\`. Keep a copy where the backups are.
TIDEMARK_PUBLIC_URL=${publicUrl}
TIDEMARK_SECRET=${fresh()}
POSTGRES_PASSWORD=${fresh()}
REDIS_PASSWORD=${fresh()}
INFLUXDB_TOKEN=${fresh()}
INFLUXDB_ADMIN_PASSWORD=${fresh()}

# Mail, if there is to be any:
#SMTP_URL=smtp://user:password@mail.example.com:587
#TIDEMARK_EMAIL_FROM=Tidemark <tidemark@example.com>
`;
}

if (process.argv[1] === import.meta.filename) process.exitCode = main(process.argv.slice(2));

function main(args) {
  let values;
  try {
    const options = {
      help: { type: 'boolean', short: 'h' },
      'public-url': { type: 'string' },
      out: { type: 'string' },
    };
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    return fail(error.message);
  }
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const publicUrl = values['public-url'] ?? '';
  if (!URL.canParse(publicUrl) || !/^https?:\/\/\S+$/.test(publicUrl) || publicUrl.includes('$'))
    return fail('--public-url must say where people will reach Tidemark, as in https://tidemark.example.com');
  const file = values.out ?? join(ROOT, '.env');
  try {
    writeFileSync(file, environmentFile({ publicUrl }), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    return fail(error.code === 'EEXIST' ? `${file} is there already; it stays as it is` : error.message);
  }
  process.stdout.write(`wrote ${file}\n`);
  return 0;
}

function fail(reason) {
  process.stderr.write(`tidemark secrets: ${reason}\nTry: npm run secrets -- --help\n`);
  return 1;
}

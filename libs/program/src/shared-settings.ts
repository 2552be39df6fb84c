import { readRedisUrl } from '@tidemark/redis';
import { allowList, duration, mailbox, optional, secret, smtpServer, urlOf, word } from './readers.js';
import { setting } from './setting.js';

/** LOG_LEVELS are how much can be logged. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'silent'] as const;
/** LogLevel is how much is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** SHARED_SETTINGS are the variables that every program of Tidemark reads, with the same meaning. */
export const SHARED_SETTINGS = {
  logLevel: setting('LOG_LEVEL', 'info', `How much to log: ${LOG_LEVELS.join(', ')}.`, word(LOG_LEVELS)),
  databaseUrl: setting(
    'DATABASE_URL',
    '',
    'PostgreSQL that holds models, alerts, channels, deliveries and keys, such as postgres://user:password@host/tidemark; when absent, a file in the data folder.',
    optional((text) => urlOf(['postgres:', 'postgresql:'])(text).href),
  ),
  redisUrl: setting(
    'REDIS_URL',
    '',
    'Redis that carries deliveries to workers and what the instances share: redis://, rediss:// (TLS), redis+sentinel://host:port,host:port/master or redis+cluster://host:port,host:port; needs DATABASE_URL.',
    optional(redisUrl),
  ),
  secret: setting(
    'TIDEMARK_SECRET',
    '',
    'Secret (at least 32 characters) that seals the secrets of channels; when absent, a key file in the data folder. Programs that share a database share this.',
    optional(secret),
  ),
  allowedTargets: setting(
    'TIDEMARK_ALLOWED_TARGETS',
    '',
    'Private addresses that webhooks, Slack channels and mail servers of channels may reach: host, host:port or CIDR, separated by commas.',
    allowList,
  ),
  smtp: setting(
    'SMTP_URL',
    '',
    'Mail server for email channels, such as smtp://user:password@mail.example.com:587.',
    optional(smtpServer),
  ),
  emailFrom: setting('TIDEMARK_EMAIL_FROM', 'Tidemark <tidemark@localhost>', 'Sender of emails.', mailbox),
  drainMs: setting(
    'TIDEMARK_DRAIN_TIMEOUT',
    '10s',
    'How long a stopping program finishes what it has begun.',
    duration,
  ),
} as const;

function redisUrl(text: string): string {
  const read = readRedisUrl(text);
  if (!read.ok) throw new Error(`it ${read.reason}`);
  return text;
}

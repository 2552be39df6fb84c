import { allowList, duration, mailbox, optional, secret, smtpServer, word } from './readers.js';
import { setting } from './setting.js';

/** LOG_LEVELS are how much can be logged. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'silent'] as const;
/** LogLevel is how much is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** SHARED_SETTINGS are the variables that every program of Tidemark reads, with the same meaning. */
export const SHARED_SETTINGS = {
  logLevel: setting('LOG_LEVEL', 'info', `How much to log: ${LOG_LEVELS.join(', ')}.`, word(LOG_LEVELS)),
  secret: setting(
    'TIDEMARK_SECRET',
    '',
    'Secret (at least 32 characters) that seals the secrets of channels; when absent, a key file in the data folder.',
    optional(secret),
  ),
  allowedTargets: setting(
    'TIDEMARK_ALLOWED_TARGETS',
    '',
    'Private addresses that webhooks and Slack channels may reach: host, host:port or CIDR, separated by commas.',
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

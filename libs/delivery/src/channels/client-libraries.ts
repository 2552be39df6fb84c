import type * as Slack from '@slack/webhook';
import { CHANNEL_KINDS, type ChannelKind } from '@tidemark/types';
import type * as Nodemailer from 'nodemailer';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Undici from 'undici';

// Each of these is written for `require`, whose failures Node forgets. The failure of an `import` it keeps for as long as
// the process lives: one moment without a free file descriptor would break a kind of channel until a restart.
const require = createRequire(import.meta.url);

/** loadUndici loads the HTTP client. As of all here, it throws where that fails, and the next call tries again. */
export function loadUndici(): typeof Undici {
  return load('undici') as typeof Undici; // what Node finds under a name is what the types under that name describe
}

/** loadNodemailer loads the mail client. */
export function loadNodemailer(): typeof Nodemailer {
  return load('nodemailer') as typeof Nodemailer;
}

/** loadSlack loads the Slack client. */
export function loadSlack(): typeof Slack {
  return load('@slack/webhook') as typeof Slack;
}

/** loadClientOf loads what a kind of channel sends with: up to 100 ms in which nothing else runs, the first time. */
export function loadClientOf(kind: ChannelKind): void {
  if (kind === 'email') loadNodemailer();
  else loadUndici();
  if (kind === 'slack') loadSlack();
}

/** loadClients loads them all; `onFault` is told of what could not be loaded yet. */
export function loadClients(onFault: (kind: ChannelKind, error: unknown) => void): void {
  for (const kind of CHANNEL_KINDS) {
    try {
      loadClientOf(kind);
    } catch (error) {
      onFault(kind, error);
    }
  }
}

function load(name: string): unknown {
  // A package.json that cannot be opened counts as missing to Node, also for good. `require` opens one file at a time:
  // where one can be opened now, all of them can.
  closeSync(openSync(fileURLToPath(import.meta.url), 'r'));
  return require(name);
}

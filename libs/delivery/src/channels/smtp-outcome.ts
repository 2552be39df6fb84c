import type { Outcome } from './channel.js';
import { cleanLine } from '../message/clean.js';
import { networkFault } from './network-fault.js';

/** Characters of a reply that are kept: one sentence and its link. */
const MAX_WORDS = 200;

/**
 * smtpFailure decides what a failed SMTP dialogue means (RFC 5321, 4.2.1): a 5yz reply is final, a 4yz reply and every
 * fault of the network or of time may pass. The server's own words are told, as one bounded line; not after a login, since
 * servers repeat what they were sent in them.
 */
export function smtpFailure(error: unknown): Outcome {
  const code = fieldOf(error, 'code');
  const reply = fieldOf(error, 'responseCode');
  if (typeof reply === 'number' && reply >= 400 && reply < 600) {
    return { kind: reply >= 500 ? 'reject' : 'retry', reason: `SMTP ${reply}${explanationOf(code) || wordsOf(error)}` };
  }
  if (code === 'EENVELOPE' || code === 'EMESSAGE' || code === 'ENOAUTH' || code === 'ECONFIG') {
    return { kind: 'reject', reason: `the mail was refused before it was sent (${code})` };
  }
  return {
    kind: 'retry',
    reason: typeof code === 'string' ? networkFault(code) : 'the mail server could not be reached',
  };
}

function explanationOf(code: unknown): string {
  if (code === 'EAUTH') return ': the server refused the login';
  if (code === 'ETLS') return ': the server offers no TLS, and a login is not sent without it';
  return '';
}

/** Each line of a reply begins with its code (RFC 5321, 4.2.1), which is told already. */
function wordsOf(error: unknown): string {
  const response = fieldOf(error, 'response');
  if (typeof response !== 'string') return '';
  const words = cleanLine(response.slice(0, 4 * MAX_WORDS).replace(/^\d{3}(?:[ -]|$)/gm, ''), MAX_WORDS);
  return words === '' ? '' : `: ${words}`;
}

function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

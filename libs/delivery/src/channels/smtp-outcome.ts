import type { Outcome } from './channel.js';
import { networkFault } from './network-fault.js';

/**
 * smtpFailure decides what a failed SMTP dialogue means (RFC 5321, 4.2.1): a 5yz reply is final, a 4yz reply and every
 * fault of the network or of time may pass. Reply texts are left out, since servers repeat what they were sent in them.
 */
export function smtpFailure(error: unknown): Outcome {
  const code = fieldOf(error, 'code');
  const reply = fieldOf(error, 'responseCode');
  if (typeof reply === 'number' && reply >= 400 && reply < 600) {
    return { kind: reply >= 500 ? 'reject' : 'retry', reason: `SMTP ${reply}${explanationOf(code)}` };
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

function fieldOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

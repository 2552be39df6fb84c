import { connect as connectSocket, type Socket } from 'node:net';
import type { createTransport, SendMailOptions } from 'nodemailer';
import type { Notification } from '../notification.js';
import { renderEmail } from '../message/render.js';
import type { AddressGuard } from './address-guard.js';
import type { Channel, Outcome } from './channel.js';
import { loadNodemailer } from './client-libraries.js';
import { startDeadline } from './deadline.js';
import { assertLiteralAllowed, BlockedAddressError, guardedLookup, type Resolve } from './guarded-connect.js';
import type { Mailbox } from './mail-address.js';
import { smtpFailure } from './smtp-outcome.js';
import type { SmtpServer } from './smtp-server-url.js';

/** EmailOptions are one email channel, read and checked. */
export interface EmailOptions {
  readonly server: SmtpServer;
  readonly from: Mailbox;
  readonly to: readonly string[];
  /** Set where a user chose the server: its address is then checked as it is connected to. The operator's own is not. */
  readonly guard?: { readonly guard: AddressGuard; readonly resolve: Resolve };
  /** For the whole dialogue; default 20,000. */
  readonly timeoutMs?: number;
}

/** The part of the mail library's transport that is used here. */
interface MailTransport {
  sendMail(message: SendMailOptions): Promise<unknown>;
  close(): void;
}

/** EmailChannel sends one message with text and HTML over one SMTP connection a notification. */
export class EmailChannel implements Channel {
  private transport: MailTransport | undefined;

  constructor(private readonly options: EmailOptions) {}

  async send(notification: Notification, signal: AbortSignal): Promise<Outcome> {
    const { from, to, timeoutMs = 20_000 } = this.options;
    const deadline = startDeadline(signal, timeoutMs);
    const { subject, text, html } = renderEmail(notification);
    try {
      const info: unknown = await this.open().sendMail({
        from: { name: from.name, address: from.address },
        to: [...to],
        envelope: { from: from.address, to: [...to] },
        subject,
        text,
        html,
        messageId: messageId(notification.event_id, from.address),
        // All messages of one alert hang together in the reader's mailbox.
        references: [messageId(`alert-${notification.alert_id}`, from.address)],
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        signal: deadline.signal,
      });
      return { kind: 'sent', detail: receipt(info, to.length) };
    } catch (error) {
      if (deadline.expired()) return { kind: 'retry', reason: `no answer within ${timeoutMs} ms` };
      if (signal.aborted) return { kind: 'retry', reason: 'aborted' };
      if (error instanceof BlockedAddressError) return { kind: 'reject', reason: error.message };
      return smtpFailure(error);
    } finally {
      deadline.release();
    }
  }

  async close(): Promise<void> {
    this.transport?.close();
  }

  /** The mail library is loaded with the first message at the latest: an installation without email never needs it. */
  private open(): MailTransport {
    this.transport ??= loadNodemailer().createTransport(transportOptions(this.options));
    return this.transport;
  }
}

/** messageId makes a Message-ID (RFC 5322, 3.6.4) that is the same for every repeat of an event. */
export function messageId(id: string, fromAddress: string): string {
  const left = id.replace(/[^A-Za-z0-9_-]/g, (character) => `_${character.charCodeAt(0).toString(16)}`).slice(0, 120);
  return `<${left}@${fromAddress.slice(fromAddress.lastIndexOf('@') + 1)}>`;
}

function transportOptions({ server, guard, timeoutMs = 20_000 }: EmailOptions): Parameters<typeof createTransport>[0] {
  const { host, port, implicitTls, tls, user, password } = server;
  return {
    host,
    port,
    secure: implicitTls,
    ignoreTLS: tls === 'off',
    // A login never goes out in the clear unless tls=off says so: a stripped STARTTLS must not reveal it.
    requireTLS: user !== undefined && !implicitTls && tls !== 'off',
    tls: { rejectUnauthorized: tls === 'verify' },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    ...(guard === undefined ? {} : { getSocket: guardedSocket(server, guard, timeoutMs) }),
  };
}

type SocketCallback = (error: Error | null, result?: { connection: Socket }) => void;

/** Opens the connection itself, since the mail library looks names up in a way that cannot be watched. */
function guardedSocket(
  { host, port }: SmtpServer,
  { guard, resolve }: { readonly guard: AddressGuard; readonly resolve: Resolve },
  timeoutMs: number,
): (options: unknown, callback: SocketCallback) => void {
  return (_options, callback) => {
    try {
      assertLiteralAllowed(guard, host, port);
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const socket = connectSocket({ host, port, lookup: guardedLookup(guard, resolve, host, port) });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      callback(error);
    };
    const timer = setTimeout(() => socket.destroy(new Error('connection timed out')), timeoutMs);
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      callback(null, { connection: socket });
    });
  };
}

/** Some recipients may have been refused while others were served: that is sent, since a repeat would write to those again. */
function receipt(info: unknown, recipients: number): string {
  const rejected = typeof info === 'object' && info !== null ? (Reflect.get(info, 'rejected') as unknown) : undefined;
  const refused = Array.isArray(rejected) ? rejected.length : 0;
  return refused === 0
    ? `${recipients} accepted`
    : `${recipients - refused} accepted, ${refused} refused by the server`;
}

import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';
import type { Receiver } from './http-receiver.js';
import { listenLocally } from './listen-locally.js';
import { readLimited } from './read-limited.js';

/** MailMessage is one mail that arrived: the envelope it came in, and what a mail program would show of it. */
export interface MailMessage {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
}

const MAX_MAIL_BYTES = 1024 * 1024;

/**
 * startSmtpReceiver is a mail server on a free port of 127.0.0.1 that accepts everything, without a login or TLS, and
 * hands each mail on before it acknowledges it; a mail over 1 MiB is refused with 552.
 */
export async function startSmtpReceiver({ onMessage }: { onMessage: (mail: MailMessage) => void }): Promise<Receiver> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MAX_MAIL_BYTES,
    onData(stream, session, done) {
      const sender = session.envelope.mailFrom ? session.envelope.mailFrom.address : '';
      const recipients = session.envelope.rcptTo.map(({ address }) => address);
      readMail(stream)
        .then((mail) => onMessage({ sender, recipients, ...mail }))
        .then(
          () => done(),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
    },
  });
  // A client that hangs up is no fault of the demo; without a listener it would end the process.
  server.on('error', () => undefined);
  const port = await listenLocally(server.server);
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function readMail(stream: SMTPServerDataStream): Promise<Omit<MailMessage, 'sender' | 'recipients'>> {
  const mail = await readLimited(stream, MAX_MAIL_BYTES);
  if (mail === undefined) throw Object.assign(new Error('the mail is too large'), { responseCode: 552 });
  const { subject = '', text = '', html = '', messageId = '' } = await PostalMime.parse(mail);
  return { subject, text, html, messageId };
}

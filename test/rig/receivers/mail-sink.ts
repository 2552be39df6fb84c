import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { portOf, type Receiver } from './receiver.js';

/** ReceivedMail is one mail: its envelope, its bytes as text, and what a mail program makes of them. */
export interface ReceivedMail {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly raw: string;
  readonly parsed: Email;
}

/** Login is what a mail server asks for before it takes mail. */
export interface Login {
  readonly user: string;
  readonly password: string;
}

/** MailSink is a mail server on 127.0.0.1 without TLS that keeps every mail; it can be taken down and brought back. */
export class MailSink implements Receiver {
  readonly mails: ReceivedMail[] = [];
  private server: SMTPServer | null = null;
  private port = 0;

  private constructor(private readonly login: Login | null) {}

  /** open listens on a free port; with a login it refuses mail without it. */
  static async open(login: Login | null = null): Promise<MailSink> {
    const sink = new MailSink(login);
    await sink.up();
    return sink;
  }

  /** url is the server as SMTP_URL names it, without a login. */
  get url(): string {
    return `smtp://127.0.0.1:${this.port}?tls=off`;
  }

  /** urlWith is the server with a login, which need not be the right one. */
  urlWith({ user, password }: Login): string {
    return `smtp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${this.port}?tls=off`;
  }

  /** up listens, on the same port as before. */
  async up(): Promise<void> {
    const { login } = this;
    const server = new SMTPServer({
      authOptional: login === null,
      allowInsecureAuth: true,
      disabledCommands: login === null ? ['AUTH', 'STARTTLS'] : ['STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 100,
      onAuth: ({ username, password }, _session, done) => {
        const isRight = username === login?.user && password === login?.password;
        if (isRight) done(null, { user: username });
        else done(new Error(`535 5.7.8 the login ${String(username)} ${String(password)} is not known`));
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          const envelope = {
            sender: mailFrom ? mailFrom.address : '',
            recipients: rcptTo.map(({ address }) => address),
          };
          const raw = Buffer.concat(chunks);
          PostalMime.parse(raw).then(
            (parsed) => {
              this.mails.push({ ...envelope, raw: raw.toString('latin1'), parsed });
              done();
            },
            (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
          );
        });
      },
    });
    // A client that hangs up is not the test's fault; without a listener it would end the test.
    server.on('error', () => undefined);
    this.port = await portOf(server.server, this.port);
    this.server = server;
  }

  /** down closes the port: connections are refused from now on. */
  async down(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  close(): Promise<void> {
    return this.down();
  }
}

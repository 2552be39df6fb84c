import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** ReceivedMail is one message as it arrived: the envelope and the bytes after DATA. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
}

/** SmtpBehaviour is what the server does with the next messages. */
export interface SmtpBehaviour {
  /** Reply code for DATA; 250 accepts. */
  readonly dataReply?: number;
  /** What it says with that code. */
  readonly dataWords?: string;
  /** Reply code for recipients that it names. */
  readonly refuse?: Readonly<Record<string, number>>;
  /** Never answers after the data. */
  readonly hang?: boolean;
  /** Resets the connection after the data. */
  readonly reset?: boolean;
}

/** SmtpReceiver is a real SMTP server that keeps what it receives. */
export interface SmtpReceiver {
  readonly port: number;
  readonly mails: ReceivedMail[];
  connections(): number;
  behave(behaviour: SmtpBehaviour): void;
  close(): Promise<void>;
}

/** openSmtpReceiver listens on 127.0.0.1 at a free port without TLS, unless `options` say otherwise. */
export async function openSmtpReceiver(options: SMTPServerOptions = {}): Promise<SmtpReceiver> {
  const mails: ReceivedMail[] = [];
  let behaviour: SmtpBehaviour = {};
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    authOptional: true,
    closeTimeout: 100,
    ...options,
    onConnect: (_session, done) => {
      connections += 1;
      done();
    },
    onRcptTo: ({ address }, _session, done) => {
      const code = behaviour.refuse?.[address];
      done(code === undefined ? null : replyError(code));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        if (behaviour.hang === true) return;
        if (behaviour.reset === true) {
          for (const socket of sockets) socket.resetAndDestroy();
          return;
        }
        const { dataReply = 250, dataWords } = behaviour;
        if (dataReply !== 250) return void done(replyError(dataReply, dataWords));
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'),
        });
        done();
      });
    },
  });
  server.on('error', () => undefined); // Resets by the test itself.
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    connections: () => connections,
    behave: (next) => {
      behaviour = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function replyError(responseCode: number, words = 'refused by the test'): Error {
  return Object.assign(new Error(words), { responseCode });
}

/** SmtpServer is a mail server as an SMTP URL names it. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (smtps). Otherwise STARTTLS where the server offers it. */
  readonly implicitTls: boolean;
  /** verify = certificates are checked; unverified = any certificate; off = never TLS. */
  readonly tls: 'verify' | 'unverified' | 'off';
  readonly user?: string;
  readonly password?: string;
}

/** SmtpUrlResult is the server, or what is wrong with the URL; the fault never quotes the URL, which may hold a password. */
export type SmtpUrlResult =
  { readonly ok: true; readonly server: SmtpServer } | { readonly ok: false; readonly fault: string };

/**
 * parseSmtpUrl reads `smtp://[user:password@]host[:port][?tls=verify|unverified|off]` or `smtps://...`. Ports default to 587
 * and 465. Every other parameter is refused: none may reach the mail library's own options.
 */
export function parseSmtpUrl(text: string): SmtpUrlResult {
  const fault = (reason: string): SmtpUrlResult => ({ ok: false, fault: reason });
  // eslint-disable-next-line no-control-regex
  if (text.length > 2000 || /[\u0000-\u0020\u007f]/.test(text) || !URL.canParse(text)) return fault('not an SMTP URL');
  const url = new URL(text);
  const implicitTls = url.protocol === 'smtps:';
  if (!implicitTls && url.protocol !== 'smtp:') return fault('an SMTP URL starts with smtp:// or smtps://');
  if (url.hostname === '' || !['', '/'].includes(url.pathname) || url.hash !== '') return fault('not an SMTP URL');
  for (const name of url.searchParams.keys())
    if (name !== 'tls') return fault('tls is the only parameter of an SMTP URL');
  const tls = url.searchParams.get('tls') ?? 'verify';
  if (tls !== 'verify' && tls !== 'unverified' && tls !== 'off') return fault('tls is verify, unverified or off');
  if (implicitTls && tls === 'off') return fault('smtps:// cannot be used with tls=off');
  const credentials = credentialsOf(url);
  if (credentials === undefined) return fault('user name or password is not readable');
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = Number(url.port) || (implicitTls ? 465 : 587);
  return { ok: true, server: { host, port, implicitTls, tls, ...credentials } };
}

function credentialsOf(url: URL): { user?: string; password?: string } | undefined {
  if (url.username === '') return url.password === '' ? {} : undefined;
  try {
    const user = decodeURIComponent(url.username);
    const password = decodeURIComponent(url.password);
    // eslint-disable-next-line no-control-regex
    return /[\u0000-\u001f\u007f]/.test(user + password) ? undefined : { user, password };
  } catch {
    return undefined; // A malformed percent-encoding: the only thing that decodeURIComponent throws for.
  }
}

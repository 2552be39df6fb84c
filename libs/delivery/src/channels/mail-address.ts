const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9.])?$/;

/** Mailbox is a sender: an address and perhaps a name. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/**
 * isMailAddress accepts exactly one plain address, as in `team@example.org`: dot-atom and host name in ASCII. Quoted names,
 * comments, groups, lists, routes, address literals and every control or separator are refused, so one entry is one recipient.
 */
export function isMailAddress(text: string): boolean {
  if (text.length > 254) return false;
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  const labels = text.slice(at + 1).split('.');
  return at > 0 && local.length <= 64 && LOCAL.test(local) && labels.every((label) => LABEL.test(label));
}

/** parseMailbox reads `alerts@example.org` or `Some Name <alerts@example.org>`; undefined for anything else. */
export function parseMailbox(text: string): Mailbox | undefined {
  if (isMailAddress(text)) return { name: 'Tidemark', address: text };
  const named = /^([^<>]{1,64}) <([^<>]{1,254})>$/.exec(text);
  const name = named?.[1] ?? '';
  const address = named?.[2] ?? '';
  return NAME.test(name) && isMailAddress(address) ? { name, address } : undefined;
}

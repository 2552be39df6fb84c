/** What a person can do about the codes that a connection fails with most often. */
const EXPLANATIONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at that host and port',
  ECONNRESET: 'the other side broke the connection off',
  EPIPE: 'the other side broke the connection off',
  ECONNECTION: 'the server could not be connected to, or broke the connection off',
  ESOCKET: 'the connection or its TLS failed: check host, port, and smtp:// against smtps://',
  UND_ERR_SOCKET: 'the other side broke the connection off',
  ENOTFOUND: 'the host name has no address: check how it is spelt',
  EDNS: 'the host name could not be looked up: check how it is spelt',
  EAI_AGAIN: 'the name server did not answer',
  ETIMEDOUT: 'the host did not answer in time: check address, port and firewalls',
  UND_ERR_CONNECT_TIMEOUT: 'the host did not answer in time: check address, port and firewalls',
  EHOSTUNREACH: 'there is no way to that host from here: check network and firewalls',
  ENETUNREACH: 'there is no way to that network from here: check network and firewalls',
  EMFILE: 'this process has no file descriptor left: raise its limit (ulimit -n)',
  ENFILE: 'this machine has no file descriptor left',
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is signed by itself: add it to NODE_EXTRA_CA_CERTS",
  SELF_SIGNED_CERT_IN_CHAIN:
    "the server's certificate is signed by an unknown authority: add it to NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate chain is incomplete, or its authority is unknown",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's certificate chain is incomplete, or its authority is unknown",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another host name",
  EPROTO: 'the server does not speak TLS there: check the port, and http against https',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS there: check the port, and http against https',
};

/** networkFault writes the code of a failed connection with what a person can do about it, fit for the ledger. */
export function networkFault(code: string): string {
  const explanation = Object.hasOwn(EXPLANATIONS, code) ? EXPLANATIONS[code] : undefined;
  return explanation === undefined ? code : `${code}: ${explanation}`;
}

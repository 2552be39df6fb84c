import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressGuard } from './address-guard.js';

/** ResolvedAddress is one address of a name. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Resolve finds the addresses of a name; rejects where there are none. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** BlockedAddressError is thrown into a connection attempt that the guard refuses, before any packet leaves. */
export class BlockedAddressError extends Error {
  override readonly name = 'BlockedAddressError';
}

/** systemResolve asks the operating system, /etc/hosts included. */
export const systemResolve: Resolve = (hostname) => systemLookup(hostname, { all: true, verbatim: true });

/**
 * assertLiteralAllowed throws BlockedAddressError where `host` is a literal address that the guard refuses.
 * Sockets do not look literals up, so guardedLookup never sees them.
 */
export function assertLiteralAllowed(guard: AddressGuard, host: string, port: number): void {
  if (isIP(host) === 0) return;
  const refusal = guard.refusal({ host, address: host, port });
  if (refusal !== undefined) throw new BlockedAddressError(refusal);
}

/**
 * guardedLookup is a `lookup` for net and tls sockets to `host`:`port`. The addresses that it judges are the very ones
 * that the socket then connects to, so an answer that changes between two look-ups (DNS rebinding) gains nothing.
 * One refused address among several refuses them all.
 */
export function guardedLookup(guard: AddressGuard, resolve: Resolve, host: string, port: number): LookupFunction {
  return (hostname, options, callback) => {
    const settle = async (): Promise<readonly ResolvedAddress[]> => {
      const addresses = await resolve(hostname);
      for (const { address } of addresses) {
        const refusal = guard.refusal({ host, address, port });
        if (refusal !== undefined) throw new BlockedAddressError(refusal);
      }
      if (addresses.length === 0) throw new Error(`${hostname} has no address`);
      return addresses;
    };
    settle().then(
      (addresses) => {
        const first = addresses[0];
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first?.address ?? '', first?.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), []),
    );
  };
}

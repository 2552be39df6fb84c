import { onTestFinished } from 'vitest';
import type { Client, ClientOptions } from './client.js';
import { EMBEDDED } from './embedded-platform.js';
import { CAN_RUN_PRODUCTION, PRODUCTION } from './production-platform.js';
import type { Exit, Process } from '@tidemark/servers';

/** PlatformOptions are how a platform is set up; it lives in a fresh folder of its own unless `dataDir` names one. */
export interface PlatformOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
  /** Keys to make before it starts, so that they count from the first request on; without one this machine needs none. */
  readonly keys?: readonly KeyRequest[];
}

/** KeyRequest is a key to make as an operator does: with the command line. */
export interface KeyRequest {
  readonly project?: string;
  readonly scopes?: readonly string[];
  readonly name?: string;
}

/** Platform is a whole Tidemark, whatever it is made of, as a test drives it from outside. */
export interface Platform {
  /** Where it answers; a restart keeps the port. */
  readonly url: string;
  readonly dataDir: string;
  /** The texts of the keys that were asked for, in their order. */
  readonly keys: readonly string[];
  /** Where each instance of the API answers, without a proxy before it. */
  readonly instances: readonly string[];
  /** The process that answers HTTP; one of them where there are several. */
  readonly process: Process;
  /** The processes that answer HTTP, in the order of `instances`. */
  readonly processes: readonly Process[];
  /** Everything that was logged, in all its lives. */
  readonly output: string;
  /** How long the last start took, in ms, from the start of the program to the first 200 of /readyz. */
  readonly startMs: number;
  client(options?: Omit<ClientOptions, 'url'>): Client;
  /** clientOf asks one of `instances`, without a proxy before it. */
  clientOf(instance: string, key?: string): Client;
  /** createKey makes a key while it runs, and answers it when it counts, which takes seconds. */
  createKey(request?: KeyRequest): Promise<string>;
  /** start brings it up, after it was stopped or killed, over the data that it left. */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** stop ends it as an operator does. */
  stop(): Promise<Exit>;
  /** kill ends it as a crash does. */
  kill(): Promise<void>;
  /** close ends it and removes what it stored. */
  close(): Promise<void>;
}

/** Profile is one way to run the platform: the same scenarios hold for each. */
export interface Profile {
  readonly name: string;
  /** open starts a platform and answers when it is ready. */
  open(options?: PlatformOptions): Promise<Platform>;
}

/** PROFILES are all the ways that scenarios run over, as far as this machine has what they need. */
export const PROFILES: readonly Profile[] = CAN_RUN_PRODUCTION ? [EMBEDDED, PRODUCTION] : [EMBEDDED];

/** ALONE are the profiles of a single process, for scenarios about its own files. */
export const ALONE: readonly Profile[] = [EMBEDDED];

/** openPlatform starts a platform for the test that runs now, and ends it with the test. */
export async function openPlatform(profile: Profile, options?: PlatformOptions): Promise<Platform> {
  const platform = await profile.open(options);
  onTestFinished(() => platform.close());
  return platform;
}

import 'reflect-metadata';
import { randomBytes, randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Alert } from '@tidemark/types';
import { authenticate, type KeyRing } from '../../platform/auth.js';
import type { Principal } from '../../platform/principal.js';
import type { Point } from '../../store/point-store.js';
import { LiveAdapter } from '../live-adapter.js';
import type { LiveMessage } from '../live-bus.js';
import { LiveDoor } from '../live-door.js';
import { LiveFeed } from '../live-feed.js';
import type { LiveLimits } from '../live-limits.js';
import { LiveController } from '../live.controller.js';
import { LiveGateway } from '../live.gateway.js';
import { MemoryBus } from '../memory-bus.js';
import { Tickets } from '../tickets.js';

/** LiveAppOptions are what a test changes of the app. */
export interface LiveAppOptions {
  /** Projects by key; with none the machine itself is served without. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly allowedOrigins?: readonly string[];
  readonly maxClients?: number;
  readonly limits?: Partial<LiveLimits>;
  readonly recent?: (project: string, models: readonly string[] | null, limit: number) => Promise<readonly Point[]>;
  readonly firing?: (project: string, models: readonly string[] | null) => readonly Alert[];
  readonly startedMs?: number;
}

/** LiveApp is the live feed behind a real server. */
export interface LiveApp {
  readonly port: number;
  readonly url: string;
  readonly feed: LiveFeed;
  readonly tickets: Tickets;
  readonly faults: unknown[];
  /** dropped is how many items slow clients lost. */
  readonly dropped: () => number;
  readonly publish: (message: LiveMessage) => void;
  readonly close: () => Promise<void>;
}

@Module({ controllers: [LiveController] })
class LiveModule {}

/** openLiveApp starts Nest on Fastify with nothing but the live feed, on a free port of 127.0.0.1. */
export async function openLiveApp(options: LiveAppOptions = {}): Promise<LiveApp> {
  const steadyMs = () => performance.now();
  const faults: unknown[] = [];
  let dropped = 0;
  const bus = new MemoryBus((error) => faults.push(error));
  const keys = ringOf(options.keys ?? {});
  const allowedOrigins = options.allowedOrigins ?? [];
  const tickets = new Tickets({ steadyMs, randomBytes });
  const feed = new LiveFeed({
    bus,
    recent: options.recent ?? (async () => []),
    firing: options.firing ?? (() => []),
    startedMs: options.startedMs ?? Date.now(),
    steadyMs,
    dropped: { inc: (items) => (dropped += items) },
    onFault: (error) => faults.push(error),
    ...(options.limits ? { limits: options.limits } : {}),
  });
  feed.start();
  const door = new LiveDoor({ keys, tickets, allowedOrigins, maxClients: options.maxClients ?? 100_000, feed });
  const fastify = new FastifyAdapter();
  fastify.getInstance().addHook('onRequest', async (request) => {
    const caller = { headers: request.headers, remoteAddress: request.socket.remoteAddress };
    request.principal = await authenticate(caller, 'read', keys, { allowedOrigins });
  });
  const module = {
    module: LiveModule,
    providers: [
      LiveGateway,
      { provide: LiveFeed, useValue: feed },
      { provide: LiveDoor, useValue: door },
      { provide: Tickets, useValue: tickets },
    ],
  };
  const app = await NestFactory.create<NestFastifyApplication>(module, fastify, { logger: false });
  app.useWebSocketAdapter(
    new LiveAdapter(app.getHttpServer(), { door, requestId: randomUUID, onFault: (error) => faults.push(error) }),
  );
  await app.listen(0, '127.0.0.1');
  const { port } = new URL(await app.getUrl());
  return {
    port: Number(port),
    url: `ws://127.0.0.1:${port}/api/v1/live`,
    feed,
    tickets,
    faults,
    dropped: () => dropped,
    publish: (message) => bus.publish(message),
    close: async () => {
      await feed.close();
      await app.close();
      await bus.close();
    },
  };
}

function ringOf(projects: Readonly<Record<string, string>>): KeyRing {
  return {
    isEmpty: () => Object.keys(projects).length === 0,
    verify: async (presented): Promise<Principal | null> => {
      const project = Object.hasOwn(projects, presented) ? projects[presented] : undefined;
      return project === undefined ? null : { project, scopes: ['read'], keyId: `id-of-${presented}` };
    },
  };
}

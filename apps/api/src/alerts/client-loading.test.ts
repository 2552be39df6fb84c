import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OwnServer } from '../rig/own-server.js';
import { waitFor } from '../rig/wait-for.js';

const { cache } = createRequire(import.meta.url);
const filesOf = (name: string) => Object.keys(cache).filter((file) => file.includes(`/node_modules/${name}/`));
const isLoaded = (name: string) => filesOf(name).length > 0;
const forget = (name: string) => {
  for (const file of filesOf(name)) Reflect.deleteProperty(cache, file);
};

describe('the client of a kind of channel', () => {
  let folder: string;
  const start = () => OwnServer.start({ TIDEMARK_DATA_DIR: folder });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-clients-'));
    for (const name of ['undici', 'nodemailer', '@slack/webhook']) forget(name);
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('is loaded when a channel of the kind is made, and no other', async () => {
    const server = await start();
    expect(isLoaded('undici')).toBe(false);
    const made = await server.ask('POST', '/api/v1/channels', { name: 'w', kind: 'webhook', url: 'http://a.test/' });
    expect(made.status).toBe(201);
    await waitFor('undici', () => isLoaded('undici'));
    const slack = { name: 's', kind: 'slack', url: 'https://hooks.slack.test/x' };
    expect((await server.ask('POST', '/api/v1/channels', slack)).status).toBe(201);
    await waitFor('@slack/webhook', () => isLoaded('@slack/webhook'));
    expect(isLoaded('nodemailer')).toBe(false);
    await server.stop();
  });

  it('is loaded soon after a start that finds an enabled channel of the kind', async () => {
    const before = await start();
    const mail = { name: 'm', kind: 'email', smtp_url: 'smtp://a.test', to: ['a@a.test'] };
    expect((await before.ask('POST', '/api/v1/channels', mail)).status).toBe(201);
    const hook = { name: 'w', kind: 'webhook', url: 'http://a.test/', enabled: false };
    expect((await before.ask('POST', '/api/v1/channels', hook)).status).toBe(201);
    await waitFor('nodemailer', () => isLoaded('nodemailer'));
    await before.stop();
    forget('nodemailer');
    const after = await start();
    await waitFor('nodemailer', () => isLoaded('nodemailer'));
    expect(isLoaded('undici')).toBe(false);
    await after.stop();
  });
});

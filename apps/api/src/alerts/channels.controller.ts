import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req } from '@nestjs/common';
import { IsBoolean, IsOptional, IsString, Length } from 'class-validator';
import { type ChannelConfig, newWebhookSecret, type Outcome, parseChannelConfig } from '@tidemark/delivery';
import {
  type Channel,
  type ChannelRemoval,
  type ChannelUsers,
  type Channels,
  newId,
  type Random,
  type RemovalOptions,
} from '@tidemark/state';
import type { ChannelKind, Channel as WireChannel } from '@tidemark/types';
import type { FastifyRequest } from 'fastify';
import { IsCleanText } from '../platform/clean-text.js';
import type { Clock } from '@tidemark/program';
import { HttpProblem } from '../platform/problem.js';
import { invalid, validated } from '../platform/validated.js';
import { ChannelRemovalQuerySchema, createQueryReader } from '../query/queries.js';
import { ChannelVault, targetOf } from './channel-vault.js';

const removalQuery = createQueryReader(ChannelRemovalQuerySchema);

/** ChannelsDeps are what channels are kept in and tried with. */
export class ChannelsDeps {
  constructor(
    readonly channels: Channels,
    readonly vault: ChannelVault,
    readonly clock: Clock,
    readonly random: Random,
    /** test sends a test notification at once and answers what the receiver said. */
    readonly test: (channel: Channel) => Promise<Outcome>,
    /** ensureProject makes the project known before its first channel. */
    readonly ensureProject: (project: string) => Promise<void>,
    /** wanted is told of every channel that was made or changed and is enabled. */
    readonly wanted: (kind: ChannelKind) => void,
    /** remove takes a channel away; what models notify after it counts at once. */
    readonly remove: (project: string, id: string, options: RemovalOptions) => Promise<ChannelRemoval>,
  ) {}
}

class ChannelEnvelope {
  @IsCleanText()
  @Length(1, 200)
  @IsString()
  name!: string;

  @IsOptional()
  @IsBoolean()
  enabled?: boolean | null;
}

/** ChannelsController keeps the ways to reach people. What is secret of a channel goes in and never comes out. */
@Controller('api/v1/channels')
export class ChannelsController {
  constructor(@Inject(ChannelsDeps) private readonly deps: ChannelsDeps) {}

  @Get()
  async list(@Req() request: FastifyRequest) {
    const channels = await this.deps.channels.list(request.principal.project);
    return { channels: channels.map((channel) => this.toWire(channel)) };
  }

  @Post()
  async create(@Req() request: FastifyRequest, @Body() body: unknown) {
    const madeSecret = needsSecret(body) ? newWebhookSecret(this.deps.random) : null;
    const given = madeSecret ? { ...objectOf(body), secret: madeSecret } : body;
    const channel = await this.put(request.principal.project, newId(this.deps.random), given);
    return { ...this.toWire(channel), ...(madeSecret ? { secret: madeSecret } : {}) };
  }

  @Get(':id')
  async one(@Req() request: FastifyRequest, @Param('id') id: string): Promise<WireChannel> {
    return this.toWire(await this.find(request, id));
  }

  @Put(':id')
  async replace(@Req() request: FastifyRequest, @Param('id') id: string, @Body() body: unknown): Promise<WireChannel> {
    const known = await this.find(request, id);
    const before = this.deps.vault.open(known);
    const given = objectOf(body);
    // Secrets cannot be read back, so what a change leaves out stays as it was.
    const whole = given['kind'] === undefined || given['kind'] === before.kind ? { ...before, ...given } : given;
    return this.toWire(await this.put(known.project, id, { name: known.name, enabled: known.enabled, ...whole }));
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Req() request: FastifyRequest, @Param('id') id: string): Promise<void> {
    const { force = false } = removalQuery(request.query);
    const nowMs = this.deps.clock.wallMs();
    const removal = await this.deps.remove(request.principal.project, id, { nowMs, force });
    if (removal.outcome === 'removed') return;
    throw removal.code === 'in_use' ? inUse(removal.users) : unknown(id);
  }

  @Post(':id/test')
  @HttpCode(200)
  async test(@Req() request: FastifyRequest, @Param('id') id: string) {
    const outcome = await this.deps.test(await this.find(request, id));
    if (outcome.kind === 'sent') return { outcome: 'delivered', detail: outcome.detail ?? null };
    return { outcome: outcome.kind === 'retry' ? 'failed' : 'rejected', detail: outcome.reason };
  }

  private async put(project: string, id: string, body: unknown): Promise<Channel> {
    const { name, enabled } = validated(ChannelEnvelope, body);
    const parsed = parseChannelConfig(body);
    if (!parsed.ok) throw invalid(parsed.faults.map(({ pointer, message }) => ({ pointer, code: 'format', message })));
    const nowMs = this.deps.clock.wallMs();
    await this.deps.ensureProject(project);
    const sealedConfig = this.deps.vault.seal(id, parsed.config);
    const { kind } = parsed.config;
    const channel = await this.deps.channels.put(
      { project, id, name, kind, sealedConfig, enabled: enabled ?? true },
      nowMs,
    );
    if (channel.enabled) this.deps.wanted(kind);
    return channel;
  }

  private async find(request: FastifyRequest, id: string): Promise<Channel> {
    const channel = await this.deps.channels.get(request.principal.project, id);
    if (!channel) throw unknown(id);
    return channel;
  }

  private toWire(channel: Channel): WireChannel {
    return {
      id: channel.id,
      name: channel.name,
      kind: channel.kind,
      enabled: channel.enabled,
      disabled_reason: channel.disabledReason,
      target: targetOf(this.deps.vault.open(channel)),
      created_at: new Date(channel.createdMs).toISOString(),
      updated_at: new Date(channel.updatedMs).toISOString(),
    };
  }
}

function needsSecret(body: unknown): boolean {
  const given = objectOf(body);
  return given['kind'] === ('webhook' satisfies ChannelConfig['kind']) && given['secret'] === undefined;
}

function objectOf(body: unknown): Record<string, unknown> {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? { ...body } : {};
}

function inUse({ total, modelIds }: ChannelUsers): HttpProblem {
  const named = modelIds.map((id) => JSON.stringify(id.slice(0, 100))).join(', ');
  const who = total === 1 ? `the model ${named} notifies` : `${total} models notify`;
  const which = total === 1 ? '' : `: ${named}${total > modelIds.length ? ' and more' : ''}`;
  return new HttpProblem(
    'conflict',
    `${who} this channel${which}; give them others, or repeat with ?force=true, which takes it out of their lists`,
  );
}

function unknown(id: string): HttpProblem {
  return new HttpProblem('not_found', `there is no channel "${id.slice(0, 64)}"`);
}

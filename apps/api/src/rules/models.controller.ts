import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req } from '@nestjs/common';
import { ChannelGoneError, type Channels, type Model, type ModelInput } from '@tidemark/state';
import type { Model as WireModel } from '@tidemark/types';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '@tidemark/program';
import { HttpProblem } from '../platform/problem.js';
import { invalid } from '../platform/validated.js';
import { ModelDirectory } from './model-directory.js';
import { readRegistration, toModelInput } from './registration.js';
import { toWireThresholds } from './wire-thresholds.js';

/** ModelsDeps are what models are kept in. */
export class ModelsDeps {
  constructor(
    readonly directory: ModelDirectory,
    readonly channels: Channels,
    readonly clock: Clock,
  ) {}
}

/** ModelsController registers models and their limits. */
@Controller('api/v1/models')
export class ModelsController {
  constructor(@Inject(ModelsDeps) private readonly deps: ModelsDeps) {}

  @Post()
  async register(@Req() request: FastifyRequest, @Body() body: unknown) {
    await this.put(request, body);
    return { status: 'success', message: 'Model registered successfully' };
  }

  @Get()
  async list(@Req() request: FastifyRequest) {
    const models = await this.deps.directory.stored(request.principal.project);
    return { models: models.map(toWireModel) };
  }

  @Get(':id')
  async one(@Req() request: FastifyRequest, @Param('id') id: string): Promise<WireModel> {
    const model = await this.deps.directory.storedOne(request.principal.project, id);
    if (!model) throw unknown(id);
    return toWireModel(model);
  }

  @Put(':id')
  async replace(@Req() request: FastifyRequest, @Param('id') id: string, @Body() body: unknown): Promise<WireModel> {
    const given = typeof body === 'object' && body !== null ? { ...body, id } : body;
    return toWireModel(await this.put(request, given));
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(@Req() request: FastifyRequest, @Param('id') id: string): Promise<void> {
    if (!(await this.deps.directory.remove(request.principal.project, id))) throw unknown(id);
  }

  private async put(request: FastifyRequest, body: unknown): Promise<Model> {
    const project = request.principal.project;
    const registration = readRegistration(body);
    const known = registration.channels
      ? new Set((await this.deps.channels.list(project)).map((channel) => channel.id))
      : null;
    const strangers = (registration.channels ?? []).flatMap((id, index) => (known?.has(id) ? [] : [{ id, index }]));
    if (strangers.length > 0) {
      throw invalid(
        strangers.map(({ index }) => ({
          pointer: `/channels/${index}`,
          code: 'enum',
          message: 'is not a channel of the project',
        })),
      );
    }
    return this.keep(toModelInput(project, registration));
  }

  private async keep(input: ModelInput): Promise<Model> {
    try {
      return await this.deps.directory.put(input, this.deps.clock.wallMs());
    } catch (error) {
      if (!(error instanceof ChannelGoneError)) throw error;
      throw invalid([{ pointer: '/channels', code: 'enum', message: 'names a channel that was removed just now' }]);
    }
  }
}

function toWireModel(model: Model): WireModel {
  return {
    id: model.id,
    name: model.name,
    model_type: model.modelType,
    version: model.version,
    environment: model.environment,
    thresholds: toWireThresholds(model.thresholds),
    resolve_after: model.resolveAfterMs / 1000,
    repeat_interval: model.repeatIntervalMs / 1000,
    channels: model.channelIds === null ? null : [...model.channelIds],
  };
}

function unknown(id: string): HttpProblem {
  return new HttpProblem('not_found', `no model "${id.slice(0, 100)}" is registered`);
}

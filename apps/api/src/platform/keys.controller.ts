import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsOptional, IsString, Length, Matches } from 'class-validator';
import type { ApiKey, Keys, Random } from '@tidemark/state';
import { type Key, type Scope, SCOPES } from '@tidemark/types';
import type { FastifyRequest } from 'fastify';
import { IsCleanText } from './clean-text.js';
import type { Clock } from '@tidemark/program';
import type { StoredKeys } from './key-ring.js';
import type { Principal } from './principal.js';
import { HttpProblem } from './problem.js';
import { validated } from './validated.js';

/** KeysDeps are what keys are kept in. */
export class KeysDeps {
  constructor(
    readonly keys: Keys,
    readonly ring: StoredKeys,
    readonly clock: Clock,
    readonly random: Random,
    readonly ensureProject: (project: string) => Promise<void>,
    /** ended is told whose live connections must end: a revoked key's, or those from before the first key. */
    readonly ended: (isOver: (principal: Principal) => boolean) => void,
  ) {}
}

class KeyRequest {
  @IsCleanText()
  @Length(1, 200)
  @IsString()
  name!: string;

  @IsIn(SCOPES, { each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(SCOPES.length)
  @IsArray()
  scopes!: Scope[];

  @IsOptional()
  @Matches(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
    message: '$property must have 1 to 63 characters of a-z, 0-9, _ and -, and begin with a letter or a digit',
  })
  @IsString()
  project?: string | null;
}

/** KeysController makes, lists and revokes API keys. */
@Controller('api/v1/keys')
export class KeysController {
  constructor(@Inject(KeysDeps) private readonly deps: KeysDeps) {}

  @Get()
  async list(@Req() request: FastifyRequest) {
    return { keys: (await this.deps.keys.list(request.principal.project)).map(toWireKey) };
  }

  /** Only the operator at the machine, before any key exists, may open a project other than their own. */
  @Post()
  async create(@Req() request: FastifyRequest, @Body() body: unknown): Promise<Key & { secret: string }> {
    const { name, scopes, project } = validated(KeyRequest, body);
    const own = request.principal.project;
    if (project && project !== own && request.principal.keyId !== null) {
      throw new HttpProblem(
        'forbidden',
        'a key can make keys of its own project only; use `npm run keys -- create` for another',
      );
    }
    const wanted = project ?? own;
    await this.deps.ensureProject(wanted);
    const { key, text } = await this.deps.keys.create({
      project: wanted,
      name,
      scopes: [...new Set(scopes)],
      nowMs: this.deps.clock.wallMs(),
      random: this.deps.random,
    });
    this.deps.ring.created();
    this.deps.ended((principal) => principal.keyId === null);
    return { ...toWireKey(key), secret: text };
  }

  @Delete(':id')
  @HttpCode(204)
  async revoke(@Req() request: FastifyRequest, @Param('id') id: string): Promise<void> {
    const revoked = await this.deps.keys.revoke(request.principal.project, id, this.deps.clock.wallMs());
    if (!revoked) throw new HttpProblem('not_found', `there is no key "${id.slice(0, 64)}"`);
    this.deps.ended((principal) => principal.keyId === id);
  }
}

function toWireKey(key: ApiKey): Key {
  return {
    id: key.id,
    name: key.name,
    project: key.project,
    scopes: [...key.scopes],
    created_at: new Date(key.createdMs).toISOString(),
    last_used_at: key.lastUsedMs === null ? null : new Date(key.lastUsedMs).toISOString(),
  };
}

import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsPositive,
  IsString,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import type { ModelInput } from '@tidemark/state';
import {
  DEFAULT_THRESHOLDS,
  type Environment,
  ENVIRONMENTS,
  MAX_ID_LENGTH,
  MODEL_TYPES,
  type ModelType,
} from '@tidemark/types';
import { coerceThresholds } from '../ingest/coerce.js';
import { IsCleanText } from '../platform/clean-text.js';
import { TextLength } from '../platform/text-length.js';
import { invalid, validated } from '../platform/validated.js';

/** ThresholdsInput are the limits that a registration names; a missing one takes its default. */
export class ThresholdsInput {
  @IsOptional()
  @IsPositive()
  @IsNumber()
  latency?: number | null;

  @IsOptional()
  @Min(0)
  @Max(1)
  @IsNumber()
  error_rate?: number | null;

  @IsOptional()
  @Min(0)
  @Max(1)
  @IsNumber()
  gpu_memory?: number | null;

  @IsOptional()
  @Min(0)
  @Max(1)
  @IsNumber()
  cpu_usage?: number | null;

  @IsOptional()
  @Min(0)
  @Max(1)
  @IsNumber()
  memory_usage?: number | null;
}

/** Registration is the body that registers or changes a model. */
export class Registration {
  @IsCleanText()
  @TextLength(1, MAX_ID_LENGTH)
  @IsString()
  id!: string;

  @IsCleanText()
  @TextLength(1, MAX_ID_LENGTH)
  @IsString()
  name!: string;

  @IsIn(MODEL_TYPES)
  model_type!: ModelType;

  @IsCleanText()
  @TextLength(1, MAX_ID_LENGTH)
  @IsString()
  version!: string;

  @IsIn(ENVIRONMENTS)
  environment!: Environment;

  @IsOptional()
  @ValidateNested()
  @IsObject()
  @Type(() => ThresholdsInput)
  thresholds?: ThresholdsInput | null;

  @IsOptional()
  @Min(1)
  @Max(604_800)
  @IsInt()
  resolve_after?: number | null;

  @IsOptional()
  @Min(60)
  @Max(2_592_000)
  @IsInt()
  repeat_interval?: number | null;

  @IsOptional()
  @ArrayMaxSize(32)
  @IsString({ each: true })
  @IsArray()
  channels?: string[] | null;
}

/** readRegistration reads a body as a registration, numeric strings among its thresholds as numbers, as metrics are read. */
export function readRegistration(body: unknown): Registration {
  const { item, faults } = coerceThresholds(body);
  if (faults.length > 0) throw invalid(faults);
  return validated(Registration, item);
}

/** toModelInput is the model that a registration describes. */
export function toModelInput(project: string, registration: Registration): ModelInput {
  const { thresholds, resolve_after, repeat_interval, channels } = registration;
  return {
    project,
    id: registration.id,
    name: registration.name,
    modelType: registration.model_type,
    version: registration.version,
    environment: registration.environment,
    thresholds: {
      latency: thresholds?.latency ?? DEFAULT_THRESHOLDS.latency,
      errorRate: thresholds?.error_rate ?? DEFAULT_THRESHOLDS.error_rate,
      gpuMemory: thresholds?.gpu_memory ?? DEFAULT_THRESHOLDS.gpu_memory,
      cpuUsage: thresholds?.cpu_usage ?? DEFAULT_THRESHOLDS.cpu_usage,
      memoryUsage: thresholds?.memory_usage ?? DEFAULT_THRESHOLDS.memory_usage,
    },
    ...(resolve_after ? { resolveAfterMs: resolve_after * 1000 } : {}),
    ...(repeat_interval ? { repeatIntervalMs: repeat_interval * 1000 } : {}),
    ...(channels === undefined ? {} : { channelIds: channels }),
  };
}

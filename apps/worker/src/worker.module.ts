import { type DynamicModule, Module, type Provider } from '@nestjs/common';

/** WorkerModule is the one Nest module of the worker: what compose.ts opened, as values. */
@Module({})
export class WorkerModule {
  /** with gives the context what it holds. */
  static with(providers: Provider[]): DynamicModule {
    return { module: WorkerModule, providers, exports: providers };
  }
}

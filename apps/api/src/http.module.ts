import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { AlertsController } from './alerts/alerts.controller.js';
import { ChannelsController } from './alerts/channels.controller.js';
import { DeliveriesController } from './alerts/deliveries.controller.js';
import { MetricsController } from './ingest/metrics.controller.js';
import { LiveController } from './live/live.controller.js';
import { DocsController } from './platform/docs.controller.js';
import { HealthController } from './platform/health.controller.js';
import { KeysController } from './platform/keys.controller.js';
import { ExportController } from './query/export.controller.js';
import { QueryController } from './query/query.controller.js';
import { ModelsController } from './rules/models.controller.js';

/** HttpModule is the one Nest module: the controllers of all stages, given what compose.ts made as values. */
@Module({
  controllers: [
    MetricsController,
    QueryController,
    ModelsController,
    AlertsController,
    ChannelsController,
    DeliveriesController,
    KeysController,
    LiveController,
    ExportController,
    HealthController,
    DocsController,
  ],
})
export class HttpModule {
  /** with gives the controllers what they work with. */
  static with(providers: Provider[]): DynamicModule {
    return { module: HttpModule, providers };
  }
}

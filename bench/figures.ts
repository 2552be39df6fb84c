import type { Figure } from './figure.js';
import { ackLatencyFigure } from './figures/ack-latency.js';
import { alertLatencyFigure } from './figures/alert-latency.js';
import { idleFigure } from './figures/idle.js';
import { ingestFigure } from './figures/ingest.js';
import { liveFanoutFigure } from './figures/live-fanout.js';
import { memoryFigure } from './figures/memory.js';
import { productionIngestFigure } from './figures/production-ingest.js';
import { productionScaleFigure } from './figures/production-scale.js';
import { productionWebhookFigure } from './figures/production-webhook.js';
import { queryFigure } from './figures/query.js';
import { sdkOverheadFigure } from './figures/sdk-overhead.js';

/** FIGURES are all that the bench can measure, in the order in which it does. */
export const FIGURES: readonly Figure[] = [
  ingestFigure,
  ackLatencyFigure,
  memoryFigure,
  queryFigure,
  alertLatencyFigure,
  liveFanoutFigure,
  sdkOverheadFigure,
  idleFigure,
  productionIngestFigure,
  productionWebhookFigure,
  productionScaleFigure,
];

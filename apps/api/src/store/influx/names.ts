/**
 * What is where. Raw points, drift, answers to idempotent requests, announcements of series and receipts share the
 * retention policy `raw`, so that a batch is one request. A tag of the user is prefixed, and so is a custom value:
 * neither can collide with ours.
 */
export const POINTS = 'inference';
export const DRIFT = 'drift';
export const RECORDS = 'idempotency';
export const SERIES = 'series';
export const METRIC_NAMES = 'metric_name';
export const RECEIPTS = 'receipt';
export const MARKS = 'mark';
export const SERIES_ROLLUPS = 'series_rollup';
export const MODEL_ROLLUPS = 'model_rollup';
export const PINGS = 'ping';
export const TAG_PREFIX = 't.';
export const VALUE_PREFIX = 'v.';

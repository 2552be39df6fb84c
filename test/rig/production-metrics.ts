/** PRODUCTION_METRICS are counted only where there is a spool, a queue and a worker. */
export const PRODUCTION_METRICS: readonly string[] = [
  'tidemark_spool_points',
  'tidemark_spool_oldest_seconds',
  'tidemark_queue_depth',
  'tidemark_worker_progress_timestamp_seconds',
];

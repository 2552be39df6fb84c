/** PRODUCTION_METRICS are counted only where there is a spool, a queue and a worker. */
export const PRODUCTION_METRICS: readonly string[] = [
  'tidemark_spool_points',
  'tidemark_spool_oldest_seconds',
  'tidemark_bus_dropped_total',
  'tidemark_spool_bytes',
  'tidemark_spool_torn_frames_total',
  'tidemark_spool_dead_letter_lines_total',
  'tidemark_spool_dead_letters_forgotten_total',
  'tidemark_spool_refused_writes_total',
  'tidemark_idempotency_unknown_total',
  'tidemark_queue_depth',
  'tidemark_deliveries_sending',
  'tidemark_local_limits_total',
  'tidemark_worker_progress_timestamp_seconds',
];

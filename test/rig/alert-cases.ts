/** AlertCase is a stretch of figures in which just these alerts fire at the minute of `atM`. */
export interface AlertCase {
  readonly what: string;
  /** Series by name with their values, one a minute, in the notation of promtool. */
  readonly series: Readonly<Record<string, string>>;
  readonly atM: number;
  readonly firing: readonly string[];
}

const API = 'job="tidemark-api",instance="api-1:8000"';
const WORKER = 'job="tidemark-worker",instance="worker:8001"';
const ROUTE = 'method="POST",route="/api/v1/metrics/inference"';

/** All is well: 600 points a minute, none shed, everything delivered. */
const WELL: Readonly<Record<string, string>> = {
  [`up{${API}}`]: '1+0x120',
  [`up{${WORKER}}`]: '1+0x120',
  [`tidemark_points_received_total{${API},kind="inference"}`]: '0+600x120',
  [`tidemark_points_stored_total{${API},kind="inference"}`]: '0+600x120',
  [`tidemark_points_shed_total{${API},kind="inference",reason="full"}`]: '0+0x120',
  [`tidemark_points_shed_total{${API},kind="inference",reason="failed"}`]: '0+0x120',
  [`tidemark_points_rejected_total{${API},kind="inference",code="range"}`]: '0+6x120',
  [`tidemark_http_request_duration_seconds_count{${API},${ROUTE},status="2xx"}`]: '0+600x120',
  [`tidemark_http_request_duration_seconds_count{${API},${ROUTE},status="5xx"}`]: '0+0x120',
  [`tidemark_http_request_duration_seconds_bucket{${API},${ROUTE},le="0.1"}`]: '0+600x120',
  [`tidemark_http_request_duration_seconds_bucket{${API},${ROUTE},le="1"}`]: '0+600x120',
  [`tidemark_http_request_duration_seconds_bucket{${API},${ROUTE},le="+Inf"}`]: '0+600x120',
  [`tidemark_commit_duration_seconds_bucket{${API},le="0.05"}`]: '0+60x120',
  [`tidemark_commit_duration_seconds_bucket{${API},le="1"}`]: '0+60x120',
  [`tidemark_commit_duration_seconds_bucket{${API},le="+Inf"}`]: '0+60x120',
  [`tidemark_queued_points{${API}}`]: '100+0x120',
  [`tidemark_spool_points{${API}}`]: '0+0x120',
  [`tidemark_spool_oldest_seconds{${API}}`]: '0+0x120',
  [`tidemark_spool_torn_frames_total{${API}}`]: '0+0x120',
  [`tidemark_spool_dead_letter_lines_total{${API},reason="bad_points"}`]: '0+0x120',
  [`tidemark_spool_dead_letters_forgotten_total{${API}}`]: '0+0x120',
  [`process_start_time_seconds{${API}}`]: '-60+0x120',
  [`tidemark_deliveries_total{${WORKER},channel="slack",outcome="delivered"}`]: '0+10x120',
  [`tidemark_deliveries_total{${WORKER},channel="slack",outcome="retry"}`]: '0+1x120',
  [`tidemark_deliveries_total{${WORKER},channel="slack",outcome="dead"}`]: '0+0x120',
  [`tidemark_deliveries_waiting{${API}}`]: '3+0x120',
  [`tidemark_queue_depth{${WORKER}}`]: '2+0x120',
  [`tidemark_worker_progress_timestamp_seconds{${WORKER}}`]: '0+60x120',
  [`nodejs_eventloop_lag_p99_seconds{${API}}`]: '0.01+0x120',
  [`process_resident_memory_bytes{${API}}`]: '300000000+0x120',
  [`process_open_fds{${API}}`]: '100+0x120',
  [`process_max_fds{${API}}`]: '65535+0x120',
  [`tidemark_live_dropped_total{${API}}`]: '0+0x120',
};

function when(what: string, changes: Readonly<Record<string, string>>, firing: readonly string[], atM = 60): AlertCase {
  for (const name of Object.keys(changes)) if (!(name in WELL)) throw new Error(`${name} is not among the series`);
  return { what, series: { ...WELL, ...changes }, atM, firing };
}

/** ALERT_CASES has one case for each alert at least, and those in which none must fire. */
export const ALERT_CASES: readonly AlertCase[] = [
  when('all is well', {}, []),
  when('the api is gone', { [`up{${API}}`]: '0+0x120' }, ['TidemarkDown', 'TidemarkInstanceDown']),
  when('the worker is gone', { [`up{${WORKER}}`]: '0+0x120' }, ['TidemarkInstanceDown', 'TidemarkNoWorker']),
  when('an instance is restarted', { [`up{${API}}`]: '1+0x58 0 1+0x60' }, []),
  when('the buffer overflows', { [`tidemark_points_shed_total{${API},kind="inference",reason="full"}`]: '0+30x120' }, [
    'TidemarkSheddingPoints',
  ]),
  when('a disk fails', { [`tidemark_points_shed_total{${API},kind="inference",reason="failed"}`]: '0+1x120' }, [
    'TidemarkStoreFailing',
  ]),
  when(
    'a client sends nonsense',
    { [`tidemark_points_rejected_total{${API},kind="inference",code="range"}`]: '0+300x120' },
    ['TidemarkRejectingPoints'],
  ),
  when('clients fall silent', { [`tidemark_points_received_total{${API},kind="inference"}`]: '0+600x40 24000+0x80' }, [
    'TidemarkIngestStopped',
  ]),
  when(
    'requests fail',
    { [`tidemark_http_request_duration_seconds_count{${API},${ROUTE},status="5xx"}`]: '0+30x120' },
    ['TidemarkErrors'],
  ),
  when(
    'requests are slow',
    { [`tidemark_http_request_duration_seconds_bucket{${API},${ROUTE},le="0.1"}`]: '0+500x120' },
    ['TidemarkSlowIngest'],
  ),
  when('the disk is slow', { [`tidemark_commit_duration_seconds_bucket{${API},le="0.05"}`]: '0+50x120' }, [
    'TidemarkSlowCommits',
  ]),
  when('the disk does not keep up', { [`tidemark_queued_points{${API}}`]: '60000+0x120' }, ['TidemarkQueueFilling']),
  when('InfluxDB is away', { [`tidemark_spool_oldest_seconds{${API}}`]: '0+0x50 0+60x70' }, ['TidemarkSpoolGrowing']),
  when(
    'InfluxDB stays away',
    { [`tidemark_spool_oldest_seconds{${API}}`]: '0+60x120' },
    ['TidemarkSpoolGrowing', 'TidemarkSpoolStuck'],
    110,
  ),
  when(
    'a restart finds what a crash left',
    {
      [`tidemark_spool_torn_frames_total{${API}}`]: '1+0x51 _x3 1+0x65',
      [`process_start_time_seconds{${API}}`]: '-60+0x51 _x3 3270+0x65',
    },
    ['TidemarkSpoolTorn'],
  ),
  when('the spool is altered while it is drained', { [`tidemark_spool_torn_frames_total{${API}}`]: '0+0x50 2+0x70' }, [
    'TidemarkSpoolTorn',
  ]),
  when('what a crash left was found long ago', { [`tidemark_spool_torn_frames_total{${API}}`]: '1+0x120' }, []),
  when(
    'InfluxDB refuses a point for good',
    { [`tidemark_spool_dead_letter_lines_total{${API},reason="bad_points"}`]: '0+0x50 1+0x70' },
    ['TidemarkDeadLetters'],
  ),
  when(
    'a point that it refuses is kept nowhere',
    {
      [`tidemark_spool_dead_letter_lines_total{${API},reason="bad_points"}`]: '0+0x50 1+0x70',
      [`tidemark_spool_dead_letters_forgotten_total{${API}}`]: '0+0x50 1+0x70',
    },
    ['TidemarkDeadLetters', 'TidemarkDeadLettersForgotten'],
  ),
  when(
    'a notification is given up',
    { [`tidemark_deliveries_total{${WORKER},channel="slack",outcome="dead"}`]: '0+0x50 1+0x70' },
    ['TidemarkDeliveriesDead'],
  ),
  when(
    'a channel is broken',
    { [`tidemark_deliveries_total{${WORKER},channel="slack",outcome="retry"}`]: '0+30x120' },
    ['TidemarkDeliveriesFailing'],
  ),
  when('notifications wait', { [`tidemark_deliveries_waiting{${API}}`]: '500+0x120' }, ['TidemarkDeliveriesWaiting']),
  when('there are too few workers', { [`tidemark_queue_depth{${WORKER}}`]: '2000+0x120' }, ['TidemarkQueueDeep']),
  when('workers hang', { [`tidemark_worker_progress_timestamp_seconds{${WORKER}}`]: '0+60x40 2400+0x80' }, [
    'TidemarkWorkersStalled',
  ]),
  when(
    'there is nothing to do',
    {
      [`tidemark_worker_progress_timestamp_seconds{${WORKER}}`]: '0+60x40 2400+0x80',
      [`tidemark_queue_depth{${WORKER}}`]: '0+0x120',
    },
    [],
  ),
  when('the loop is blocked', { [`nodejs_eventloop_lag_p99_seconds{${API}}`]: '0.4+0x120' }, [
    'TidemarkEventLoopBlocked',
  ]),
  when('memory grows', { [`process_resident_memory_bytes{${API}}`]: '950000000+0x120' }, ['TidemarkMemoryHigh']),
  when('connections pile up', { [`process_open_fds{${API}}`]: '60000+0x120' }, ['TidemarkFileDescriptors']),
  when('live clients are slow', { [`tidemark_live_dropped_total{${API}}`]: '0+60000x120' }, ['TidemarkLiveLagging']),
];

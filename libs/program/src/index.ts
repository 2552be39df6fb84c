export { answerWithin } from './answer-within.js';
export { type Clock, systemClock } from './clock.js';
export { closeAll, type Closer, openOrClose } from './close-all.js';
export { type CommandLine, type ProgramWords, readCommandLine } from './command-line.js';
export { createDeliveryReport, type DeliveryCounter } from './delivery-report.js';
export { type EpisodeWords, FaultEpisode } from './fault-episode.js';
export { Figures } from './figures.js';
export { createLog } from './log.js';
export { type LinkOptions, type LinkSurroundings, openLink } from './open-link.js';
export { openPostgres, type PostgresSurroundings } from './open-postgres.js';
export { API_NAMES, WORKER_NAMES } from './program-names.js';
export {
  duration,
  durationFrom,
  host,
  httpUrl,
  integer,
  list,
  optional,
  origin,
  secret,
  size,
  urlOf,
  word,
} from './readers.js';
export { type Environment, readSettings, type Setting, setting, type SettingValues, unknownNames } from './setting.js';
export { LOG_LEVELS, type LogLevel, SHARED_SETTINGS } from './shared-settings.js';
export { stopOnSignal } from './stop-on-signal.js';
export { versionOf } from './version.js';

export { type Clock, systemClock } from './clock.js';
export { createDeliveryReport, type DeliveryCounter } from './delivery-report.js';
export { type EpisodeWords, FaultEpisode } from './fault-episode.js';
export { createLog } from './log.js';
export { duration, host, httpUrl, integer, list, optional, origin, secret, size, urlOf, word } from './readers.js';
export { type Environment, readSettings, type Setting, setting, type SettingValues, unknownNames } from './setting.js';
export { LOG_LEVELS, type LogLevel, SHARED_SETTINGS } from './shared-settings.js';
export { stopOnSignal } from './stop-on-signal.js';
export { versionOf } from './version.js';

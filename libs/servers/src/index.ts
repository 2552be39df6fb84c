export { freePort } from './free-port.js';
export { startInfluxDb } from './influxdb.js';
export { LocalServer, type Place, type ServerKind, type ServerOptions } from './local-server.js';
export { type NginxOptions, startNginx } from './nginx.js';
export { createDatabase, startPostgres } from './postgres.js';
export { type Exit, Process, type ProcessOptions } from './process.js';
export { canRun, missing, postgresProgram, type Program, programFile, requireProgram } from './programs.js';
export { type RedisOptions, startRedis } from './redis.js';

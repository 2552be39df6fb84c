export { freePort } from './free-port.js';
export { startInfluxDb } from './influxdb.js';
export { type InfluxDbUnderTest, influxDbUnderTest } from './influxdb-under-test.js';
export { INFLUXDB2_ORG, INFLUXDB2_TOKEN, startInfluxDb2 } from './influxdb2.js';
export { LocalServer, type Place, type ServerKind, type ServerOptions } from './local-server.js';
export { createDatabase, startPostgres } from './postgres.js';
export { type Exit, Process, type ProcessOptions } from './process.js';
export { canRun, missing, postgresProgram, type Program, programFile, requireProgram } from './programs.js';
export { type RedisOptions, startRedis } from './redis.js';

/**
 * REDIS_CLOCK is Lua that answers the time of the Redis server in microseconds. One clock for all processes, because
 * theirs differ; a test gives its own.
 */
export const REDIS_CLOCK = `(function()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end)()`;

/**
 * A window is a sorted set of ids by the microsecond at which each was let through. Entries from the future, left by a
 * clock that was set back, are taken as of now: they hold their place for one window and not until the clock is there.
 */
const WINDOW = `
local function live(key, window, now)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, string.format('(%.0f', now), '+inf')) do
    redis.call('ZADD', key, string.format('%.0f', now), id)
  end
end
local function keep(key, window, at, id)
  redis.call('ZADD', key, string.format('%.0f', at), id)
  redis.call('PEXPIRE', key, math.ceil(window / 1000))
end
`;

/**
 * takeScript takes a place under every limit or under none. KEYS are the windows; ARGV is the id, then for each window
 * its max and its length in microseconds. Answers [0] when allowed, else [the number of the fullest limit from 1 on,
 * the microseconds to wait].
 */
export function takeScript(clock: string): string {
  return `local now = ${clock}
local id = ARGV[1]
${WINDOW}
local refusedBy, wait = 0, 0
for i, key in ipairs(KEYS) do
  local max, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  live(key, window, now)
  local own = redis.call('ZRANK', key, id)
  local others = redis.call('ZCARD', key) - (own and 1 or 0)
  if others >= max then
    local rank = others - max
    if own and own <= rank then rank = rank + 1 end
    local at = tonumber(redis.call('ZRANGE', key, rank, rank, 'WITHSCORES')[2])
    if at + window - now > wait then refusedBy, wait = i, at + window - now end
  end
end
if refusedBy > 0 then return { refusedBy, string.format('%.0f', wait) } end
for i, key in ipairs(KEYS) do keep(key, tonumber(ARGV[2 * i + 1]), now, id) end
return { 0 }`;
}

/**
 * rememberScript puts places into one window that were taken while Redis was away, be it full or not. ARGV is the length
 * of the window in microseconds, then for each place its id and how many microseconds ago it was taken.
 */
export function rememberScript(clock: string): string {
  return `local now = ${clock}
local window = tonumber(ARGV[1])
${WINDOW}
live(KEYS[1], window, now)
for i = 2, #ARGV, 2 do
  local at = now - tonumber(ARGV[i + 1])
  local known = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if at > now - window and (not known or tonumber(known) < at) then keep(KEYS[1], window, at, ARGV[i]) end
end
return 0`;
}

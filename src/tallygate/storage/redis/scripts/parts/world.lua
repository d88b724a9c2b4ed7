-- Is this still the world that the caller resolved in, at a time that it believes? What decides from here on is `now`.
local SKEW = 30000000
local kind, expected, catalogue, record, offset, window, backlog = cmsgpack.unpack(ARGV[3])
local t = redis.call('TIME')
local raw = t[1] * 1000000 + t[2]
if math.abs(raw - ARGV[2]) > SKEW then return {ARGV[1], 'CLOCK_SKEW', raw, ''} end
local world = redis.call('MGET', KEYS[KEY_EPOCH], KEYS[KEY_CLOCK], KEYS[KEY_CATALOGUE])
local seen = (world[2] or 0) + 0
-- Further ahead than clocks may differ: kept by a time that nobody shares any more, so it is not kept any longer.
if seen - raw > SKEW then seen = 0 end
local behind = raw < seen
if behind then raw = seen end
local mark = raw - math.fmod(raw, GRAIN)
-- A test's clock that stands comes as text: the instant that it stands at.
if type(offset) == 'string' then offset = offset - raw end
local now = raw + offset
-- When Redis may forget the state of a rate limit, in milliseconds of its own time (`rate_limit.kept_for`).
local kept_until = function(full, keep)
  return math.ceil((raw + math.max(full, keep, offset ~= 0 and 86400000000 or 60000000)) / 1000)
end
local epoch = world[1] or ''
if epoch ~= expected then return {ARGV[1], 'EPOCH_MISMATCH', now, epoch} end
if (world[3] or '0') ~= catalogue then return {ARGV[1], 'STALE_VIEW', now, ''} end
if record ~= '' and (redis.call('HGET', KEYS[KEY_RECORD], 'v') or '0') ~= record then return {ARGV[1], 'STALE_VIEW', now, ''} end

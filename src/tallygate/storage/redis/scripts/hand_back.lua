-- Give back what an effect took of limits that the tenant owns: they are at home elsewhere than the account, they were
-- taken first, and what was to be taken there was denied. Its record for replays is forgotten with it, so a second time
-- nothing is given back. What was full again, or is counted by a later window, stays as it is.
--
-- KEYS  1 prefix of the records for replays, which no key has by itself: a slot that is on its way to another node has
--       never all keys, so nothing is done there  2.. each limit's state
-- ARGV  1 caller's own time (us)  2 replay window (us)  then of each limit: algorithm (t|f|s), cost, the instant at which
--       it was taken (us), bucket and digest of its record, "" where it has none
-- Reply how many were given back
local SKEW = 30000000
local time, window, given = tonumber(ARGV[1]), tonumber(ARGV[2]), 0

local forgotten = function(bucket, digest)
  if digest == '' then return true end
  for generation = math.floor((time + SKEW) / window), math.floor((time - SKEW) / window) - 1, -1 do
    if redis.call('HDEL', KEYS[1] .. string.format('%.0f', generation) .. ':' .. bucket, digest) == 1 then return true end
  end
  return false
end

local back = {}

back.t = function(key, cost)
  local kept = redis.call('GET', key)
  if not kept then return end
  local debt, last, token, tick, drain = cmsgpack.unpack(kept)
  redis.call('SET', key, cmsgpack.pack(math.max(0, debt - cost * token), last, token, tick, drain), 'KEEPTTL')
end

back.f = function(key, cost, taken)
  local kept = redis.call('GET', key)
  if not kept then return end
  local last, count, width, wide, wide_count = cmsgpack.unpack(kept)
  if not width then return end  -- of the version before
  if last - math.fmod(last, width) <= taken then count = math.max(0, count - cost) end
  if last - math.fmod(last, wide) <= taken then wide_count = math.max(0, wide_count - cost) end
  redis.call('SET', key, cmsgpack.pack(last, count, width, wide, wide_count), 'KEEPTTL')
end

-- Those that joined an entry later have moved it on: it is the oldest one that is not before the take.
back.s = function(key, cost, taken)
  local entries, left = redis.call('LRANGE', key, 0, -1), cost
  for i = 1, #entries do
    local mark, counted = string.match(entries[i], '(%d+) (%d+)')
    if tonumber(mark) >= taken and left > 0 then
      local less = math.min(left, tonumber(counted))
      redis.call('LSET', key, i - 1, less == tonumber(counted) and '' or mark .. ' ' .. string.format('%.0f', counted - less))
      left = left - less
    end
  end
  redis.call('LREM', key, 0, '')
  local sum, rest = string.match(redis.call('GET', key .. ':s') or '', '^(%d+)(.*)$')
  if sum and left < cost then
    redis.call('SET', key .. ':s', string.format('%.0f', math.max(0, sum - (cost - left))) .. rest, 'KEEPTTL')
  end
end

for i = 2, #KEYS do
  local algorithm, cost, taken, bucket, digest = unpack(ARGV, 5 * i - 7, 5 * i - 3)
  if forgotten(bucket, digest) then
    back[algorithm](KEYS[i], tonumber(cost), tonumber(taken))
    given = given + 1
  end
end
return given

-- Publish one value of the view, unless what is there is as new: publishers may overtake each other.
--
-- KEYS  1 what to publish  2 (API keys only) the key table's version, raised when something was published
-- ARGV  1 version  2 document; without one KEYS[1] is a plain number, else a hash {v, d}
-- Reply 1 if published, 0 if what is there is as new
local there
if ARGV[2] then there = redis.call('HGET', KEYS[1], 'v') else there = redis.call('GET', KEYS[1]) end
if there and tonumber(there) >= tonumber(ARGV[1]) then return 0 end
if ARGV[2] then
  redis.call('HSET', KEYS[1], 'v', ARGV[1], 'd', ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[1])
end
if KEYS[2] then
  -- After a loss it starts beyond any version that a process may still remember: at the clock.
  if redis.call('EXISTS', KEYS[2]) == 0 then
    local now = redis.call('TIME')
    redis.call('SET', KEYS[2], string.format('%.0f', tonumber(now[1]) * 1000000 + tonumber(now[2])))
  end
  redis.call('INCR', KEYS[2])
end
return 1

-- Acknowledge a late replay and, only if that acknowledged now, return its units to the pots that paid for them: the
-- exact inverse of what admit.lua counted. A counter that has expired stays away.
--
-- KEYS  1 stream  2 what was returned in the partition  3 meter  4 period counter  5 of a trial: the counter that it has
--       where another period begins with it; all share one hash tag
-- ARGV  1 consumer group  2 entry id  3 channel  4 announcement  5.. pairs: field of the period counter, units to take
--       from it
-- Reply 1 if the units were returned now, 0 if the entry was already gone
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], 'n', '1')
local counter = KEYS[5] and redis.call('EXISTS', KEYS[5]) == 1 and KEYS[5] or KEYS[4]
local counted = redis.call('EXISTS', counter) == 1
for i = 5, #ARGV, 2 do
  local field, units = ARGV[i], '-' .. ARGV[i + 1]
  if string.sub(ARGV[i + 1], 1, 1) == '-' then units = string.sub(ARGV[i + 1], 2) end
  if counted then redis.call('HINCRBY', counter, field, units) end
  if string.sub(field, 1, 2) == 'g:' and redis.call('HEXISTS', KEYS[3], field) == 1 then
    redis.call('HINCRBY', KEYS[3], field, units)
  end
end
-- A hint: that nobody may be told is no reason to have done half of it.
redis.pcall('PUBLISH', ARGV[3], ARGV[4])
return 1

-- What stands in counters at one moment, and how far the partition's stream had gone by then.
--
-- KEYS  1 the partition's epoch  2 in whose hands its mending is  3 its stream  4 what was returned in it  5.. hashes
-- ARGV  1 whose hands it shall be in, or ""  2 for how long (ms)
-- Reply {epoch, last entry id given out, how often units were returned, of each hash {field, value, ...}}; nothing where
--       it is in other hands
if ARGV[1] ~= '' then
  redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2])
  if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
local last = '0-0'
if redis.call('EXISTS', KEYS[3]) == 1 then
  local told = redis.call('XINFO', 'STREAM', KEYS[3])
  for i = 1, #told, 2 do
    if told[i] == 'last-generated-id' then last = told[i + 1] end
  end
end
local reply = {redis.call('GET', KEYS[1]) or '', last, redis.call('HGET', KEYS[4], 'n') or '0'}
for i = 5, #KEYS do reply[i - 1] = redis.call('HGETALL', KEYS[i]) end
return reply

-- Set right what an audit has found, by what was missing or too much when it looked: what was counted since stays.
--
-- KEYS  1 the partition's epoch  2 in whose hands its mending is  3.. hashes to change, all of one hash tag
-- ARGV  1 epoch that was seen  2 whose hands  then of each hash: when it expires if it is new (ms; 0 never), how many
--       changes, and of each {field, units to add, ""} or {field, value to set, "" for none, what stood there, "" for
--       nothing, behind a =}; of a hash all are set that are to be set, or where one does not stand as it did, none
-- Reply 1, or 0 where the counters may be others by now, or another's to mend
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
local place = 3
for i = 3, #KEYS do
  local expiry, changes = ARGV[place], tonumber(ARGV[place + 1])
  local new = redis.call('EXISTS', KEYS[i]) == 0
  place = place + 2
  local stands = true
  for j = place, place + 3 * changes - 1, 3 do
    local stood = ARGV[j + 2]
    stands = stands and (stood == '' or '=' .. (redis.call('HGET', KEYS[i], ARGV[j]) or '') == stood)
  end
  for _ = 1, changes do
    local field, value, stood = ARGV[place], ARGV[place + 1], ARGV[place + 2]
    if stood == '' then
      redis.call('HINCRBY', KEYS[i], field, value)
    elseif stands and value == '' then
      redis.call('HDEL', KEYS[i], field)
    elseif stands then
      redis.call('HSET', KEYS[i], field, value)
    end
    place = place + 3
  end
  if new and expiry ~= '0' then redis.call('PEXPIREAT', KEYS[i], expiry) end
end
return 1

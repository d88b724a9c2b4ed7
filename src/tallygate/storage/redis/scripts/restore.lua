-- Write what a rebuild has found, or let its partition count again; nothing unless it is still in the writer's hands and
-- counts nothing: a writer that was asleep must not replace counters that others count on by now.
--
-- KEYS  1 the partition's epoch  2 in whose hands it is  3.. hashes to write, all of one hash tag
-- ARGV  1 epoch that must be shown  2 whose hands  3 for how long they keep it (ms)  4 epoch to show now, or ""
--       then of each hash: 1 to replace it, when it expires (ms; 0 never), how many pairs, pairs of field and value
-- Reply 1, or 0 where it was too late
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
local place = 5
for i = 3, #KEYS do
  local expiry, fields = ARGV[place + 1], 2 * ARGV[place + 2]
  if ARGV[place] == '1' then redis.call('DEL', KEYS[i]) end
  if fields > 0 then
    redis.call('HSET', KEYS[i], unpack(ARGV, place + 3, place + 2 + fields))
    if expiry ~= '0' then redis.call('PEXPIREAT', KEYS[i], expiry) end
  end
  place = place + 3 + fields
end
if ARGV[4] ~= '' then redis.call('SET', KEYS[1], ARGV[4]) end
return 1

-- Forget consumers that hold nothing: the one named, and those not seen for a while. One that still holds entries
-- stays, until others have claimed them: with its consumer an entry would be forgotten too.
--
-- KEYS  1 stream
-- ARGV  1 consumer group  2 consumer to forget, or ""  3 idle milliseconds after which others are forgotten
-- Reply how many were forgotten
local count = 0
for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #info, 2 do consumer[info[i]] = info[i + 1] end
  if consumer.pending == 0 and (consumer.name == ARGV[2] or consumer.idle >= tonumber(ARGV[3])) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    count = count + 1
  end
end
return count

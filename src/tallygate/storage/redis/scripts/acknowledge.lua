-- Take collected entries out of a stream.
--
-- KEYS  1 stream
-- ARGV  1 consumer group  2.. entry ids
-- Reply how many were still pending
local count = redis.call('XACK', KEYS[1], unpack(ARGV))
redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
return count

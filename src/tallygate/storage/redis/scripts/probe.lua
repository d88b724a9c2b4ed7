-- Try what the hot path does to Redis, on keys of the probe's own that nobody reads and that are gone a second later.
-- Says what this server, or this user, refuses; what is tried is what scripts/parts/*.lua call.
--
-- KEYS  1 string  2 hash  3 list  4 stream
-- Reply {command, error, command, error, ...} of what was refused
local refused = {}
local try = function(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) == 'table' and reply.err then
    refused[#refused + 1] = command
    refused[#refused + 1] = reply.err
  end
end
try('SET', KEYS[1], '0', 'PX', '1000')
try('GET', KEYS[1])
try('MGET', KEYS[1])
try('EXISTS', KEYS[1])
try('TIME')
try('HSET', KEYS[2], 'a', '0')
try('HSETNX', KEYS[2], 'a', '0')
try('HGET', KEYS[2], 'a')
try('HMGET', KEYS[2], 'a')
try('HGETALL', KEYS[2])
try('HEXISTS', KEYS[2], 'a')
try('HLEN', KEYS[2])
try('HINCRBY', KEYS[2], 'a', '1')
try('HDEL', KEYS[2], 'b')
try('PEXPIRE', KEYS[2], '1000')
try('RPUSH', KEYS[3], '0')
try('LSET', KEYS[3], '0', '1')
try('LINDEX', KEYS[3], '0')
try('LRANGE', KEYS[3], '0', '-1')
try('PEXPIREAT', KEYS[3], '1')
try('RPUSH', KEYS[3], '0')
try('LTRIM', KEYS[3], '1', '-1')
try('XADD', KEYS[4], '*', 'a', '0')
try('XLEN', KEYS[4])
try('PEXPIRE', KEYS[4], '1000')
return refused

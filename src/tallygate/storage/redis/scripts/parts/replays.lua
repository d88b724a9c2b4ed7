-- Was this effect admitted before? Two generations of one window remember it.
local kept_in = {}
local recall = function(gate, number)
  local digest = gate[ASKED_DIGEST]
  if digest == '' then return nil end
  local key = records .. newer .. gate[ASKED_BUCKET]
  kept_in[number] = key
  local found = redis.call('HGET', key, digest) or redis.call('HGET', records .. older .. gate[ASKED_BUCKET], digest)
  if not found then return nil end
  return string.sub(found, 1, 8), string.sub(found, 9)
end

local remember = function(gate, number, answered)
  local key = kept_in[number]
  redis.call('HSET', key, gate[ASKED_DIGEST], gate[ASKED_HASH] .. answered)
  if redis.call('HLEN', key) == 1 then redis.call('PEXPIRE', key, math.ceil(window / 500)) end
end

-- Was this effect admitted before? Two generations of one window remember it.
local recall = function(gate)
  local digest = gate[ASKED_DIGEST]
  if digest == '' then return nil end
  local found = redis.call('HGET', current .. gate[ASKED_BUCKET], digest)
    or redis.call('HGET', previous .. gate[ASKED_BUCKET], digest)
  if not found then return nil end
  return string.sub(found, 1, 8), string.sub(found, 9)
end

local remember = function(gate, answered)
  local key = current .. gate[ASKED_BUCKET]
  redis.call('HSET', key, gate[ASKED_DIGEST], gate[ASKED_HASH] .. answered)
  if redis.call('HLEN', key) == 1 then redis.call('PEXPIRE', key, fmt(math.ceil(window / 500))) end
end

-- Was this effect admitted before? Two generations of one window remember it.
local recall = function(gate)
  local digest = gate[GATE_DIGEST]
  if digest == '' then return nil end
  local found = redis.call('HGET', current .. gate[GATE_BUCKET], digest)
    or redis.call('HGET', previous .. gate[GATE_BUCKET], digest)
  if not found then return nil end
  return string.sub(found, 1, 8), string.sub(found, 9)
end

local remember = function(gate, answered)
  local key = current .. gate[GATE_BUCKET]
  redis.call('HSET', key, gate[GATE_DIGEST], gate[GATE_HASH] .. answered)
  if redis.call('HLEN', key) == 1 then redis.call('PEXPIRE', key, fmt(math.ceil(window / 500))) end
end

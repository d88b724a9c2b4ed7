-- Was this effect admitted before? Two generations of one window remember it; a reset is remembered beside its meter, too:
-- once more it would open another allowance, and how late that is asked does not matter.
local RESETS = 'x:'
local kept_in = {}
local recall = function(gate, number, resets)
  local digest = gate[ASKED_DIGEST]
  if digest == '' then return nil end
  local key = records .. newer .. gate[ASKED_BUCKET]
  kept_in[number] = key
  local found = redis.call('HGET', key, digest) or redis.call('HGET', records .. older .. gate[ASKED_BUCKET], digest)
    or resets and redis.call('HGET', resets, RESETS .. digest)
  if not found then return nil end
  return string.sub(found, 1, 8), string.sub(found, 9)
end

local remember = function(gate, number, answered)
  local key = kept_in[number]
  redis.call('HSET', key, gate[ASKED_DIGEST], gate[ASKED_HASH] .. answered)
  if redis.call('HLEN', key) == 1 then redis.call('PEXPIRE', key, math.ceil(window / 500)) end
end

local remember_reset = function(meter, gate, answered)
  redis.call('HSET', meter, RESETS .. gate[ASKED_DIGEST], gate[ASKED_HASH] .. answered)
end

-- Those of periods that had ended by then; the eighth figure is when a period ends.
local forget_resets = function(meter, ended)
  local fields = redis.call('HGETALL', meter)
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, #RESETS) == RESETS then
      local answered = cmsgpack.unpack(string.sub(fields[i + 1], 9))
      if answered[8] <= ended then redis.call('HDEL', meter, fields[i]) end
    end
  end
end

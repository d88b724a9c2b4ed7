-- A quota gate, by its family.
local look = function(place)
  local why = barred(place)
  if why then return denied(place, why) end
  local free = place.family == 'e' or place.segment[SEGMENT_LIMIT] < 0
  return {no = answer(place, 1, free and 'UNLIMITED' or 'WITHIN_LIMIT', 0, {})}
end

local quota = function(gate, key)
  local quantity, family = gate[QUOTA_QUANTITY], gate[QUOTA_FAMILY]
  local place, status =
    locate(gate, QUOTA_SEGMENTS, key, family, gate[QUOTA_GRANTS], gate[QUOTA_OCCURRED], quantity == false)
  if not place then return nil, status end
  if quantity == false then return look(place) end
  if family == 'd' then return delta(gate, place, quantity) end
  if family == 'e' then return measure(gate, place, quantity) end
  return observe(gate, place, quantity)
end

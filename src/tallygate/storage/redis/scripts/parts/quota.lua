-- A quota gate, by its family.
local look = function(place)
  local why = barred(place)
  if why then return denied(place, why) end
  local free = place.family == 'e' or place.slot[SLOT_LIMIT] < 0
  return {no = answer(place, 1, free and 'UNLIMITED' or 'WITHIN_LIMIT', 0, {})}
end

local quota = function(gate, key)
  local place, status = locate(key, gate[QUOTA_SLOTS], gate[QUOTA_GRANTS], gate[QUOTA_FAMILY], gate[QUOTA_OCCURRED], gate[QUOTA_QUANTITY] == false)
  if not place then return nil, status end
  place.moved = {}
  if gate[QUOTA_QUANTITY] == false then return look(place) end
  if place.family == 'd' then return delta(gate, place, gate[QUOTA_QUANTITY]) end
  if place.family == 'e' then return measure(gate, place, gate[QUOTA_QUANTITY]) end
  return observe(gate, place, gate[QUOTA_QUANTITY])
end

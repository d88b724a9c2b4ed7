-- A quota gate, by its family.
local look = function(place)
  local why = barred(place)
  if why then return denied(place, why) end
  local free = place.family == 'e' or place.segment[SEGMENT_LIMIT] < 0
  return shown_only(place, answer(place, 1, free and 'UNLIMITED' or 'WITHIN_LIMIT', 0, NO_POTS))
end

local quota = function(gate, terms, key, number)
  local quantity, family = gate[ASKED_QUANTITY], terms[QUOTA_FAMILY]
  local place, status = locate(terms, key, number, terms[QUOTA_GRANTS], gate[ASKED_OCCURRED], quantity == false)
  if not place then return nil, status end
  if quantity == false then return look(place) end
  if family == 'd' then return delta(gate, place, quantity) end
  if family == 'e' then return measure(place, quantity) end
  return observe(gate, place, quantity)
end

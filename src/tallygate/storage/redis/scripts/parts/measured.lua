-- What is measured from events, and carries no limit.
local measure = function(place, quantity)
  local why = barred(place)
  if why then return denied(place, why) end
  local pots = {}
  if quantity > 0 then pots[1] = {'I', quantity, ''} end
  return settled(place, shows and answer(place, 1, '', 0, {}) or nil, 'UNLIMITED', quantity, pots)
end

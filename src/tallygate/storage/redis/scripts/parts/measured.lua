-- What is measured from events, and carries no limit.
local measure = function(place, quantity)
  local why = barred(place)
  if why then return denied(place, why) end
  return settled(place, shows and answer(place, 1, '', 0, NO_POTS) or nil, 'UNLIMITED', quantity, included_pots(quantity))
end

-- What is measured from events, and carries no limit.
local measure = function(meter, quantity)
  local why = barred(meter)
  if why then return denied(meter, why) end
  return settled(meter, shows and answer(meter, 1, '', 0, NO_POTS) or nil, 'UNLIMITED', quantity, included_pots(quantity))
end

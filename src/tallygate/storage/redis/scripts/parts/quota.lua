-- A quota gate, by its family.
local look = function(meter)
  local why = barred(meter)
  if why then return denied(meter, why) end
  local free = meter.family == 'e' or meter.segment[SEGMENT_LIMIT] < 0
  return shown_only(meter, answer(meter, 1, free and 'UNLIMITED' or 'WITHIN_LIMIT', 0, NO_POTS))
end

local quota = function(gate, rule, key, number)
  local quantity, family = gate[ASKED_QUANTITY], rule[QUOTA_FAMILY]
  local meter, status = locate(rule, key, number, rule[QUOTA_GRANTS], gate[ASKED_OCCURRED], quantity == false)
  if not meter then return nil, status end
  if quantity == false then return look(meter) end
  if family == 'd' then return delta(gate, meter, quantity) end
  if family == 'e' then return measure(meter, quantity) end
  return observe(gate, meter, quantity)
end

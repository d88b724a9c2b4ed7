-- Sums and counts: deltas that burn pots, and refunds that fill them again.
local move = function(meter, id, units)
  meter.burnt[id], meter.paid[id] = meter.burnt[id] + units, meter.paid[id] + units
  meter.moved[#meter.moved + 1] = id
end

-- Burns what is not included: the pots that paid for all of it, and what no grant paid.
local burn_others = function(meter, included, rest)
  local pots = {}
  if included > 0 then pots[1] = {'I', included, ''} end
  for _, grant in ipairs(meter.active) do
    local units = math.min(rest, math.max(0, grant[GRANT_AMOUNT] - meter.burnt[grant[GRANT_ID]]))
    if units > 0 then
      move(meter, grant[GRANT_ID], units)
      pots[#pots + 1] = {'G', units, grant[GRANT_ID]}
      rest = rest - units
    end
  end
  if rest > 0 then pots[#pots + 1] = {'O', rest, ''} end
  return pots, rest
end

local burn = function(meter, quantity)
  local before = shows and answer(meter, 1, '', 0, NO_POTS) or nil
  local limit = meter.segment[SEGMENT_LIMIT]
  local included = quantity
  if limit >= 0 then included = math.min(quantity, math.max(0, limit - meter.included)) end
  local pots, rest = nil, quantity - included
  if rest == 0 then pots = included_pots(included) else pots, rest = burn_others(meter, included, rest) end
  meter.used, meter.included, meter.overage = meter.used + quantity, meter.included + included, meter.overage + rest
  local reason = limit < 0 and 'UNLIMITED' or rest > 0 and 'OVERAGE' or 'WITHIN_LIMIT'
  return settled(meter, before, reason, quantity, pots)
end

-- Returns units to the pots that paid in this period, the last of the burn order first.
local refund = function(gate, meter, amount)
  local before = shows and answer(meter, 1, '', 0, NO_POTS) or nil
  local cap = meter.overage + meter.included
  for _, grant in ipairs(meter.grants) do cap = cap + math.max(0, meter.paid[grant[GRANT_ID]]) end
  if amount > cap then
    if gate[ASKED_MODE] ~= 'B' or cap == 0 then return denied(meter, 'REFUND_EXCEEDS_USAGE') end
    amount = cap
  end
  local overage = math.min(amount, meter.overage)
  local pots, rest = {}, amount - overage
  if overage > 0 then pots[1] = {'O', -overage, ''} end
  for i = #meter.grants, 1, -1 do
    local id = meter.grants[i][GRANT_ID]
    local units = math.min(rest, math.max(0, meter.paid[id]))
    if units > 0 then
      move(meter, id, -units)
      pots[#pots + 1] = {'G', -units, id}
      rest = rest - units
    end
  end
  if rest > 0 then pots[#pots + 1] = {'I', -rest, ''} end
  meter.used, meter.included, meter.overage = meter.used - amount, meter.included - rest, meter.overage - overage
  return settled(meter, before, meter.segment[SEGMENT_LIMIT] < 0 and 'UNLIMITED' or 'WITHIN_LIMIT', -amount, pots)
end

local delta = function(gate, meter, quantity)
  if quantity < 0 then return refund(gate, meter, -quantity) end
  local why = barred(meter)
  if why then return denied(meter, why) end
  local most = capacity(meter, gate[ASKED_MODE])
  if most >= 0 and quantity > most then
    if gate[ASKED_MODE] ~= 'B' or most == 0 then return denied(meter, 'QUOTA_EXHAUSTED') end
    quantity = most
  end
  if meter.used + quantity > END then return nil, 'COUNTER_OVERFLOW' end
  return burn(meter, quantity)
end

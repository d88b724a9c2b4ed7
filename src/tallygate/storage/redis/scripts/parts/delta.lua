-- Sums and counts: deltas that burn pots, and refunds that fill them again.
local move = function(place, id, units)
  place.burnt[id], place.paid[id] = place.burnt[id] + units, place.paid[id] + units
  place.moved[#place.moved + 1] = id
end

-- Burns what is not included: the pots that paid for all of it, and what no grant paid.
local burn_others = function(place, included, rest)
  local pots = {}
  if included > 0 then pots[1] = {'I', included, ''} end
  for _, grant in ipairs(place.active) do
    local units = math.min(rest, math.max(0, grant[GRANT_AMOUNT] - place.burnt[grant[GRANT_ID]]))
    if units > 0 then
      move(place, grant[GRANT_ID], units)
      pots[#pots + 1] = {'G', units, grant[GRANT_ID]}
      rest = rest - units
    end
  end
  if rest > 0 then pots[#pots + 1] = {'O', rest, ''} end
  return pots, rest
end

local burn = function(place, quantity)
  local before = shows and answer(place, 1, '', 0, NO_POTS) or nil
  local limit = place.segment[SEGMENT_LIMIT]
  local included = quantity
  if limit >= 0 then included = math.min(quantity, math.max(0, limit - place.included)) end
  local pots, rest = nil, quantity - included
  if rest == 0 then pots = included_pots(included) else pots, rest = burn_others(place, included, rest) end
  place.used, place.included, place.overage = place.used + quantity, place.included + included, place.overage + rest
  local reason = limit < 0 and 'UNLIMITED' or rest > 0 and 'OVERAGE' or 'WITHIN_LIMIT'
  return settled(place, before, reason, quantity, pots)
end

-- Returns units to the pots that paid in this period, the last of the burn order first.
local refund = function(gate, place, amount)
  local before = shows and answer(place, 1, '', 0, NO_POTS) or nil
  local cap = place.overage + place.included
  for _, grant in ipairs(place.grants) do cap = cap + math.max(0, place.paid[grant[GRANT_ID]]) end
  if amount > cap then
    if gate[ASKED_MODE] ~= 'B' or cap == 0 then return denied(place, 'REFUND_EXCEEDS_USAGE') end
    amount = cap
  end
  local overage = math.min(amount, place.overage)
  local pots, rest = {}, amount - overage
  if overage > 0 then pots[1] = {'O', -overage, ''} end
  for i = #place.grants, 1, -1 do
    local id = place.grants[i][GRANT_ID]
    local units = math.min(rest, math.max(0, place.paid[id]))
    if units > 0 then
      move(place, id, -units)
      pots[#pots + 1] = {'G', -units, id}
      rest = rest - units
    end
  end
  if rest > 0 then pots[#pots + 1] = {'I', -rest, ''} end
  place.used, place.included, place.overage = place.used - amount, place.included - rest, place.overage - overage
  return settled(place, before, place.segment[SEGMENT_LIMIT] < 0 and 'UNLIMITED' or 'WITHIN_LIMIT', -amount, pots)
end

local delta = function(gate, place, quantity)
  if quantity < 0 then return refund(gate, place, -quantity) end
  local why = barred(place)
  if why then return denied(place, why) end
  local most = capacity(place, gate[ASKED_MODE])
  if most >= 0 and quantity > most then
    if gate[ASKED_MODE] ~= 'B' or most == 0 then return denied(place, 'QUOTA_EXHAUSTED') end
    quantity = most
  end
  if place.used + quantity > END then return nil, 'COUNTER_OVERFLOW' end
  return burn(place, quantity)
end

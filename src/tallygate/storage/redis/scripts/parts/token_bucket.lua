-- GCRA: units owed at an instant flow back at the limit's rate.
-- A debt counted in tokens of `was` units, in tokens of `token` units, rounded down, where debt * token is inexact.
local rescale = function(debt, was, token)
  local whole = div(debt, was)
  local rest, bits, quotient, over = debt - whole * was, {}, 0, 0
  if whole * token >= END then return END end
  while token > 0 do
    bits[#bits + 1] = math.fmod(token, 2)
    token = div(token, 2)
  end
  local factor = 0
  for i = #bits, 1, -1 do
    factor, quotient, over = factor * 2 + bits[i], quotient * 2, over * 2 + bits[i] * rest
    while over >= was do quotient, over = quotient + 1, over - was end
  end
  return math.min(END, whole * factor + quotient)
end

local drained = function(debt, tick, drain, start, stop)
  return math.max(0, debt - (div(stop, tick) - div(start, tick)) * drain)
end

-- Rate limits: {allowed, limit, remaining, reset_after, retry_after|-1}
local token_bucket = function(cost, terms, key)
  local tick, token, drain, size = terms[RATE_TICK], terms[RATE_TOKEN], terms[RATE_DRAIN], terms[RATE_SIZE]
  local debt, time = 0, now
  local kept = redis.call('GET', key)
  local owed, last, was, old_tick, old_drain
  if kept then owed, last, was, old_tick, old_drain = cmsgpack.unpack(kept) end
  if kept and last <= now + SKEW then
    -- What is owed flows back at the rate that it was counted at until today's figures began.
    local changed = math.max(last, math.min(terms[RATE_SINCE], now))
    time = math.max(last, now)
    debt = drained(owed, old_tick or tick, old_drain or drain, last, changed)
    if was ~= token then debt = rescale(debt, was, token) end
    debt = drained(math.min(debt, size), tick, drain, changed, time)
  end
  local price = cost * token
  local allowed = debt + price <= size
  local retry = -1
  if allowed then
    retry = 0
  elseif price <= size and drain > 0 then
    retry = ceil_div(debt + price - size, drain) * tick
  end
  local show = function(owed)
    local full = drain > 0 and ceil_div(owed, drain) * tick or 0
    return {allowed and 1 or 0, terms[RATE_BURST], div(size - owed, token), full, retry}, full
  end
  local before = show(debt)
  if not allowed or cost == 0 then return {no = before} end
  local after, full = show(debt + price)
  return {yes = after, no = before, commit = function()
    local value = cmsgpack.pack(debt + price, time - math.fmod(time, tick), token, tick, drain)
    redis.call('SET', key, value, 'PXAT', kept_until(full, terms[RATE_KEEP]))
  end}
end

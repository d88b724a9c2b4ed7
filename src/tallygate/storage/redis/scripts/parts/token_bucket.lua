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

local shown_bucket = function(allowed, rule, owed, retry)
  local drain, full = rule[RATE_DRAIN], 0
  if drain > 0 then full = ceil_div(owed, drain) * rule[RATE_TICK] end
  return {allowed and 1 or 0, rule[RATE_BURST], div(rule[RATE_SIZE] - owed, rule[RATE_TOKEN]), full, retry}
end

local commit_bucket = function(gate, rule, outcome)
  local tick, time = rule[RATE_TICK], outcome.time
  local rates = packed(rule[RATE_TOKEN]) .. packed(tick) .. packed(rule[RATE_DRAIN])
  local value = cmsgpack.pack(outcome.debt, time - math.fmod(time, tick)) .. rates
  redis.call('SET', outcome.key, value, 'PXAT', kept_until(outcome.yes[4], rule[RATE_KEEP]))
end

-- What is owed of what was kept: it flows back at the rate that it was counted at until today's figures began.
local owed_now = function(rule, kept)
  local tick, token, drain = rule[RATE_TICK], rule[RATE_TOKEN], rule[RATE_DRAIN]
  local owed, last, was, old_tick, old_drain = cmsgpack.unpack(kept)
  if last > now + SKEW then return 0, now end
  local changed = math.max(last, math.min(rule[RATE_SINCE], now))
  local time = math.max(last, now)
  local debt = drained(owed, old_tick or tick, old_drain or drain, last, changed)
  if was ~= token then debt = rescale(debt, was, token) end
  return drained(math.min(debt, rule[RATE_SIZE]), tick, drain, changed, time), time
end

-- Rate limits: {allowed, limit, remaining, reset_after, retry_after|-1}
local token_bucket = function(cost, rule, key)
  local size, drain = rule[RATE_SIZE], rule[RATE_DRAIN]
  local debt, time = 0, now
  local kept = redis.call('GET', key)
  if kept then debt, time = owed_now(rule, kept) end
  local price = cost * rule[RATE_TOKEN]
  local allowed = debt + price <= size
  local retry = -1
  if allowed then
    retry = 0
  elseif price <= size and drain > 0 then
    retry = ceil_div(debt + price - size, drain) * rule[RATE_TICK]
  end
  if not allowed or cost == 0 then return {no = shown_bucket(allowed, rule, debt, retry)} end
  local yes = shown_bucket(true, rule, debt + price, retry)
  local no = shows and shown_bucket(true, rule, debt, retry) or yes
  return {yes = yes, no = no, key = key, debt = debt + price, time = time, commit = commit_bucket}
end

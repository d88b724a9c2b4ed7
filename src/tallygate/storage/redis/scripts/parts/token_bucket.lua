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

-- Rate limits: {allowed, limit, remaining, reset_after, retry_after|-1}
local token_bucket = function(gate, key)
  local cost, tick, token, drain, size = gate[RATE_COST], gate[RATE_TICK], gate[RATE_TOKEN], gate[RATE_DRAIN], gate[RATE_SIZE]
  local debt, time, was = 0, 0, 0
  local kept = redis.call('GET', key)
  if kept then debt, time, was = cmsgpack.unpack(kept) end
  local ticks = div(now, tick)
  local last = was == 0 and ticks or div(time, tick)
  ticks = math.max(last, ticks)
  if was ~= 0 and was ~= token then debt = rescale(debt, was, token) end
  local drained = (ticks - last) * drain
  if drained >= debt then debt = 0 else debt = debt - drained end
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
    return {allowed and 1 or 0, gate[RATE_BURST], math.max(0, div(math.max(0, size - owed), token)), full, retry}, full
  end
  local before = show(debt)
  if not allowed then return {no = before} end
  local after, full = show(debt + price)
  return {yes = after, no = before, commit = function()
    local value = cmsgpack.pack(debt + price, ticks * tick, token)
    redis.call('SET', key, value, 'PX', fmt(math.ceil(full / 1000) + 1000))
  end}
end

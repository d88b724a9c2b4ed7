-- Plain: rate limits without an identity.
if kind == 'r' then
  local gates = cmsgpack.unpack(ARGV[4])
  local reply, values, all = {ARGV[1], 'TAKEN', now}, {}, true
  for i, gate in ipairs(gates) do
    local kept = redis.call('GET', KEYS[6 + i])
    local cost, allowed, remaining, reset, retry = gate[PLAIN_COST], true, 0, 0, 0
    if gate[PLAIN_ALGORITHM] == 't' then
      local tick, token, drain, size = gate[PLAIN_TICK], gate[PLAIN_TOKEN], gate[PLAIN_DRAIN], gate[PLAIN_SIZE]
      local debt, ticks, price = 0, (now - math.fmod(now, tick)) / tick, cost * token
      if kept then
        local owed, last, was, old_tick, old_drain = cmsgpack.unpack(kept)
        local same = was == token and old_tick == tick and old_drain == drain and owed <= size
        if not same or last > now + SKEW then return {ARGV[1], 'NOT_PLAIN', now, ''} end
        last = last / tick
        if last > ticks then ticks = last end
        debt = math.max(0, owed - (ticks - last) * drain)
      end
      allowed = debt + price <= size
      if allowed then
        debt = debt + price
        values[i] = cmsgpack.pack(debt, ticks * tick, token, tick, drain)
      elseif price <= size and drain > 0 then
        retry = math.ceil((debt + price - size) / drain) * tick
      else
        retry = -1
      end
      local rest = size - debt
      remaining = (rest - math.fmod(rest, token)) / token
      if drain > 0 then reset = math.ceil(debt / drain) * tick end
    else
      local limit, width = gate[PLAIN_LIMIT], gate[PLAIN_WINDOW]
      local time, last, count = now, 0, 0
      if kept then last, count = cmsgpack.unpack(kept) end
      if last > now + SKEW then last, count = 0, 0 end
      if last > now then time = last end
      local start = time - math.fmod(time, width)
      if last < start then count = 0 end
      reset = start + width - now
      allowed = count + cost <= limit
      if allowed then
        count = count + cost
        values[i] = cmsgpack.pack(time, count)
      else
        retry = cost <= limit and reset or -1
      end
      remaining = math.max(0, limit - count)
    end
    all = all and allowed
    local at = 4 * i
    reply[at], reply[at + 1], reply[at + 2], reply[at + 3] = allowed and 1 or 0, remaining, reset, retry
  end
  if not all then
    -- Those that would have allowed show what stood before them: the general way knows how to tell.
    if #gates > 1 then return {ARGV[1], 'NOT_PLAIN', now, ''} end
    reply[2] = 'DENIED'
    return reply
  end
  for i = 1, #gates do
    redis.call('SET', KEYS[6 + i], values[i], 'PXAT', kept_until(reply[4 * i + 2], gates[i][PLAIN_KEEP]))
  end
  if seen < mark then redis.call('SET', KEYS[KEY_CLOCK], mark) end
  return reply
end

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
        local owed, last, was = cmsgpack.unpack(kept)
        if was ~= token then return {ARGV[1], 'NOT_PLAIN', now, ''} end
        last = last / tick
        if last ~= math.floor(last) then return {ARGV[1], 'NOT_PLAIN', now, ''} end
        if last > ticks then ticks = last end
        debt = math.max(0, owed - (ticks - last) * drain)
      end
      allowed = debt + price <= size
      if allowed then
        debt = debt + price
        values[i] = cmsgpack.pack(debt, ticks * tick, token)
      elseif price <= size and drain > 0 then
        retry = math.ceil((debt + price - size) / drain) * tick
      else
        retry = -1
      end
      local rest = math.max(0, size - debt)
      remaining = (rest - math.fmod(rest, token)) / token
      if drain > 0 then reset = math.ceil(debt / drain) * tick end
    else
      local limit, width = gate[PLAIN_LIMIT], gate[PLAIN_WINDOW]
      local start, count = now - math.fmod(now, width), 0
      if kept then
        local began, counted = cmsgpack.unpack(kept)
        if began > now then start = began end
        if began == start then count = counted end
      end
      reset = start + width - now
      allowed = count + cost <= limit
      if allowed then
        count = count + cost
        values[i] = cmsgpack.pack(start, count)
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
    redis.call('SET', KEYS[6 + i], values[i], 'PX', math.ceil(reply[4 * i + 2] / 1000) + 1000)
  end
  if seen < mark then redis.call('SET', KEYS[KEY_CLOCK], mark) end
  return reply
end

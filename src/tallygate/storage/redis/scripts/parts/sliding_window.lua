-- An exact log, or sub-buckets with the oldest counted whole.
local log_entry = function(text)
  local mark, cost = string.match(text, '(%d+) (%d+)')
  return tonumber(mark), tonumber(cost)
end

-- How many entries have left the window, what the others used, and whether there are any others.
local expired = function(key, before, used)
  local gone = 0
  for _, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local mark, cost = log_entry(text)
    if mark > before then return gone, used, true end
    gone, used = gone + 1, used - cost
  end
  return gone, used, false
end

-- The mark by whose expiry at least `needed` has been freed, of a log's live entries, oldest first.
local freed_at = function(key, gone, needed)
  local freed, last = 0, 0
  for _, text in ipairs(redis.call('LRANGE', key, gone, -1)) do
    local mark, cost = log_entry(text)
    freed, last = freed + cost, mark
    if freed >= needed then break end
  end
  return last
end

local sliding_window = function(gate, key)
  local cost, limit, width, sub = gate[RATE_COST], gate[RATE_LIMIT], gate[RATE_WINDOW], gate[RATE_SUB_WIDTH]
  local used, gone, live = num(redis.call('GET', key .. ':s')), 0, false
  local newest, counted = 0, 0
  local first = redis.call('LINDEX', key, 0)
  if first then
    newest, counted = log_entry(redis.call('LINDEX', key, -1))
    if newest > now + SKEW then
      gone, used, newest = END, 0, 0
    else
      live = log_entry(first) > now - width
      if not live then gone, used, live = expired(key, now - width, used) end
    end
  end
  local allowed = used + cost <= limit
  local retry = allowed and 0 or -1
  if not allowed and cost <= limit then retry = freed_at(key, gone, used + cost - limit) + width - now end
  local show = function(total, mark)
    local full = total > 0 and mark + width - now or 0
    return {allowed and 1 or 0, limit, math.max(0, limit - total), full, retry}
  end
  local before = show(used, newest)
  if not allowed or cost == 0 then return {no = before} end
  local mark = math.max(newest, now)
  local joins = live and div(mark, sub) == div(newest, sub)
  if not joins then mark = now end
  return {yes = show(used + cost, mark), no = before, commit = function()
    if gone > 0 then redis.call('LTRIM', key, gone, -1) end
    if joins then
      redis.call('LSET', key, -1, fmt(mark) .. ' ' .. fmt(counted + cost))
    else
      redis.call('RPUSH', key, fmt(mark) .. ' ' .. fmt(cost))
    end
    local at = kept_until(mark + width - now, gate[RATE_KEEP])
    redis.call('SET', key .. ':s', fmt(used + cost), 'PXAT', at)
    redis.call('PEXPIREAT', key, at)
  end}
end

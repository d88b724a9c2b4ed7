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

-- Of the entries that have left the window, those that a wider one still counts, in sub-buckets of that; and their sum.
local remembered = function(key, gone, wide)
  local kept, sum, sub = {}, 0, ceil_div(wide, 60)
  for _, text in ipairs(redis.call('LRANGE', key, 0, gone - 1)) do
    local mark, cost = log_entry(text)
    if mark > now - wide then
      local last = kept[#kept]
      if last and div(mark, sub) == div(last[1], sub) then
        last[1], last[2] = mark, last[2] + cost
      else
        kept[#kept + 1] = {mark, cost}
      end
      sum = sum + cost
    end
  end
  return kept, sum
end

-- Forget those that have left the window, but for what is remembered; what that comes to.
local forget = function(key, gone, wide, width)
  if gone == 0 then return 0 end
  local kept, sum = {}, 0
  if wide > width and gone < END then kept, sum = remembered(key, gone, wide) end
  redis.call('LTRIM', key, gone - #kept, -1)
  for i, entry in ipairs(kept) do redis.call('LSET', key, i - 1, fmt(entry[1]) .. ' ' .. fmt(entry[2])) end
  return sum
end

-- Behind ":s" stand the sum of all entries, and the width of the widest window that is remembered until when.
local sliding_window = function(cost, rule, key)
  local limit, width, sub = rule[RATE_LIMIT], rule[RATE_WINDOW], rule[RATE_SUB_WIDTH]
  local sum, wide, wide_until = string.match(redis.call('GET', key .. ':s') or '', '^(%d+) ?(%d*) ?(%d*)$')
  local used, gone, live = num(sum), 0, false
  wide, wide_until = num(wide), num(wide_until)
  local newest, counted = 0, 0
  local first = redis.call('LINDEX', key, 0)
  if first then
    newest, counted = log_entry(redis.call('LINDEX', key, -1))
    if newest > now + SKEW then
      gone, used, newest, wide = END, 0, 0, 0
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
  if wide <= width or now >= wide_until then wide, wide_until = width, mark + width end
  return {yes = show(used + cost, mark), no = before, commit = function()
    local total = used + cost + forget(key, gone, wide, width)
    if joins then
      redis.call('LSET', key, -1, fmt(mark) .. ' ' .. fmt(counted + cost))
    else
      redis.call('RPUSH', key, fmt(mark) .. ' ' .. fmt(cost))
    end
    local at = kept_until(math.max(mark + width, wide_until) - now, rule[RATE_KEEP])
    redis.call('SET', key .. ':s', fmt(total) .. ' ' .. fmt(wide) .. ' ' .. fmt(wide_until), 'PXAT', at)
    redis.call('PEXPIREAT', key, at)
  end}
end

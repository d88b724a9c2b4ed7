-- Windows aligned to the epoch; what the widest window counted that it ran at is known still when that comes back.
local commit_window = function(gate, rule, outcome)
  redis.call('SET', outcome.key, outcome.value, 'PXAT', kept_until(outcome.ends, rule[RATE_KEEP]))
end

local fixed_window = function(cost, rule, key)
  local limit, width = rule[RATE_LIMIT], rule[RATE_WINDOW]
  local time, last, count, ran, wide, wide_count = now, 0, 0, 0, 0, 0
  local kept = redis.call('GET', key)
  if kept then last, count, ran, wide, wide_count = cmsgpack.unpack(kept) end
  if not ran then ran, wide, wide_count = width, width, count end  -- of the version before
  if last > now + SKEW then last, count, wide, wide_count = 0, 0, 0, 0 end
  if last > now then time = last end
  local start = time - math.fmod(time, width)
  if width > ran then count = wide_count end
  if last < start then count = 0 end
  if wide <= width or last < time - math.fmod(time, wide) then wide, wide_count = width, count end
  local allowed = count + cost <= limit
  local left = start + width - now
  local retry = allowed and 0 or cost <= limit and left or -1
  local no = {allowed and 1 or 0, limit, math.max(0, limit - count), left, retry}
  if not allowed or cost == 0 then return {no = no} end
  local yes = {1, limit, math.max(0, limit - count - cost), left, retry}
  local counted = cmsgpack.pack(time, count + cost, width, wide, wide_count + cost)
  local ends = math.max(left, time - math.fmod(time, wide) + wide - now)
  return {yes = yes, no = no, key = key, value = counted, ends = ends, commit = commit_window}
end

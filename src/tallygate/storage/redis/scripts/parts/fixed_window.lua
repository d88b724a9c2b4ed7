-- Windows aligned to the epoch.
local fixed_window = function(gate, key)
  local cost, limit, width = gate[RATE_COST], gate[RATE_LIMIT], gate[RATE_WINDOW]
  local time, last, count = now, 0, 0
  local kept = redis.call('GET', key)
  if kept then last, count = cmsgpack.unpack(kept) end
  if last > now + SKEW then last, count = 0, 0 end
  if last > now then time = last end
  local start = time - math.fmod(time, width)
  if last < start then count = 0 end
  local allowed = count + cost <= limit
  local left = start + width - now
  local retry = allowed and 0 or cost <= limit and left or -1
  local show = function(counted) return {allowed and 1 or 0, limit, math.max(0, limit - counted), left, retry} end
  if not allowed or cost == 0 then return {no = show(count)} end
  return {yes = show(count + cost), no = show(count), commit = function()
    redis.call('SET', key, cmsgpack.pack(time, count + cost), 'PXAT', kept_until(left, gate[RATE_KEEP]))
  end}
end

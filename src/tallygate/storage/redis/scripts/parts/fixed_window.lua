-- Windows aligned to the epoch.
local fixed_window = function(gate, key)
  local cost, limit, width = gate[RATE_COST], gate[RATE_LIMIT], gate[RATE_WINDOW]
  local start = now - math.fmod(now, width)
  local count = 0
  local kept = redis.call('GET', key)
  if kept then
    local began, counted = cmsgpack.unpack(kept)
    if began > now then start = began end
    if began == start then count = counted end
  end
  local allowed = count + cost <= limit
  local left = start + width - now
  local retry = allowed and 0 or cost <= limit and left or -1
  local show = function(counted) return {allowed and 1 or 0, limit, math.max(0, limit - counted), left, retry} end
  if not allowed then return {no = show(count)} end
  return {yes = show(count + cost), no = show(count), commit = function()
    redis.call('SET', key, cmsgpack.pack(start, count + cost), 'PX', fmt(math.ceil(left / 1000) + 1000))
  end}
end

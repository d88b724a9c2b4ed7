-- Home by home: is this still what the caller resolved with, and at what time does it decide?
local is_newer = function(record, version)
  if (redis.call('HGET', record, 'v') or '0') ~= version then return 'STALE_VIEW' end
end

local homes = tonumber(ARGV[4])
local there = redis.call('MGET', unpack(KEYS, 1, 3 * homes))
local counted  -- at which time the generations are those
local replies, key, arg = {ARGV[1]}, 5 * homes, 6 + ARGV[5]
for i = 0, homes - 1 do
  local expected, catalogue, shift = cmsgpack.unpack(ARGV[arg])
  local epoch = there[3 * i + HOME_EPOCH] or ''
  seen = (there[3 * i + HOME_CLOCK] or 0) + 0
  -- Further ahead than clocks may differ: kept by a time that nobody shares any more, so it is not kept any longer.
  if seen - time > SKEW then seen = 0 end
  raw = math.max(time, seen)
  -- A test's clock that stands comes as text: the instant that it stands at.
  offset = type(shift) == 'string' and shift - raw or shift
  mark, now = raw - math.fmod(raw, RESOLUTION), raw + offset
  clock, stream = KEYS[3 * i + HOME_CLOCK], KEYS[3 * homes + 2 * i + 1]
  if raw ~= counted then
    local generation = div(raw, window)
    counted, newer, older = raw, fmt(generation) .. ':', fmt(generation - 1) .. ':'
  end
  records = KEYS[3 * homes + 2 * i + 2]
  local stale = epoch ~= expected and 'EPOCH_MISMATCH' or (there[3 * i + HOME_CATALOGUE] or '0') ~= catalogue and 'STALE_VIEW'
  -- Counters are gone, or being rebuilt: nothing is counted.
  local lost = epoch == '' or string.sub(epoch, 1, 1) == '!'
  local effects = ARGV[arg + 1]
  arg = arg + 2
  for _ = 1, effects do
    local looks, kinds, record, more = cmsgpack.unpack(ARGV[arg])
    local is_old = stale
    if record then
      key = key + 1
      is_old = is_old or is_newer(KEYS[key], record)
    end
    if more then
      for _, version in ipairs(more) do
        key = key + 1
        is_old = is_old or is_newer(KEYS[key], version)
      end
    end
    if is_old or lost and string.find(kinds, '[^r]') then
      replies[#replies + 1] = {is_old or 'EPOCH_MISMATCH', now, epoch}
    else
      local done, reply = pcall(effect, kinds, looks == 1, arg, key)
      replies[#replies + 1] = done and reply or {'FAILED', now, type(reply) == 'table' and reply.err or tostring(reply)}
    end
    key, arg = key + #kinds, arg + 1 + #kinds
  end
end
return replies

-- A meter's counters: found, read, and written.
local AHEAD = 300000000

-- What nothing is ever put into: of a meter without grants.
local NONE = {}

local active_grants = function(segment, grants, at)
  if grants == NONE or segment[SEGMENT_EXCLUSIVE] == 1 then return NONE end
  local active = {}
  for _, grant in ipairs(grants) do
    if grant[GRANT_EFFECTIVE] <= at and at < grant[GRANT_EXPIRE] then active[#active + 1] = grant end
  end
  return active
end

local read_meter = function(place)
  local resets = place.segment[SEGMENT_RESETS]
  -- The version before kept one field: what lies in this trial was a reset of it.
  if resets ~= 'r' then place.reset = num(redis.call('HGET', place.key, resets)) end
  if place.family == 'd' and place.grants == NONE then
    local reset = redis.call('HGET', place.key, 'r')
    if reset then place.reset = math.max(place.reset, reset) end
    return
  end
  local fields = {'r', 'l', 't'}
  for _, grant in ipairs(place.grants) do fields[#fields + 1] = 'g:' .. grant[GRANT_ID] end
  local values = redis.call('HMGET', place.key, unpack(fields))
  place.reset, place.level, place.level_time = math.max(place.reset, num(values[1])), num(values[2]), num(values[3])
  for i, grant in ipairs(place.grants) do place.burnt[grant[GRANT_ID]] = num(values[3 + i]) end
end

local counter_of = function(place)
  local segment, start = place.segment, place.start
  if segment.start ~= start then
    segment.start, segment.counter = start, ':' .. fmt(start) .. segment[SEGMENT_APART]
  end
  return place.key .. segment.counter
end

-- A period that goes on after a trial saw no level that was observed in it.
local carry_level = function(place)
  if place.counted >= place.level_time or place.level_time > place.at then return end
  place.used = place.family == 'm' and math.max(place.used, place.level) or place.level
end

local read_counter = function(place)
  local key = counter_of(place)
  place.counter_key = key
  local values
  if place.grants == NONE and place.family == 'd' then
    values = redis.call('HMGET', key, 'u', 'i', 'o')
  else
    local fields = {'u', 'i', 'o', 't'}
    for _, grant in ipairs(place.grants) do fields[#fields + 1] = 'g:' .. grant[GRANT_ID] end
    values = redis.call('HMGET', key, unpack(fields))
  end
  place.exists = values[1] and true or false
  if not values[1] and place.grants == NONE then
    if place.family ~= 'd' then place.used = place.level end
    return
  end
  place.used, place.included, place.overage = (values[1] or 0) + 0, (values[2] or 0) + 0, (values[3] or 0) + 0
  place.overdrawn, place.counted = place.overage, (values[4] or 0) + 0
  for i, grant in ipairs(place.grants) do place.paid[grant[GRANT_ID]] = num(values[4 + i]) end
  if place.family ~= 'm' and place.family ~= 'l' then return end
  if place.exists then carry_level(place) else place.used = place.level end
end

local locate = function(terms, key, grants, occurred, looks)
  local at, family = occurred or now, terms[QUOTA_FAMILY]
  local here, segment, index
  for i = QUOTA_SEGMENTS, #terms do
    local held = terms[i]
    if type(held) == 'string' then
      held = {cmsgpack.unpack(held)}
      terms[i] = held
    end
    if not here and held[SEGMENT_START] <= now and now < held[SEGMENT_END] then here = held end
    if not segment and held[SEGMENT_START] <= at and at < held[SEGMENT_END] then segment, index = held, i - QUOTA_SEGMENTS end
  end
  if not here then return nil, 'SEGMENTS_MISSED' end
  if not looks and not (here[SEGMENT_PREVIOUS_START] <= at and at <= now + AHEAD) then return nil, 'OCCURRED_OUT_OF_RANGE' end
  if not segment then return nil, 'SEGMENTS_MISSED' end
  if grants == '' then grants = NONE end
  local none = grants == NONE
  local place = {
    key = key, segment = segment, index = index, at = at, grants = grants, family = family,
    active = active_grants(segment, grants, at), start = segment[SEGMENT_PERIOD_START], counter_key = false, exists = false,
    reset = 0, level = 0, level_time = 0, new_level = false, burnt = none and NONE or {}, used = 0, included = 0, overage = 0, overdrawn = 0, counted = 0, paid = none and NONE or {}, moved = none and NONE or {},
  }
  read_meter(place)
  if place.start < place.reset and place.reset <= at then place.start = place.reset end
  read_counter(place)
  return place
end

-- In real time, and on a test's clock, which may stand, no sooner than in a day.
local expiry = function(place)
  local soonest = math.ceil(raw / 1000) + (offset ~= 0 and 86400000 or 1000)
  return fmt(math.max(math.ceil((place.segment[SEGMENT_KEEP_UNTIL] - offset) / 1000), soonest))
end

local write_counter = function(place)
  if place.family == 'd' and #place.moved == 0 and place.overage == place.overdrawn then
    redis.call('HSET', place.counter_key, 'u', place.used, 'i', place.included)
  else
    local fields = {'u', fmt(place.used)}
    local put = function(name, value) fields[#fields + 1] = name; fields[#fields + 1] = fmt(value) end
    if place.family == 'd' then
      put('i', place.included)
      put('o', place.overage)
    else
      put('t', place.counted)
    end
    for _, id in ipairs(place.moved) do put('g:' .. id, place.paid[id]) end
    redis.call('HSET', place.counter_key, unpack(fields))
  end
  if not place.exists then redis.call('PEXPIREAT', place.counter_key, expiry(place)) end
end

local write_meter = function(place)
  local fields = {}
  for _, id in ipairs(place.moved) do
    fields[#fields + 1] = 'g:' .. id
    fields[#fields + 1] = fmt(place.burnt[id])
  end
  if place.new_level then
    for _, pair in ipairs({{'l', place.new_level}, {'t', place.at}}) do
      fields[#fields + 1] = pair[1]
      fields[#fields + 1] = fmt(pair[2])
    end
  end
  if #fields > 0 then redis.call('HSET', place.key, unpack(fields)) end
end

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

-- Where the period that starts then is counted, and its bounds as facts and figures say them.
local find_counter = function(place)
  local segment, start = place.segment, place.start
  if segment.start ~= start then
    segment.start, segment.counter = start, ':' .. fmt(start) .. segment[SEGMENT_APART]
    segment.period = packed(start) .. packed(segment[SEGMENT_PERIOD_END])
  end
  place.counter_key, place.period = place.key .. segment.counter, segment.period
end

-- A period that goes on after a trial saw no level that was observed in it.
local carry_level = function(place)
  if place.counted >= place.level_time or place.level_time > place.at then return end
  place.used = place.family == 'm' and math.max(place.used, place.level) or place.level
end

local read_counter = function(place)
  local key, values = place.counter_key, nil
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
  for i = 1, #place.grants do place.paid[place.grants[i][GRANT_ID]] = num(values[4 + i]) end
  if place.family ~= 'm' and place.family ~= 'l' then return end
  if place.exists then carry_level(place) else place.used = place.level end
end

-- One for each gate of an effect, set anew for each effect: making one costs more than all that is put into it.
local places = {}
local emptied = function(number, grants)
  local place, none = places[number], grants == NONE
  if not place then
    place = {}
    places[number] = place
  end
  place.burnt, place.paid, place.moved = none and NONE or {}, none and NONE or {}, none and NONE or {}
  place.reset, place.level, place.level_time, place.new_level = 0, 0, 0, false
  place.used, place.included, place.overage, place.overdrawn, place.counted = 0, 0, 0, 0, 0
  return place
end

-- The segments that hold now and at an instant, and the place of the latter.
local segments_at = function(terms, at)
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
  return here, segment, index
end

local locate = function(terms, key, number, grants, occurred, looks)
  local at = occurred or now
  local here, segment, index = segments_at(terms, at)
  if not here then return nil, 'SEGMENTS_MISSED' end
  if not looks and not (here[SEGMENT_PREVIOUS_START] <= at and at <= now + AHEAD) then return nil, 'OCCURRED_OUT_OF_RANGE' end
  if not segment then return nil, 'SEGMENTS_MISSED' end
  if grants == '' then grants = NONE end
  local place = emptied(number, grants)
  place.key, place.segment, place.index, place.at, place.family = key, segment, index, at, terms[QUOTA_FAMILY]
  place.grants, place.active, place.start = grants, active_grants(segment, grants, at), segment[SEGMENT_PERIOD_START]
  read_meter(place)
  if place.start < place.reset and place.reset <= at then place.start = place.reset end
  find_counter(place)
  read_counter(place)
  return place
end

-- In real time, and on a test's clock, which may stand, no sooner than in a day.
local expiry = function(place)
  local soonest = math.ceil(raw / 1000) + (offset ~= 0 and 86400000 or 1000)
  return math.max(math.ceil((place.segment[SEGMENT_KEEP_UNTIL] - offset) / 1000), soonest)
end

local write_counter = function(place)
  if place.family == 'd' and #place.moved == 0 and place.overage == place.overdrawn then
    redis.call('HSET', place.counter_key, 'u', place.used, 'i', place.included)
  else
    local fields = {'u', place.used}
    local put = function(name, value) fields[#fields + 1] = name; fields[#fields + 1] = value end
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
    fields[#fields + 1] = place.burnt[id]
  end
  if place.new_level then
    for _, pair in ipairs({{'l', place.new_level}, {'t', place.at}}) do
      fields[#fields + 1] = pair[1]
      fields[#fields + 1] = pair[2]
    end
  end
  if #fields > 0 then redis.call('HSET', place.key, unpack(fields)) end
end

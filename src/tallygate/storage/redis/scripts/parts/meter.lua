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

local read_meter = function(meter)
  local resets = meter.segment[SEGMENT_RESETS]
  -- The version before kept one field: what lies in this trial was a reset of it.
  if resets ~= 'r' then meter.reset = num(redis.call('HGET', meter.key, resets)) end
  if meter.family == 'd' and meter.grants == NONE then
    local reset = redis.call('HGET', meter.key, 'r')
    if reset then meter.reset = math.max(meter.reset, reset) end
    return
  end
  local fields = {'r', 'l', 't'}
  for _, grant in ipairs(meter.grants) do fields[#fields + 1] = 'g:' .. grant[GRANT_ID] end
  local values = redis.call('HMGET', meter.key, unpack(fields))
  meter.reset, meter.level, meter.level_time = math.max(meter.reset, num(values[1])), num(values[2]), num(values[3])
  for i, grant in ipairs(meter.grants) do meter.burnt[grant[GRANT_ID]] = num(values[3 + i]) end
end

-- Where the period that starts then is counted, and its bounds as facts and figures say them.
local find_counter = function(meter)
  local segment, start = meter.segment, meter.start
  if segment.start ~= start then
    segment.start, segment.counter = start, ':' .. fmt(start) .. segment[SEGMENT_APART]
    segment.period = packed(start) .. packed(segment[SEGMENT_PERIOD_END])
  end
  meter.counter_key, meter.period = meter.key .. segment.counter, segment.period
end

-- A period that goes on after a trial saw no level that was observed in it.
local carry_level = function(meter)
  if meter.counted >= meter.level_time or meter.level_time > meter.at then return end
  meter.used = meter.family == 'm' and math.max(meter.used, meter.level) or meter.level
end

local read_counter = function(meter)
  local key, values = meter.counter_key, nil
  if meter.grants == NONE and meter.family == 'd' then
    values = redis.call('HMGET', key, 'u', 'i', 'o')
  else
    local fields = {'u', 'i', 'o', 't'}
    for _, grant in ipairs(meter.grants) do fields[#fields + 1] = 'g:' .. grant[GRANT_ID] end
    values = redis.call('HMGET', key, unpack(fields))
  end
  meter.exists = values[1] and true or false
  if not values[1] and meter.grants == NONE then
    if meter.family ~= 'd' then meter.used = meter.level end
    return
  end
  meter.used, meter.included, meter.overage = (values[1] or 0) + 0, (values[2] or 0) + 0, (values[3] or 0) + 0
  meter.overdrawn, meter.counted = meter.overage, (values[4] or 0) + 0
  for i = 1, #meter.grants do meter.paid[meter.grants[i][GRANT_ID]] = num(values[4 + i]) end
  if meter.family ~= 'm' and meter.family ~= 'l' then return end
  if meter.exists then carry_level(meter) else meter.used = meter.level end
end

-- One for each gate of an effect, set anew for each effect: making one costs more than all that is put into it.
local meters = {}
local emptied = function(number, grants)
  local meter, none = meters[number], grants == NONE
  if not meter then
    meter = {}
    meters[number] = meter
  end
  meter.burnt, meter.paid, meter.moved = none and NONE or {}, none and NONE or {}, none and NONE or {}
  meter.reset, meter.level, meter.level_time, meter.new_level = 0, 0, 0, false
  meter.used, meter.included, meter.overage, meter.overdrawn, meter.counted = 0, 0, 0, 0, 0
  return meter
end

-- The segments that hold now and at an instant, and the number of the latter.
local segments_at = function(rule, at)
  local here, segment, index
  for i = QUOTA_SEGMENTS, #rule do
    local each = rule[i]
    if type(each) == 'string' then
      each = {cmsgpack.unpack(each)}
      rule[i] = each
    end
    if not here and each[SEGMENT_START] <= now and now < each[SEGMENT_END] then here = each end
    if not segment and each[SEGMENT_START] <= at and at < each[SEGMENT_END] then segment, index = each, i - QUOTA_SEGMENTS end
  end
  return here, segment, index
end

local locate = function(rule, key, number, grants, occurred, looks)
  local at = occurred or now
  local here, segment, index = segments_at(rule, at)
  if not here then return nil, 'SEGMENTS_MISSED' end
  if not looks and not (here[SEGMENT_PREVIOUS_START] <= at and at <= now + AHEAD) then return nil, 'OCCURRED_OUT_OF_RANGE' end
  if not segment then return nil, 'SEGMENTS_MISSED' end
  if grants == '' then grants = NONE end
  local meter = emptied(number, grants)
  meter.key, meter.segment, meter.index, meter.at, meter.family = key, segment, index, at, rule[QUOTA_FAMILY]
  meter.grants, meter.active, meter.start = grants, active_grants(segment, grants, at), segment[SEGMENT_PERIOD_START]
  read_meter(meter)
  if meter.start < meter.reset and meter.reset <= at then meter.start = meter.reset end
  find_counter(meter)
  read_counter(meter)
  return meter
end

-- In real time, and on a test's clock, which may stand, no sooner than in a day.
local expiry = function(meter)
  local soonest = math.ceil(raw / 1000) + (offset ~= 0 and 86400000 or 1000)
  return math.max(math.ceil((meter.segment[SEGMENT_KEEP_UNTIL] - offset) / 1000), soonest)
end

local write_counter = function(meter)
  if meter.family == 'd' and #meter.moved == 0 and meter.overage == meter.overdrawn then
    redis.call('HSET', meter.counter_key, 'u', meter.used, 'i', meter.included)
  else
    local fields = {'u', meter.used}
    local put = function(name, value) fields[#fields + 1] = name; fields[#fields + 1] = value end
    if meter.family == 'd' then
      put('i', meter.included)
      put('o', meter.overage)
    else
      put('t', meter.counted)
    end
    for _, id in ipairs(meter.moved) do put('g:' .. id, meter.paid[id]) end
    redis.call('HSET', meter.counter_key, unpack(fields))
  end
  if not meter.exists then redis.call('PEXPIREAT', meter.counter_key, expiry(meter)) end
end

local write_meter = function(meter)
  local fields = {}
  for _, id in ipairs(meter.moved) do
    fields[#fields + 1] = 'g:' .. id
    fields[#fields + 1] = meter.burnt[id]
  end
  if meter.new_level then
    for _, pair in ipairs({{'l', meter.new_level}, {'t', meter.at}}) do
      fields[#fields + 1] = pair[1]
      fields[#fields + 1] = pair[2]
    end
  end
  if #fields > 0 then redis.call('HSET', meter.key, unpack(fields)) end
end

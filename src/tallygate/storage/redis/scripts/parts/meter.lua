-- A meter's counters: found, read, and written.
local AHEAD = 300000000

local active_grants = function(grants, at)
  local active = {}
  for _, grant in ipairs(grants) do
    if grant[GRANT_EFFECTIVE] <= at and at < grant[GRANT_EXPIRE] then active[#active + 1] = grant end
  end
  return active
end

local read_meter = function(place)
  local fields = {'r', 'l', 't'}
  for _, grant in ipairs(place.grants) do fields[#fields + 1] = 'g:' .. grant[GRANT_ID] end
  local values = redis.call('HMGET', place.key, unpack(fields))
  place.reset, place.level, place.level_time, place.burnt = num(values[1]), num(values[2]), num(values[3]), {}
  for i, grant in ipairs(place.grants) do place.burnt[grant[GRANT_ID]] = num(values[3 + i]) end
end

local read_counter = function(place)
  local fields = {'u', 'i', 'o', 't'}
  for _, grant in ipairs(place.grants) do fields[#fields + 1] = 'g:' .. grant[GRANT_ID] end
  place.counter_key = place.key .. ':' .. fmt(place.start)
  local values = redis.call('HMGET', place.counter_key, unpack(fields))
  place.exists = values[1] and true or false
  place.used, place.included, place.overage = num(values[1]), num(values[2]), num(values[3])
  place.counted, place.paid = num(values[4]), {}
  for i, grant in ipairs(place.grants) do place.paid[grant[GRANT_ID]] = num(values[4 + i]) end
  if (place.family == 'm' or place.family == 'l') and not place.exists then place.used = place.level end
end

local locate = function(key, slots, grants, family, occurred, looks)
  local at = occurred or now
  local current = slot_at(slots, now)
  if not current then return nil, 'SLOTS_MISSED' end
  local takes_here = slots[current][SLOT_PREVIOUS_START] <= at and at <= now + AHEAD
  if not looks and not takes_here then return nil, 'OCCURRED_OUT_OF_RANGE' end
  local index = slot_at(slots, at)
  if not index then return nil, 'SLOTS_MISSED' end
  local slot = slots[index]
  local place = {key = key, slot = slot, index = index, at = at, grants = grants, family = family}
  place.active = slot[SLOT_EXCLUSIVE] == 1 and {} or active_grants(grants, at)
  read_meter(place)
  place.start = slot[SLOT_PERIOD_START]
  if slot[SLOT_PERIOD_START] < place.reset and place.reset <= at then place.start = place.reset end
  read_counter(place)
  return place
end

-- In real time, and on a test's clock, which may stand, no sooner than in a day.
local expiry = function(place)
  local soonest = math.ceil(raw / 1000) + (offset ~= 0 and 86400000 or 1000)
  return fmt(math.max(math.ceil((place.slot[SLOT_KEEP_UNTIL] - offset) / 1000), soonest))
end

local write_counter = function(place)
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

-- A new usage period, now.
local reset = function(gate, key)
  local place, status = locate(key, gate[RESET_SLOTS], {}, gate[RESET_FAMILY], false, false)
  if not place then return nil, status end
  place.used = (place.family == 'm' or place.family == 'l') and place.level or 0
  place.included, place.overage, place.counted, place.moved = 0, 0, 0, {}
  place.start, place.exists = now, false
  place.counter_key = key .. ':' .. fmt(now)
  local result = {1, 'WITHIN_LIMIT', 0, place.used, -1, -1, {}, place.index - 1, now, place.slot[SLOT_PERIOD_END], {}}
  return {yes = result, no = result, commit = function()
    redis.call('HSET', key, 'r', fmt(now))
    local origin = key .. ':' .. fmt(place.slot[SLOT_PERIOD_START])
    redis.call('HSET', origin, 'x', fmt(now))
    redis.call('PEXPIREAT', origin, expiry(place))
    write_counter(place)
    add_fact(gate, place, 0, {}, place.slot[SLOT_PERIOD_END])
    publish(gate[RESET_NEWS])
  end}
end

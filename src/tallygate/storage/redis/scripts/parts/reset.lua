-- A new usage period, now; told as granted is what the one that it closes has counted.
local commit_reset = function(gate, terms, place)
  redis.call('HSET', place.key, place.segment[SEGMENT_RESETS], now)
  write_counter(place)
  add_fact(gate, place, 0, place.yes)
  publish(terms[QUOTA_CHANNEL], terms[QUOTA_NEWS])
end

local reset = function(_, terms, key, number)
  local place, status = locate(terms, key, number, '', false, false)
  if not place then return nil, status end
  local closed = place.family ~= 'e' and place.used or 0
  place.used = (place.family == 'm' or place.family == 'l') and place.level or 0
  place.included, place.overage, place.counted = 0, 0, 0
  place.start, place.exists = now, false
  find_counter(place)
  local result = {1, 'WITHIN_LIMIT', closed, place.used, -1, -1, place.index, place.period, NO_POTS, NO_POTS}
  place.yes, place.no, place.commit = result, result, commit_reset
  return place
end

-- What a meter's pots hold, what its terms forbid, and how that is answered.
local allowance = function(place)
  local limit = place.segment[SEGMENT_LIMIT]
  if place.family == 'e' or limit < 0 then return -1, -1 end
  if place.family ~= 'd' then
    for _, grant in ipairs(place.active) do limit = limit + grant[GRANT_AMOUNT] end
    limit = math.min(END, limit)
    return limit, math.max(0, limit - place.used)
  end
  if place.active == NONE then return limit, math.max(0, limit - place.included) end
  local rest, paid = 0, 0
  for _, grant in ipairs(place.active) do
    rest = rest + math.max(0, grant[GRANT_AMOUNT] - place.burnt[grant[GRANT_ID]])
    paid = paid + place.paid[grant[GRANT_ID]]
  end
  return math.min(END, limit + rest + paid), math.min(END, math.max(0, limit - place.included) + rest)
end

-- How much passes at most: so many units more, or that level; -1: any.
local capacity = function(place, mode)
  local segment, counted = place.segment, place.included
  local ends = segment[SEGMENT_LIMIT]
  if ends < 0 or mode == 'J' then return -1 end
  if segment[SEGMENT_OVERAGE] == 1 then
    ends, counted = segment[SEGMENT_HARD_LIMIT], counted + place.overage
    if ends < 0 then return -1 end
  end
  local rest, level = 0, place.family ~= 'd'
  for _, grant in ipairs(place.active) do
    rest = rest + math.max(0, grant[GRANT_AMOUNT] - (level and 0 or place.burnt[grant[GRANT_ID]]))
  end
  return math.min(END, (level and ends or math.max(0, ends - counted)) + rest)
end

-- What the pots still hold, and what was taken beyond them; of a level what is included above the last one.
local grants_left = function(place, pots)
  if place.family ~= 'd' then return pots end
  for _, grant in ipairs(place.grants) do
    local rest = grant[GRANT_AMOUNT] - place.burnt[grant[GRANT_ID]]
    if rest > 0 then pots[#pots + 1] = {'G', rest, grant[GRANT_ID]} end
  end
  return pots
end

local left = function(place)
  local pots = {}
  if place.family == 'e' then return pots end
  local counted = place.family == 'd' and place.included or place.level
  if place.segment[SEGMENT_LIMIT] >= 0 then pots[1] = {'I', place.segment[SEGMENT_LIMIT] - counted, ''} end
  grants_left(place, pots)
  if place.overage ~= 0 then pots[#pots + 1] = {'O', -place.overage, ''} end
  return pots
end

local shown = function(place, allowed, reason, granted, pots, rest)
  local limit, remaining = allowance(place)
  local used = place.family == 'e' and 0 or place.used
  local segment, ends = place.index, place.segment[SEGMENT_PERIOD_END]
  return {allowed, reason, granted, used, limit, remaining, segment, place.start, ends, pots, rest}
end

local answer = function(place, allowed, reason, granted, pots)
  return shown(place, allowed, reason, granted, pots, left(place))
end

local denied = function(place, reason) return {no = answer(place, 0, reason, 0, {})} end

local barred = function(place)
  if place.segment[SEGMENT_DENIAL] ~= '' then return place.segment[SEGMENT_DENIAL] end
  if place.segment[SEGMENT_ABSENT] == 1 and #place.active == 0 then return 'NOT_IN_PLAN' end
  return nil
end

-- What a meter's pots hold, what its terms forbid, and how that is answered.
local allowance = function(place)
  local limit, active = place.segment[SEGMENT_LIMIT], place.active
  if place.family == 'e' or limit < 0 then return -1, -1 end
  if place.family ~= 'd' then
    for i = 1, #active do limit = limit + active[i][GRANT_AMOUNT] end
    limit = math.min(END, limit)
    return limit, math.max(0, limit - place.used)
  end
  if active == NONE then return limit, math.max(0, limit - place.included) end
  local rest, paid = 0, 0
  for _, grant in ipairs(active) do
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
  for i = 1, #place.active do
    local grant = place.active[i]
    rest = rest + math.max(0, grant[GRANT_AMOUNT] - (level and 0 or place.burnt[grant[GRANT_ID]]))
  end
  return math.min(END, (level and ends or math.max(0, ends - counted)) + rest)
end

-- Behind those given, the pots that grants still are; levels burn none.
local with_grants = function(place, pots)
  if place.family ~= 'd' then return pots end
  for _, grant in ipairs(place.grants) do
    local rest = grant[GRANT_AMOUNT] - place.burnt[grant[GRANT_ID]]
    if rest > 0 then pots[#pots + 1] = {'G', rest, grant[GRANT_ID]} end
  end
  return pots
end

local grants_left = function(place) return place.grants == NONE and NO_POTS or with_grants(place, {}) end

-- What the pots still hold, and what was taken beyond them; of a level what is included above the last one.
local left = function(place)
  local pots = {}
  if place.family == 'e' then return pots end
  local counted = place.family == 'd' and place.included or place.level
  if place.segment[SEGMENT_LIMIT] >= 0 then pots[1] = {'I', place.segment[SEGMENT_LIMIT] - counted, ''} end
  with_grants(place, pots)
  if place.overage ~= 0 then pots[#pots + 1] = {'O', -place.overage, ''} end
  return pots
end

local shown = function(place, allowed, reason, granted, pots, rest)
  local limit, remaining = allowance(place)
  local used = place.family == 'e' and 0 or place.used
  return {allowed, reason, granted, used, limit, remaining, place.index, place.period, pots, rest}
end

local answer = function(place, allowed, reason, granted, pots)
  return shown(place, allowed, reason, granted, pots, left(place))
end

local shown_only = function(place, figures)
  place.no, place.yes, place.commit = figures, nil, nil
  return place
end

local denied = function(place, reason) return shown_only(place, answer(place, 0, reason, 0, NO_POTS)) end

local barred = function(place)
  if place.segment[SEGMENT_DENIAL] ~= '' then return place.segment[SEGMENT_DENIAL] end
  if place.segment[SEGMENT_ABSENT] == 1 and #place.active == 0 then return 'NOT_IN_PLAN' end
  return nil
end

-- What a meter's pots hold, what its rule forbids, and how that is answered.
local allowance = function(meter)
  local limit, active = meter.segment[SEGMENT_LIMIT], meter.active
  if meter.family == 'e' or limit < 0 then return -1, -1 end
  if meter.family ~= 'd' then
    for i = 1, #active do limit = limit + active[i][GRANT_AMOUNT] end
    limit = math.min(END, limit)
    return limit, math.max(0, limit - meter.used)
  end
  if active == NONE then return limit, math.max(0, limit - meter.included) end
  local rest, paid = 0, 0
  for _, grant in ipairs(active) do
    rest = rest + math.max(0, grant[GRANT_AMOUNT] - meter.burnt[grant[GRANT_ID]])
    paid = paid + meter.paid[grant[GRANT_ID]]
  end
  return math.min(END, limit + rest + paid), math.min(END, math.max(0, limit - meter.included) + rest)
end

-- How much passes at most: so many units more, or that level; -1: any.
local capacity = function(meter, mode)
  local segment, counted = meter.segment, meter.included
  local ends = segment[SEGMENT_LIMIT]
  if ends < 0 or mode == 'J' then return -1 end
  if segment[SEGMENT_OVERAGE] == 1 then
    ends, counted = segment[SEGMENT_HARD_LIMIT], counted + meter.overage
    if ends < 0 then return -1 end
  end
  local rest, level = 0, meter.family ~= 'd'
  for i = 1, #meter.active do
    local grant = meter.active[i]
    rest = rest + math.max(0, grant[GRANT_AMOUNT] - (level and 0 or meter.burnt[grant[GRANT_ID]]))
  end
  return math.min(END, (level and ends or math.max(0, ends - counted)) + rest)
end

-- Behind those given, the pots that grants still are; levels burn none.
local with_grants = function(meter, pots)
  if meter.family ~= 'd' then return pots end
  for _, grant in ipairs(meter.grants) do
    local rest = grant[GRANT_AMOUNT] - meter.burnt[grant[GRANT_ID]]
    if rest > 0 then pots[#pots + 1] = {'G', rest, grant[GRANT_ID]} end
  end
  return pots
end

local grants_left = function(meter) return meter.grants == NONE and NO_POTS or with_grants(meter, {}) end

-- What the pots still hold, and what was taken beyond them; of a level what is included above the last one.
local left = function(meter)
  local pots = {}
  if meter.family == 'e' then return pots end
  local counted = meter.family == 'd' and meter.included or meter.level
  if meter.segment[SEGMENT_LIMIT] >= 0 then pots[1] = {'I', meter.segment[SEGMENT_LIMIT] - counted, ''} end
  with_grants(meter, pots)
  if meter.overage ~= 0 then pots[#pots + 1] = {'O', -meter.overage, ''} end
  return pots
end

local shown = function(meter, allowed, reason, granted, pots, rest)
  local limit, remaining = allowance(meter)
  local used = meter.family == 'e' and 0 or meter.used
  return {allowed, reason, granted, used, limit, remaining, meter.index, meter.period, pots, rest}
end

local answer = function(meter, allowed, reason, granted, pots)
  return shown(meter, allowed, reason, granted, pots, left(meter))
end

local shown_only = function(meter, figures)
  meter.no, meter.yes, meter.commit = figures, nil, nil
  return meter
end

local denied = function(meter, reason) return shown_only(meter, answer(meter, 0, reason, 0, NO_POTS)) end

local barred = function(meter)
  if meter.segment[SEGMENT_DENIAL] ~= '' then return meter.segment[SEGMENT_DENIAL] end
  if meter.segment[SEGMENT_ABSENT] == 1 and #meter.active == 0 then return 'NOT_IN_PLAN' end
  return nil
end

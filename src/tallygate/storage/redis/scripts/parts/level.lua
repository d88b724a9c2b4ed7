-- Levels: the observed level is admitted where it is within the limit.
local observe = function(gate, place, level)
  local why = barred(place)
  if why then return denied(place, why) end
  local limit = allowance(place)
  local within = limit < 0 and level or math.min(level, limit)
  local most = capacity(place, gate[ASKED_MODE])
  if most >= 0 and level > most then return denied(place, 'QUOTA_EXHAUSTED') end
  local before = shows and answer(place, 1, '', 0, NO_POTS) or nil
  local pots = {}
  if within > 0 then pots[1] = {'I', within, ''} end
  if level > within then pots[#pots + 1] = {'O', level - within, ''} end
  if place.family == 'm' then
    place.used = math.max(place.used, level)
  elseif place.at >= place.counted then
    place.used = level
  end
  place.counted = math.max(place.counted, place.at)
  if place.at >= place.level_time then place.new_level = level end
  local reason = limit < 0 and 'UNLIMITED' or level > within and 'OVERAGE' or 'WITHIN_LIMIT'
  return settled(place, before, reason, level, pots)
end

-- Levels: the observed level is admitted where it is within the limit.
local observe = function(gate, meter, level)
  local why = barred(meter)
  if why then return denied(meter, why) end
  local limit = allowance(meter)
  local within = limit < 0 and level or math.min(level, limit)
  local most = capacity(meter, gate[ASKED_MODE])
  if most >= 0 and level > most then return denied(meter, 'QUOTA_EXHAUSTED') end
  local before = shows and answer(meter, 1, '', 0, NO_POTS) or nil
  local pots = {}
  if within > 0 then pots[1] = {'I', within, ''} end
  if level > within then pots[#pots + 1] = {'O', level - within, ''} end
  if meter.family == 'm' then
    meter.used = math.max(meter.used, level)
  elseif meter.at >= meter.counted then
    meter.used = level
  end
  meter.counted = math.max(meter.counted, meter.at)
  if meter.at >= meter.level_time then meter.new_level = level end
  local reason = limit < 0 and 'UNLIMITED' or level > within and 'OVERAGE' or 'WITHIN_LIMIT'
  return settled(meter, before, reason, level, pots)
end

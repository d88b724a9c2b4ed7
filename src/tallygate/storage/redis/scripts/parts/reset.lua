-- A new usage period, now; told as granted is what the one that it closes has counted.
-- The first one of a period forgets those of periods that had ended when the one before this began: nothing counts there.
local commit_reset = function(gate, rule, meter)
  if meter.first then forget_resets(meter.key, meter.segment[SEGMENT_PREVIOUS_START]) end
  redis.call('HSET', meter.key, meter.segment[SEGMENT_RESETS], now)
  write_counter(meter)
  add_fact(gate, meter, 0, meter.yes)
  publish(rule[QUOTA_CHANNEL], rule[QUOTA_ANNOUNCEMENT])
end

local reset = function(_, rule, key, number)
  local meter, status = locate(rule, key, number, '', false, false)
  if not meter then return nil, status end
  local closed = meter.family ~= 'e' and meter.used or 0
  meter.used = (meter.family == 'm' or meter.family == 'l') and meter.level or 0
  meter.included, meter.overage, meter.counted = 0, 0, 0
  meter.first = meter.start == meter.segment[SEGMENT_PERIOD_START]
  meter.start, meter.exists = now, false
  find_counter(meter)
  local result = {1, 'WITHIN_LIMIT', closed, meter.used, -1, -1, meter.index, meter.period, NO_POTS, NO_POTS}
  meter.yes, meter.no, meter.commit = result, result, commit_reset
  return meter
end

-- What a commit leaves behind beside the counters: a fact in the stream, and news for those who were denied.
local add_fact = function(gate, meter, granted, answer)
  local ending = gate[ASKED_ENDINGS]
  if type(ending) == 'table' then ending = ending[meter.index + 1] end
  local counted = packed(granted) .. packed(meter.at) .. packed(now) .. meter.period
  local stated = answer[ANSWER_USED] .. packed(answer[ANSWER_LIMIT]) .. packed(answer[ANSWER_REASON])
  redis.call('XADD', stream, '*', 'c', gate[ASKED_CONTEXT], 'f', '\157' .. counted .. answer[ANSWER_POTS] .. ending .. stated)
end

-- A hint: that nobody may be told is no reason to have done half of it.
local publish = function(channel, announcement)
  if channel ~= '' then redis.pcall('PUBLISH', channel, announcement) end
end

local commit_quota = function(gate, rule, meter)
  if meter.family ~= 'e' then
    write_counter(meter)
    if #meter.moved > 0 or meter.new_level then write_meter(meter) end
  end
  add_fact(gate, meter, meter.yes[ANSWER_GRANTED], meter.yes)
  publish(rule[QUOTA_CHANNEL], rule[QUOTA_ANNOUNCEMENT])
end

local settled = function(meter, before, reason, granted, pots)
  local after = shown(meter, 1, reason, granted, pots, grants_left(meter))
  if before then before[ANSWER_REASON] = reason end
  meter.yes, meter.no, meter.commit = after, before or after, commit_quota
  return meter
end

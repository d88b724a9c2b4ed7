-- What a commit leaves behind beside the counters: a fact in the stream, and news for those who were denied.
local add_fact = function(gate, place, granted, answer)
  local segment, ending = place.segment, gate[ASKED_ENDINGS]
  if type(ending) == 'table' then ending = ending[place.index + 1] end
  local counted = cmsgpack.pack(granted, place.at, now, place.start, segment[SEGMENT_PERIOD_END])
  local known = cmsgpack.pack(answer[ANSWER_USED], answer[ANSWER_LIMIT], answer[ANSWER_REASON])
  local fact = '\157' .. counted .. answer[ANSWER_POTS] .. ending .. known
  redis.call('XADD', stream, '*', 'c', gate[ASKED_CONTEXT], 'f', fact)
end

-- A hint: that nobody may be told is no reason to have done half of it.
local publish = function(channel, announcement)
  if channel ~= '' then redis.pcall('PUBLISH', channel, announcement) end
end

local commit_quota = function(gate, terms, outcome)
  local place = outcome.place
  if place.family ~= 'e' then
    write_counter(place)
    if #place.moved > 0 or place.new_level then write_meter(place) end
  end
  add_fact(gate, place, outcome.yes[ANSWER_GRANTED], outcome.yes)
  publish(terms[QUOTA_CHANNEL], terms[QUOTA_NEWS])
end

local settled = function(place, before, reason, granted, pots)
  local after = shown(place, 1, reason, granted, pots, grants_left(place, place.grants == NONE and NONE or {}))
  if before then before[ANSWER_REASON] = reason end
  return {yes = after, no = before or after, place = place, commit = commit_quota}
end

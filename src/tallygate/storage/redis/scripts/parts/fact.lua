-- What a commit leaves behind beside the counters: a fact in the stream, and news for those who were denied.
local add_fact = function(gate, place, granted, answer)
  local ending = gate[ASKED_ENDINGS]
  if type(ending) == 'table' then ending = ending[place.index + 1] end
  local counted = packed(granted) .. packed(place.at) .. packed(now) .. place.period
  local stated = answer[ANSWER_USED] .. packed(answer[ANSWER_LIMIT]) .. packed(answer[ANSWER_REASON])
  redis.call('XADD', stream, '*', 'c', gate[ASKED_CONTEXT], 'f', '\157' .. counted .. answer[ANSWER_POTS] .. ending .. stated)
end

-- A hint: that nobody may be told is no reason to have done half of it.
local publish = function(channel, announcement)
  if channel ~= '' then redis.pcall('PUBLISH', channel, announcement) end
end

local commit_quota = function(gate, terms, place)
  if place.family ~= 'e' then
    write_counter(place)
    if #place.moved > 0 or place.new_level then write_meter(place) end
  end
  add_fact(gate, place, place.yes[ANSWER_GRANTED], place.yes)
  publish(terms[QUOTA_CHANNEL], terms[QUOTA_NEWS])
end

local settled = function(place, before, reason, granted, pots)
  local after = shown(place, 1, reason, granted, pots, grants_left(place))
  if before then before[ANSWER_REASON] = reason end
  place.yes, place.no, place.commit = after, before or after, commit_quota
  return place
end

-- What a commit leaves behind beside the counters: a fact in the stream, and news for those who were denied.
local add_fact = function(gate, place, quantity, pots, ends)
  local slot = place.slot
  local fact = {quantity, place.at, now, place.start, ends, pots, slot[SLOT_SUBSCRIPTION], slot[SLOT_PLAN], slot[SLOT_VERSION], slot[SLOT_TRIAL]}
  redis.call('XADD', KEYS[KEY_STREAM], '*', 'c', gate[GATE_CONTEXT], 'f', cmsgpack.pack(fact))
end

-- A hint: that nobody may be told is no reason to have done half of it.
local publish = function(news)
  if news then redis.pcall('PUBLISH', news[NEWS_CHANNEL], news[NEWS_ANNOUNCEMENT]) end
end

local settled = function(gate, place, before, reason, granted, pots)
  local after = answer(place, 1, reason, granted, pots)
  after[ANSWER_LEFT] = grants_left(place, {})
  if before then before[ANSWER_REASON] = reason end
  return {yes = after, no = before or after, commit = function()
    if place.family ~= 'e' then
      write_counter(place)
      write_meter(place)
    end
    add_fact(gate, place, granted, pots, place.slot[SLOT_PERIOD_END])
    publish(gate[QUOTA_NEWS])
  end}
end

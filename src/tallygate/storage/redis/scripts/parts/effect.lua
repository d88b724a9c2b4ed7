-- One effect: evaluate every gate, then commit all or none, append the facts, remember the answers.
local evaluators = {}
local evaluator = function(kind)
  if not evaluators[kind] then
    if kind == 'r' then evaluators.r = rate_gates() else evaluators.q, evaluators.x = quota_gates() end
  end
  return evaluators[kind]
end

local full = function() return (raw > time or seen <= mark) and redis.call('XLEN', stream) >= backlog end

local known = {}
local terms_of = function(place)
  local terms = known[place]
  if not terms then
    terms = {cmsgpack.unpack(ARGV[5 + place])}
    known[place] = terms
  end
  return terms
end

local effect = function(kinds, looks, arg, key)
  local gates, outcomes, counts, all = {}, {}, false, true
  -- A lone gate that allows is taken, so what stood before it is shown to nobody.
  shows = looks or #kinds > 1
  for i = 1, #kinds do
    local kind = #kinds == 1 and kinds or string.sub(kinds, i, i)
    local gate = {cmsgpack.unpack(ARGV[arg + i])}
    local hash, kept = recall(gate)
    if hash then
      if hash ~= gate[ASKED_HASH] then return {'REQUEST_ID_REUSED', now} end
      outcomes[i] = {kept = kept}
    else
      local outcome, status = evaluator(kind)(gate, terms_of(gate[ASKED_TERMS]), KEYS[key + i])
      if not outcome then return {status, now} end
      if not outcome.commit then all = all and outcome.no[ANSWER_ALLOWED] == 1 end
      if kind ~= 'r' then counts = true end
      outcomes[i], gates[i], outcome.kind = outcome, gate, kind
    end
  end
  local commit = all and not looks
  if commit and counts and full() then return {'EVENT_BACKLOG', now} end
  local reply = {'DECIDED', now}
  for i, outcome in ipairs(outcomes) do
    local gate, answered = gates[i], outcome.kept
    if not answered then
      local takes = commit and outcome.commit
      local stated, left = figures(outcome.kind, takes and outcome.yes or outcome.no)
      answered = stated .. left
      if takes then
        takes(gate, terms_of(gate[ASKED_TERMS]), outcome)
        if gate[ASKED_DIGEST] ~= '' then remember(gate, stated .. (left == '' and left or NO_POTS)) end
      end
    end
    reply[2 * i + 1], reply[2 * i + 2] = gate and 0 or 1, answered
  end
  local kept_until = counts and mark + 1 or mark
  if commit and seen < kept_until then
    redis.call('SET', clock, fmt(kept_until))
    seen = kept_until
  end
  return reply
end

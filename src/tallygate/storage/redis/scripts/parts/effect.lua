-- One effect: evaluate every gate, then commit all or none, append the facts, remember the answers.
local evaluators = {}
local evaluator = function(kind)
  if kind == 'r' then evaluators.r = rate_gates() else evaluators.q, evaluators.x = quota_gates() end
  return evaluators[kind]
end

local full = function() return (raw > time or seen <= mark) and redis.call('XLEN', stream) >= backlog end

local rules = {}
local rule_of = function(number)
  local rule = rules[number]
  if not rule then
    rule = {cmsgpack.unpack(ARGV[5 + number])}
    rules[number] = rule
  end
  return rule
end

-- Of each gate of the effect at work: what it asks, what it came to, what it was answered before; each is set anew.
local gates, outcomes, before = {}, {}, {}

local effect = function(kinds, looks, arg, key)
  local many, counts, all = #kinds, false, true
  -- A lone gate that allows is taken, so what stood before it is shown to nobody.
  shows = looks or many > 1
  for i = 1, many do
    local gate = {cmsgpack.unpack(ARGV[arg + i])}
    local kind = many == 1 and kinds or string.sub(kinds, i, i)
    local hash, kept = recall(gate, i, kind == 'x' and KEYS[key + i])
    gates[i], before[i] = gate, kept
    if hash then
      if hash ~= gate[ASKED_HASH] then return {'REQUEST_ID_REUSED', now} end
    else
      local evaluate = evaluators[kind] or evaluator(kind)
      local outcome, status = evaluate(gate, rule_of(gate[ASKED_RULE]), KEYS[key + i], i)
      if not outcome then return {status, now} end
      if not outcome.commit then all = all and outcome.no[ANSWER_ALLOWED] == 1 end
      if kind ~= 'r' then counts = true end
      outcomes[i], outcome.kind = outcome, kind
    end
  end
  local commit = all and not looks
  if commit and counts and full() then return {'EVENT_BACKLOG', now} end
  local reply = {'DECIDED', now}
  for i = 1, many do
    local answered = before[i]
    reply[2 * i + 1] = answered and 1 or 0
    if not answered then
      local gate, outcome = gates[i], outcomes[i]
      local takes = commit and outcome.commit
      local stated, left = figures(outcome.kind, takes and outcome.yes or outcome.no)
      answered = stated .. left
      if takes then
        takes(gate, rule_of(gate[ASKED_RULE]), outcome)
        if gate[ASKED_DIGEST] ~= '' then remember(gate, i, stated .. (left == '' and left or NO_POTS)) end
        if outcome.kind == 'x' and gate[ASKED_DIGEST] ~= '' then remember_reset(KEYS[key + i], gate, stated .. NO_POTS) end
      end
    end
    reply[2 * i + 2] = answered
  end
  local kept_until = counts and mark + 1 or mark
  if commit and seen < kept_until then
    redis.call('SET', clock, fmt(kept_until))
    seen = kept_until
  end
  return reply
end

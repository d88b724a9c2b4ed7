-- Evaluate every gate, then commit all or none, append the facts, remember the answers.
local outcomes, taken, counts, all = {}, {}, false, true
for i, gate in ipairs(gates) do
  local hash, kept = recall(gate)
  if hash then
    if hash ~= gate[GATE_HASH] then return reply('REQUEST_ID_REUSED', now) end
    outcomes[i] = {yes = kept, no = kept}
  else
    local outcome, status = evaluator(gate[GATE_KIND])(gate, KEYS[KEY0 + i])
    if not outcome then return reply(status, now) end
    outcomes[i] = outcome
    taken[#taken + 1] = i
    if not outcome.commit then all = all and outcome.no[ANSWER_ALLOWED] == 1 end
    if gate[GATE_KIND] ~= 'r' then counts = true end
  end
end

-- 5. Commit all or none, append the facts, remember the answers.
local commit = all and not peek
if commit and counts and (behind or seen <= mark) and redis.call('XLEN', KEYS[KEY_STREAM]) >= backlog then
  return reply('EVENT_BACKLOG', now)
end
local answers = {}
for i, outcome in ipairs(outcomes) do answers[i] = commit and outcome.yes or outcome.no end
if commit then
  for _, i in ipairs(taken) do
    local gate, outcome = gates[i], outcomes[i]
    if outcome.commit then
      outcome.commit()
      if gate[GATE_DIGEST] ~= '' then remember(gate, outcome.yes) end
    else
      answers[i] = outcome.no
    end
  end
  local kept_until = counts and mark + 1 or mark
  if seen < kept_until then redis.call('SET', KEYS[KEY_CLOCK], fmt(kept_until)) end
end
return reply('DECIDED', now, cmsgpack.pack(answers))

-- What a gate answers, packed as it is replied and remembered.
local codes = {
  WITHIN_LIMIT = '\0', OVERAGE = '\1', UNLIMITED = '\2', ['QUOTA_EXHAUSTED'] = '\3', REFUND_EXCEEDS_USAGE = '\4',
  NOT_IN_PLAN = '\5', NO_SUBSCRIPTION = '\6', SUBSCRIPTION_EXPIRED = '\7', SUSPENDED = '\8',
}

-- Pots are a table of them, or packed as they are most often: included units alone, or none.
local NO_POTS = '\144'
local included_alone = {[0] = NO_POTS}
local included_pots = function(units)
  local pots = included_alone[units]
  if not pots then
    pots = '\145\147\161I' .. cmsgpack.pack(units) .. '\160'
    included_alone[units] = pots
  end
  return pots
end
local pack_pots = function(pots)
  if type(pots) == 'string' then return pots end
  return #pots == 0 and NO_POTS or cmsgpack.pack(pots)
end

-- The figures, and the pots left that follow them where they are not remembered: a replay does not tell what pots held then.
-- What a fact says as well stays in the answer as it is packed.
local figures = function(kind, answer)
  if kind == 'r' then
    local allowed, rest = packed(answer[1]) .. packed(answer[2]), cmsgpack.pack(answer[3], answer[4])
    return '\150' .. allowed .. rest .. packed(answer[5]) .. packed(now), ''
  end
  local pots, used = pack_pots(answer[ANSWER_POTS]), cmsgpack.pack(answer[ANSWER_USED])
  answer[ANSWER_POTS], answer[ANSWER_USED] = pots, used
  return '\154' .. codes[answer[ANSWER_REASON]] .. packed(answer[ANSWER_GRANTED]) .. used .. packed(answer[ANSWER_LIMIT])
    .. cmsgpack.pack(answer[ANSWER_REMAINING]) .. packed(answer[ANSWER_SEGMENT]) .. answer[ANSWER_PERIOD] .. pots,
    pack_pots(answer[ANSWER_LEFT])
end

-- What a gate answers, packed as it is replied and remembered.
local codes = {
  WITHIN_LIMIT = 0, OVERAGE = 1, UNLIMITED = 2, ['QUOTA_EXHAUSTED'] = 3, REFUND_EXCEEDS_USAGE = 4, NOT_IN_PLAN = 5,
  NO_SUBSCRIPTION = 6, SUBSCRIPTION_EXPIRED = 7, SUSPENDED = 8,
}

local pack_pots = function(pots)
  if #pots == 0 then return '\144' end
  if #pots == 1 and pots[1][POT_KIND] == 'I' then
    return '\145\147\161I' .. cmsgpack.pack(pots[1][POT_UNITS]) .. '\160'
  end
  return cmsgpack.pack(pots)
end

-- The figures, and the pots left that follow them where they are not remembered: a replay does not tell what pots held then.
local NO_POTS = '\144'
local figures = function(kind, answer)
  if kind == 'r' then
    return '\150' .. cmsgpack.pack(answer[1], answer[2], answer[3], answer[4], answer[5], now), ''
  end
  local pots = pack_pots(answer[ANSWER_POTS])
  answer[ANSWER_POTS] = pots  -- as the fact says them, too
  return '\154' .. cmsgpack.pack(
    codes[answer[ANSWER_REASON]], answer[ANSWER_GRANTED], answer[ANSWER_USED], answer[ANSWER_LIMIT],
    answer[ANSWER_REMAINING], answer[ANSWER_SEGMENT], answer[ANSWER_START], answer[ANSWER_END]
  ) .. pots, pack_pots(answer[ANSWER_LEFT])
end

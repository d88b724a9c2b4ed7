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

local figures = function(kind, answer)
  if kind == 'r' then
    local allowed, limit, remaining, reset_after, retry_after = unpack(answer, 1, 5)
    return '\150' .. cmsgpack.pack(allowed, limit, remaining, reset_after, retry_after, now)
  end
  local allowed, reason, granted, used, limit, remaining, segment, start, ends = unpack(answer, 1, 9)
  return '\154' .. cmsgpack.pack(codes[reason], granted, used, limit, remaining, segment, start, ends)
    .. pack_pots(answer[ANSWER_POTS]) .. pack_pots(answer[ANSWER_LEFT])
end

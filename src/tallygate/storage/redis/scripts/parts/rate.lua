-- A rate limit, by its algorithm.
local rate = function(gate, terms, key)
  local algorithm, cost = terms[RATE_ALGORITHM], gate[ASKED_COST]
  if algorithm == 't' then return token_bucket(cost, terms, key) end
  if algorithm == 'f' then return fixed_window(cost, terms, key) end
  return sliding_window(cost, terms, key)
end

-- A rate limit, by its algorithm.
local rate = function(gate, rule, key)
  local algorithm, cost = rule[RATE_ALGORITHM], gate[ASKED_COST]
  if algorithm == 't' then return token_bucket(cost, rule, key) end
  if algorithm == 'f' then return fixed_window(cost, rule, key) end
  return sliding_window(cost, rule, key)
end

-- A rate limit, by its algorithm.
local rate = function(gate, key)
  if gate[RATE_ALGORITHM] == 't' then return token_bucket(gate, key) end
  if gate[RATE_ALGORITHM] == 'f' then return fixed_window(gate, key) end
  return sliding_window(gate, key)
end

-- Whole numbers that Lua holds exactly.
-- Lua writes whole numbers up to 14 digits as they are, and faster than a format does. Commands take any number as it is.
local fmt = function(n)
  if n < 1e14 and n > -1e14 then return tostring(n) end
  return string.format('%.0f', n)
end
local num = function(v) return tonumber(v or 0) or 0 end
local div = function(a, b) return (a - math.fmod(a, b)) / b end
local ceil_div = function(a, b)
  local whole = div(a, b)
  if whole * b < a then return whole + 1 end
  return whole
end

-- What many effects of a burst say, packed once.
local texts = {}
local packed = function(value)
  local text = texts[value]
  if not text then
    text = cmsgpack.pack(value)
    texts[value] = text
  end
  return text
end

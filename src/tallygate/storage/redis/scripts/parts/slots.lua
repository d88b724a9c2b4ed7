-- Which slot an instant lies in.
local slot_at = function(slots, at)
  for i, slot in ipairs(slots) do
    if slot[SLOT_START] <= at and at < slot[SLOT_END] then return i end
  end
  return nil
end

-- Was an effect of this call admitted before? Two generations of one window remember it.
local current = KEYS[KEY_REPLAYS] .. fmt(generation) .. ':'
local previous = KEYS[KEY_REPLAYS] .. fmt(generation - 1) .. ':'
local reasons = {[0] = 'WITHIN_LIMIT', [1] = 'OVERAGE', [2] = 'UNLIMITED'}
local numbers = {WITHIN_LIMIT = 0, OVERAGE = 1, UNLIMITED = 2}
local recall = function(gate)
  if gate[GATE_DIGEST] == '' then return nil end
  local found = redis.call('HGET', current .. gate[GATE_BUCKET], gate[GATE_DIGEST])
    or redis.call('HGET', previous .. gate[GATE_BUCKET], gate[GATE_DIGEST])
  if not found then return nil end
  local hash, kept = string.sub(found, 1, 8), cmsgpack.unpack(string.sub(found, 9))
  if gate[GATE_KIND] == 'r' then return hash, {1, kept[1], kept[2], kept[3], kept[4], 1, kept[5]} end
  local reason, granted, used, remaining, limit, start, ends, slot, pots = unpack(kept, 1, 9)
  if not pots then pots = granted ~= 0 and {{'I', granted, ''}} or {} end
  return hash, {1, reasons[reason], granted, used, limit, remaining, pots, slot, start, ends, {}, 1}
end
local remember = function(gate, answer)
  local note
  if gate[GATE_KIND] == 'r' then
    note = {answer[RATED_LIMIT], answer[RATED_REMAINING], answer[RATED_RESET_AFTER], answer[RATED_RETRY_AFTER], now}
  else
    local granted, pots = answer[ANSWER_GRANTED], answer[ANSWER_POTS]
    note = {
      numbers[answer[ANSWER_REASON]], granted, answer[ANSWER_USED], answer[ANSWER_REMAINING], answer[ANSWER_LIMIT],
      answer[ANSWER_START], answer[ANSWER_END], answer[ANSWER_SLOT],
    }
    local one = #pots == 1 and pots[1][POT_KIND] == 'I' and pots[1][POT_UNITS] == granted
    if not (one or #pots == 0 and granted == 0) then note[9] = pots end
  end
  local key = current .. gate[GATE_BUCKET]
  redis.call('HSET', key, gate[GATE_DIGEST], gate[GATE_HASH] .. cmsgpack.pack(note))
  if redis.call('HLEN', key) == 1 then redis.call('PEXPIRE', key, fmt(math.ceil(window / 500))) end
end

-- Plain: one quota in one slot that no grants pay for.
if kind == 'c' or kind == 'l' then
  local start, stop, limit, soft, began, began_text, ends, keep_until, ending, period, plan, slot =
    cmsgpack.unpack(ARGV[4])
  if now < start or now >= stop then return {ARGV[1], 'SLOTS_MISSED', now, ''} end
  local key = KEYS[7] .. ':' .. began_text
  local kept = redis.call('HMGET', key, 'u', 'i', 'o', 'x')
  local reset = kept[4]
  if reset then
    key, began = KEYS[7] .. ':' .. reset, reset + 0
    if began > now then return {ARGV[1], 'NOT_PLAIN', now, ''} end
    kept = redis.call('HMGET', key, 'u', 'i', 'o')
    period = cmsgpack.pack(began, ends)
    ending = nil
  end
  local used, included, overage = (kept[1] or 0) + 0, (kept[2] or 0) + 0, (kept[3] or 0) + 0
  if kind == 'l' then return {ARGV[1], 'SEEN', now, used, included, overage, began} end

  local digest, hash, quantity = ARGV[5], ARGV[6], ARGV[8] + 0
  local room = limit < 0 and quantity or math.max(0, limit - included)
  local own, over = math.min(quantity, room), math.max(0, quantity - room)
  local status
  if over > 0 and soft == 0 then
    status = 'DENIED'
  elseif used + quantity > END then
    status = 'COUNTER_OVERFLOW'
  elseif (behind or seen <= mark) and redis.call('XLEN', KEYS[KEY_STREAM]) >= backlog then
    status = 'EVENT_BACKLOG'
  end
  local generation = (raw - math.fmod(raw, window)) / window
  local current = KEYS[KEY_REPLAYS] .. generation .. ':' .. ARGV[7]
  local known = redis.call('HGET', KEYS[KEY_REPLAYS] .. (generation - 1) .. ':' .. ARGV[7], digest)
  if not known and not status then
    local units = cmsgpack.pack(quantity)
    local left = limit < 0 and -1 or room - own
    if not ending then ending = cmsgpack.pack(limit) .. period .. cmsgpack.pack(slot) end
    local pots, note
    if over == 0 then
      pots = '\145\147\161I' .. units .. '\160'
      note = hash .. '\152' .. (limit < 0 and '\2' or '\0') .. units
      note = note .. cmsgpack.pack(used + quantity, left) .. ending
    else
      pots = {{'O', over, ''}}
      if own > 0 then pots = {{'I', own, ''}, pots[1]} end
      pots = cmsgpack.pack(pots)
      note = hash .. '\153\1' .. units .. cmsgpack.pack(used + quantity, left) .. ending .. pots
    end
    -- The write that remembers is the last look for an effect that is known: nothing was changed before it.
    if redis.call('HSETNX', current, digest, note) == 1 then
      used, included, overage = used + quantity, included + own, overage + over
      if redis.call('HLEN', current) == 1 then redis.call('PEXPIRE', current, math.ceil(window / 500)) end
      if over == 0 then
        redis.call('HSET', key, 'u', used, 'i', included)
      else
        redis.call('HSET', key, 'u', used, 'i', included, 'o', overage)
      end
      if not kept[1] then
        local soonest = math.ceil(raw / 1000) + (offset ~= 0 and 86400000 or 1000)
        redis.call('PEXPIREAT', key, math.max(math.ceil((keep_until - offset) / 1000), soonest))
      end
      local at = cmsgpack.pack(now)
      redis.call('XADD', KEYS[KEY_STREAM], '*', 'c', ARGV[9], 'f', '\154' .. units .. at .. at .. period .. pots .. plan)
      if seen <= mark then redis.call('SET', KEYS[KEY_CLOCK], mark + 1) end
      return {ARGV[1], 'TAKEN', now, used, included, over, began}
    end
  end
  if known or redis.call('HEXISTS', current, digest) == 1 then return {ARGV[1], 'NOT_PLAIN', now, ''} end
  return {ARGV[1], status, now, used, included, overage, began}
end

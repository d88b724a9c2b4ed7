-- Admit these gates, all or none. The specification is tallygate/domain/gating/{admit,quota,rate_limit}.py; property
-- tests prove this script equal to it over random histories. Runs unchanged on Redis >= 7 and Valkey.
--
-- KEYS  1 epoch  2 clock  3 catalogue version  4 account record (absent: same as 3)  5 stream  6 replay prefix
--       7.. each gate's state key, in the gates' order; all share one hash tag, but for limits that the tenant owns
-- ARGV  1 caller's sequence number, echoed  2 world, msgpack values one after the other:
--         kind  epoch expected  catalogue version  account version or ""  test clock offset (us)  replay window (us)
--         stream bound
--       then by kind:
--   "g" take, "p" look only: 3 gates (msgpack)
--       -> {sequence, "DECIDED", now, answers (msgpack)}, or another status with no answers: nothing was taken
--   Of "EPOCH_MISMATCH" the fourth is the epoch that is, of every kind of call.
--   Plain calls, which are most: the same rules, written out for what they ask (section 2).
--   "c" take from one quota: 3 terms 4 digest 5 payload hash 6 replay bucket 7 quantity 8 context
--       -> {sequence, "TAKEN"|"DENIED", now, used, included, overage, period start}
--   "l" look at one quota: 3 terms   -> {sequence, "SEEN", now, used, included, overage, period start}
--   "r" take from rate limits: 3 gates, each an "r" as below, of algorithm t or f, without its first four elements
--       -> {sequence, "TAKEN"|"DENIED", now, then of each: allowed, remaining, reset_after, retry_after|-1}
--   Whatever else may be the case is another status ("NOT_PLAIN", or one of the general way's): nothing was taken, and
--   the caller goes the general way.
--   Terms: start  end  limit|-1  overage  period_start (number, text)  period_end  keep_until  packed limit, period
--          and slot (as a record ends)  packed period  packed subscription, plan, version, trial  slot
--   Of "TAKEN" the overage is that of this call alone.
--
-- A gate is an array, by its first element:
--   "q" digest payload_hash bucket context quantity|false mode(A|B|J) family(d|m|l|e) occurred|false slots grants
--       news (of a refund alone)
--   "x" digest payload_hash bucket context family slots news
--   "r" digest payload_hash bucket algorithm(t|f|s) cost limit window tick token drain size burst sub_bucket_width
-- A slot:  start end period_start period_end previous_start keep_until limit|-1 overage standing|"" absent
--          subscription plan version trial exclusive
-- A grant: id amount effective expire
-- News: {channel, announcement}, published with the commit of what may let others pass who were denied
-- A record of an effect: payload hash (8 bytes), then a quota's or a reset's
--   {reason (0 WITHIN_LIMIT, 1 OVERAGE, 2 UNLIMITED), granted, used, remaining, limit, period start, period end, slot,
--    pots unless the included allowance paid all}, or a rate limit's {limit, remaining, reset_after, retry_after}
-- The clock is kept to a grain, and so is the look at the stream's bound: who appends a fact looks when it is the first to
--   do so in its grain, and then sets the clock past the grain's start; who appends none sets it to that start. So time
--   never falls back beyond a grain's start, and a full stream is found by the first fact of each grain until it is not.
-- State: a meter's hashes are told in keys.py. A token bucket is {debt, instant, token} and a fixed window
--   {start, count}, as values one after the other; a sliding window is a list of "mark cost", and its sum behind ":s".
local END = 9007199254740991
local GRAIN = 100000

-- 1. Is this still the world that the caller resolved in?
local kind, expected, catalogue, record, offset, window, backlog = cmsgpack.unpack(ARGV[2])
local t = redis.call('TIME')
local raw = t[1] * 1000000 + t[2]
local world = redis.call('MGET', KEYS[1], KEYS[2], KEYS[3])
local seen = (world[2] or 0) + 0
local behind = raw < seen
if behind then raw = seen end
local mark = raw - math.fmod(raw, GRAIN)
local now = raw + offset
local epoch = world[1] or ''
if epoch ~= expected then return {ARGV[1], 'EPOCH_MISMATCH', now, epoch} end
if (world[3] or '0') ~= catalogue then return {ARGV[1], 'STALE_VIEW', now, ''} end
if record ~= '' and (redis.call('HGET', KEYS[4], 'v') or '0') ~= record then return {ARGV[1], 'STALE_VIEW', now, ''} end

-- 2. Plain calls: one quota in one slot that no grants pay for, or rate limits without an identity.
if kind == 'r' then
  local gates = cmsgpack.unpack(ARGV[3])
  local reply, values, all = {ARGV[1], 'TAKEN', now}, {}, true
  for i, gate in ipairs(gates) do
    local kept = redis.call('GET', KEYS[6 + i])
    local cost, allowed, remaining, reset, retry = gate[2], true, 0, 0, 0
    if gate[1] == 't' then
      local tick, token, drain, size = gate[5], gate[6], gate[7], gate[8]
      local debt, ticks, price = 0, (now - math.fmod(now, tick)) / tick, cost * token
      if kept then
        local owed, last, was = cmsgpack.unpack(kept)
        if was ~= token then return {ARGV[1], 'NOT_PLAIN', now, ''} end
        last = last / tick
        if last ~= math.floor(last) then return {ARGV[1], 'NOT_PLAIN', now, ''} end
        if last > ticks then ticks = last end
        debt = math.max(0, owed - (ticks - last) * drain)
      end
      allowed = debt + price <= size
      if allowed then
        debt = debt + price
        values[i] = cmsgpack.pack(debt, ticks * tick, token)
      elseif price <= size and drain > 0 then
        retry = math.ceil((debt + price - size) / drain) * tick
      else
        retry = -1
      end
      local rest = math.max(0, size - debt)
      remaining = (rest - math.fmod(rest, token)) / token
      if drain > 0 then reset = math.ceil(debt / drain) * tick end
    else
      local limit, width = gate[3], gate[4]
      local start, count = now - math.fmod(now, width), 0
      if kept then
        local began, counted = cmsgpack.unpack(kept)
        if began > now then start = began end
        if began == start then count = counted end
      end
      reset = start + width - now
      allowed = count + cost <= limit
      if allowed then
        count = count + cost
        values[i] = cmsgpack.pack(start, count)
      else
        retry = cost <= limit and reset or -1
      end
      remaining = math.max(0, limit - count)
    end
    all = all and allowed
    local at = 4 * i
    reply[at], reply[at + 1], reply[at + 2], reply[at + 3] = allowed and 1 or 0, remaining, reset, retry
  end
  if not all then
    -- Those that would have allowed show what stood before them: the general way knows how to tell.
    if #gates > 1 then return {ARGV[1], 'NOT_PLAIN', now, ''} end
    reply[2] = 'DENIED'
    return reply
  end
  for i = 1, #gates do
    redis.call('SET', KEYS[6 + i], values[i], 'PX', math.ceil(reply[4 * i + 2] / 1000) + 1000)
  end
  if seen < mark then redis.call('SET', KEYS[2], mark) end
  return reply
end

if kind == 'c' or kind == 'l' then
  local start, stop, limit, soft, began, began_text, ends, keep_until, ending, period, plan, slot =
    cmsgpack.unpack(ARGV[3])
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

  local digest, hash, quantity = ARGV[4], ARGV[5], ARGV[7] + 0
  local room = limit < 0 and quantity or math.max(0, limit - included)
  local own, over = math.min(quantity, room), math.max(0, quantity - room)
  local status
  if over > 0 and soft == 0 then
    status = 'DENIED'
  elseif used + quantity > END then
    status = 'COUNTER_OVERFLOW'
  elseif (behind or seen <= mark) and redis.call('XLEN', KEYS[5]) >= backlog then
    status = 'EVENT_BACKLOG'
  end
  local generation = (now - math.fmod(now, window)) / window
  local current = KEYS[6] .. generation .. ':' .. ARGV[6]
  local known = redis.call('HGET', KEYS[6] .. (generation - 1) .. ':' .. ARGV[6], digest)
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
        redis.call('PEXPIREAT', key, math.max(math.ceil((keep_until - offset) / 1000), math.ceil(raw / 1000 + 1000)))
      end
      local at = cmsgpack.pack(now)
      redis.call('XADD', KEYS[5], '*', 'c', ARGV[8], 'f', '\154' .. units .. at .. at .. period .. pots .. plan)
      if seen <= mark then redis.call('SET', KEYS[2], mark + 1) end
      return {ARGV[1], 'TAKEN', now, used, included, over, began}
    end
  end
  if known or redis.call('HEXISTS', current, digest) == 1 then return {ARGV[1], 'NOT_PLAIN', now, ''} end
  return {ARGV[1], status, now, used, included, overage, began}
end

local KEY0 = 6
local AHEAD = 300000000

-- Lua writes whole numbers up to 14 digits as they are, and faster than a format does.
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

local reply = function(status, now, body) return {ARGV[1], status, now, body or ''} end

local peek = kind == 'p'
local generation = div(now, window)
local gates = cmsgpack.unpack(ARGV[3])
-- A lone gate that allows is taken, so what stood before it is shown to nobody.
local shows = peek or #gates > 1

-- 3. Was an effect of this call admitted before? Two generations of one window remember it.
local current = KEYS[6] .. fmt(generation) .. ':'
local previous = KEYS[6] .. fmt(generation - 1) .. ':'
local reasons = {[0] = 'WITHIN_LIMIT', [1] = 'OVERAGE', [2] = 'UNLIMITED'}
local numbers = {WITHIN_LIMIT = 0, OVERAGE = 1, UNLIMITED = 2}
local recall = function(gate)
  if gate[2] == '' then return nil end
  local found = redis.call('HGET', current .. gate[4], gate[2]) or redis.call('HGET', previous .. gate[4], gate[2])
  if not found then return nil end
  local hash, kept = string.sub(found, 1, 8), cmsgpack.unpack(string.sub(found, 9))
  if gate[1] == 'r' then return hash, {1, kept[1], kept[2], kept[3], kept[4], 1} end
  local reason, granted, used, remaining, limit, start, ends, slot, pots = unpack(kept, 1, 9)
  if not pots then pots = granted ~= 0 and {{'I', granted, ''}} or {} end
  return hash, {1, reasons[reason], granted, used, limit, remaining, pots, slot, start, ends, {}, 1}
end
local remember = function(gate, answer)
  local note
  if gate[1] == 'r' then
    note = {answer[2], answer[3], answer[4], answer[5]}
  else
    local granted, pots = answer[3], answer[7]
    note = {numbers[answer[2]], granted, answer[4], answer[6], answer[5], answer[9], answer[10], answer[8]}
    local one = #pots == 1 and pots[1][1] == 'I' and pots[1][2] == granted
    if not (one or #pots == 0 and granted == 0) then note[9] = pots end
  end
  local key = current .. gate[4]
  redis.call('HSET', key, gate[2], gate[3] .. cmsgpack.pack(note))
  if redis.call('HLEN', key) == 1 then redis.call('PEXPIRE', key, fmt(math.ceil(window / 500))) end
end

-- 4. Evaluate. Every evaluation returns the answer if taken, the answer if not, and how to commit; or an error status.
local slot_at = function(slots, at)
  for i, slot in ipairs(slots) do
    if slot[1] <= at and at < slot[2] then return i end
  end
  return nil
end

-- What a call does not ask for is not even defined: making functions costs more than calling them.
local quota_gates = function()
  local active_grants = function(grants, at)
    local active = {}
    for _, grant in ipairs(grants) do
      if grant[3] <= at and at < grant[4] then active[#active + 1] = grant end
    end
    return active
  end

  local read_meter = function(place)
    local fields = {'r', 'l', 't'}
    for _, grant in ipairs(place.grants) do fields[#fields + 1] = 'g:' .. grant[1] end
    local values = redis.call('HMGET', place.key, unpack(fields))
    place.reset, place.level, place.level_time, place.burnt = num(values[1]), num(values[2]), num(values[3]), {}
    for i, grant in ipairs(place.grants) do place.burnt[grant[1]] = num(values[3 + i]) end
  end

  local read_counter = function(place)
    local fields = {'u', 'i', 'o', 't'}
    for _, grant in ipairs(place.grants) do fields[#fields + 1] = 'g:' .. grant[1] end
    place.counter_key = place.key .. ':' .. fmt(place.start)
    local values = redis.call('HMGET', place.counter_key, unpack(fields))
    place.exists = values[1] and true or false
    place.used, place.included, place.overage = num(values[1]), num(values[2]), num(values[3])
    place.counted, place.paid = num(values[4]), {}
    for i, grant in ipairs(place.grants) do place.paid[grant[1]] = num(values[4 + i]) end
    if (place.family == 'm' or place.family == 'l') and not place.exists then place.used = place.level end
  end

  local locate = function(key, slots, grants, family, occurred, looks)
    local at = occurred or now
    local current = slot_at(slots, now)
    if not current then return nil, 'SLOTS_MISSED' end
    local takes_here = slots[current][5] <= at and at <= now + AHEAD
    if not looks and not takes_here then return nil, 'OCCURRED_OUT_OF_RANGE' end
    local index = slot_at(slots, at)
    if not index then return nil, 'SLOTS_MISSED' end
    local slot = slots[index]
    local place = {key = key, slot = slot, index = index, at = at, grants = grants, family = family}
    place.active = slot[15] == 1 and {} or active_grants(grants, at)
    read_meter(place)
    place.start = slot[3]
    if slot[3] < place.reset and place.reset <= at then place.start = place.reset end
    read_counter(place)
    return place
  end

  -- Limit and remaining: the included allowance plus what active grants hold or paid in this period; -1: unlimited.
  local allowance = function(place)
    local limit = place.slot[7]
    if place.family == 'e' or limit < 0 then return -1, -1 end
    if place.family ~= 'd' then
      for _, grant in ipairs(place.active) do limit = limit + grant[2] end
      limit = math.min(END, limit)
      return limit, math.max(0, limit - place.used)
    end
    local rest, paid = 0, 0
    for _, grant in ipairs(place.active) do
      rest = rest + math.max(0, grant[2] - place.burnt[grant[1]])
      paid = paid + place.paid[grant[1]]
    end
    return math.min(END, limit + rest + paid), math.min(END, math.max(0, limit - place.included) + rest)
  end

  -- What the pots of a delta meter still hold; told where nothing was taken.
  local left = function(place)
    local pots = {}
    if place.family ~= 'd' then return pots end
    if place.slot[7] >= 0 then pots[1] = {'I', place.slot[7] - place.included, ''} end
    for _, grant in ipairs(place.grants) do
      local rest = grant[2] - place.burnt[grant[1]]
      if rest > 0 then pots[#pots + 1] = {'G', rest, grant[1]} end
    end
    return pots
  end

  local answer = function(place, allowed, reason, granted, pots)
    local limit, remaining = allowance(place)
    local used = place.used
    if place.family == 'e' then used = 0 end
    local index, ends = place.index - 1, place.slot[4]
    return {allowed, reason, granted, used, limit, remaining, pots, index, place.start, ends, left(place)}
  end

  local denied = function(place, reason) return {no = answer(place, 0, reason, 0, {})} end

  local barred = function(place)
    if place.slot[9] ~= '' then return place.slot[9] end
    if place.slot[10] == 1 and #place.active == 0 then return 'NOT_IN_PLAN' end
    return nil
  end

  -- Takes or returns units of one grant in the place; negative returns.
  local move = function(place, id, units)
    place.burnt[id], place.paid[id] = place.burnt[id] + units, place.paid[id] + units
    place.moved[#place.moved + 1] = id
  end

  local expiry = function(place)
    return fmt(math.max(math.ceil((place.slot[6] - offset) / 1000), math.ceil(raw / 1000) + 1000))
  end

  local write_counter = function(place)
    local fields = {'u', fmt(place.used)}
    local put = function(name, value) fields[#fields + 1] = name; fields[#fields + 1] = fmt(value) end
    if place.family == 'd' then
      put('i', place.included)
      put('o', place.overage)
    else
      put('t', place.counted)
    end
    for _, id in ipairs(place.moved) do put('g:' .. id, place.paid[id]) end
    redis.call('HSET', place.counter_key, unpack(fields))
    if not place.exists then redis.call('PEXPIREAT', place.counter_key, expiry(place)) end
  end

  local write_meter = function(place)
    local fields = {}
    for _, id in ipairs(place.moved) do
      fields[#fields + 1] = 'g:' .. id
      fields[#fields + 1] = fmt(place.burnt[id])
    end
    if place.new_level then
      for _, pair in ipairs({{'l', place.new_level}, {'t', place.at}}) do
        fields[#fields + 1] = pair[1]
        fields[#fields + 1] = fmt(pair[2])
      end
    end
    if #fields > 0 then redis.call('HSET', place.key, unpack(fields)) end
  end

  local add_fact = function(gate, place, quantity, pots, ends)
    local slot = place.slot
    local fact = {quantity, place.at, now, place.start, ends, pots, slot[11], slot[12], slot[13], slot[14]}
    redis.call('XADD', KEYS[5], '*', 'c', gate[5], 'f', cmsgpack.pack(fact))
  end

  -- A hint: that nobody may be told is no reason to have done half of it.
  local publish = function(news)
    if news then redis.pcall('PUBLISH', news[1], news[2]) end
  end

  local settled = function(gate, place, before, reason, granted, pots)
    local after = answer(place, 1, reason, granted, pots)
    after[11] = {}
    if before then before[2] = reason end
    return {yes = after, no = before or after, commit = function()
      if place.family ~= 'e' then
        write_counter(place)
        write_meter(place)
      end
      add_fact(gate, place, granted, pots, place.slot[4])
      publish(gate[12])
    end}
  end

  local burn = function(gate, place, quantity)
    local before = shows and answer(place, 1, '', 0, {}) or nil
    local limit = place.slot[7]
    local included = quantity
    if limit >= 0 then included = math.min(quantity, math.max(0, limit - place.included)) end
    local pots, rest = {}, quantity - included
    if included > 0 then pots[1] = {'I', included, ''} end
    for _, grant in ipairs(place.active) do
      local units = math.min(rest, math.max(0, grant[2] - place.burnt[grant[1]]))
      if units > 0 then
        move(place, grant[1], units)
        pots[#pots + 1] = {'G', units, grant[1]}
        rest = rest - units
      end
    end
    if rest > 0 then pots[#pots + 1] = {'O', rest, ''} end
    place.used, place.included, place.overage = place.used + quantity, place.included + included, place.overage + rest
    local reason = limit < 0 and 'UNLIMITED' or rest > 0 and 'OVERAGE' or 'WITHIN_LIMIT'
    return settled(gate, place, before, reason, quantity, pots)
  end

  -- Returns units to the pots that paid in this period, the last of the burn order first.
  local refund = function(gate, place, amount)
    local before = shows and answer(place, 1, '', 0, {}) or nil
    local cap = place.overage + place.included
    for _, grant in ipairs(place.grants) do cap = cap + math.max(0, place.paid[grant[1]]) end
    if amount > cap then
      if gate[7] ~= 'B' or cap == 0 then return denied(place, 'REFUND_EXCEEDS_USAGE') end
      amount = cap
    end
    local overage = math.min(amount, place.overage)
    local pots, rest = {}, amount - overage
    if overage > 0 then pots[1] = {'O', -overage, ''} end
    for i = #place.grants, 1, -1 do
      local id = place.grants[i][1]
      local units = math.min(rest, math.max(0, place.paid[id]))
      if units > 0 then
        move(place, id, -units)
        pots[#pots + 1] = {'G', -units, id}
        rest = rest - units
      end
    end
    if rest > 0 then pots[#pots + 1] = {'I', -rest, ''} end
    place.used, place.included, place.overage = place.used - amount, place.included - rest, place.overage - overage
    return settled(gate, place, before, place.slot[7] < 0 and 'UNLIMITED' or 'WITHIN_LIMIT', -amount, pots)
  end

  local delta = function(gate, place, quantity)
    if quantity < 0 then return refund(gate, place, -quantity) end
    local why = barred(place)
    if why then return denied(place, why) end
    local _, remaining = allowance(place)
    local soft = place.slot[8] == 1 or gate[7] == 'J'
    if remaining >= 0 and quantity > remaining and not soft then
      if gate[7] ~= 'B' or remaining == 0 then return denied(place, 'QUOTA_EXHAUSTED') end
      quantity = remaining
    end
    if place.used + quantity > END then return nil, 'COUNTER_OVERFLOW' end
    return burn(gate, place, quantity)
  end

  local observe = function(gate, place, level)
    local why = barred(place)
    if why then return denied(place, why) end
    local limit = allowance(place)
    local within = limit < 0 and level or math.min(level, limit)
    if level > within and not (place.slot[8] == 1 or gate[7] == 'J') then return denied(place, 'QUOTA_EXHAUSTED') end
    local before = shows and answer(place, 1, '', 0, {}) or nil
    local pots = {}
    if within > 0 then pots[1] = {'I', within, ''} end
    if level > within then pots[#pots + 1] = {'O', level - within, ''} end
    if place.family == 'm' then
      place.used = math.max(place.used, level)
    elseif place.at >= place.counted then
      place.used = level
    end
    place.counted = math.max(place.counted, place.at)
    if place.at >= place.level_time then place.new_level = level end
    local reason = limit < 0 and 'UNLIMITED' or level > within and 'OVERAGE' or 'WITHIN_LIMIT'
    return settled(gate, place, before, reason, level, pots)
  end

  local measure = function(gate, place, quantity)
    local why = barred(place)
    if why then return denied(place, why) end
    local pots = {}
    if quantity > 0 then pots[1] = {'I', quantity, ''} end
    return settled(gate, place, shows and answer(place, 1, '', 0, {}) or nil, 'UNLIMITED', quantity, pots)
  end

  local look = function(place)
    local why = barred(place)
    if why then return denied(place, why) end
    local free = place.family == 'e' or place.slot[7] < 0
    return {no = answer(place, 1, free and 'UNLIMITED' or 'WITHIN_LIMIT', 0, {})}
  end

  local quota = function(gate, key)
    local place, status = locate(key, gate[10], gate[11], gate[8], gate[9], gate[6] == false)
    if not place then return nil, status end
    place.moved = {}
    if gate[6] == false then return look(place) end
    if place.family == 'd' then return delta(gate, place, gate[6]) end
    if place.family == 'e' then return measure(gate, place, gate[6]) end
    return observe(gate, place, gate[6])
  end

  local reset = function(gate, key)
    local place, status = locate(key, gate[7], {}, gate[6], false, false)
    if not place then return nil, status end
    place.used = (place.family == 'm' or place.family == 'l') and place.level or 0
    place.included, place.overage, place.counted, place.moved = 0, 0, 0, {}
    place.start, place.exists = now, false
    place.counter_key = key .. ':' .. fmt(now)
    local result = {1, 'WITHIN_LIMIT', 0, place.used, -1, -1, {}, place.index - 1, now, place.slot[4], {}}
    return {yes = result, no = result, commit = function()
      redis.call('HSET', key, 'r', fmt(now))
      local origin = key .. ':' .. fmt(place.slot[3])
      redis.call('HSET', origin, 'x', fmt(now))
      redis.call('PEXPIREAT', origin, expiry(place))
      write_counter(place)
      add_fact(gate, place, 0, {}, place.slot[4])
      publish(gate[8])
    end}
  end

  return quota, reset
end

local rate_gates = function()
  -- A debt counted in tokens of `was` units, in tokens of `token` units, rounded down, where debt * token is inexact.
  local rescale = function(debt, was, token)
    local whole = div(debt, was)
    local rest, bits, quotient, over = debt - whole * was, {}, 0, 0
    if whole * token >= END then return END end
    while token > 0 do
      bits[#bits + 1] = math.fmod(token, 2)
      token = div(token, 2)
    end
    local factor = 0
    for i = #bits, 1, -1 do
      factor, quotient, over = factor * 2 + bits[i], quotient * 2, over * 2 + bits[i] * rest
      while over >= was do quotient, over = quotient + 1, over - was end
    end
    return math.min(END, whole * factor + quotient)
  end

  -- Rate limits: {allowed, limit, remaining, reset_after, retry_after|-1}
  local token_bucket = function(gate, key)
    local cost, tick, token, drain, size = gate[6], gate[9], gate[10], gate[11], gate[12]
    local debt, time, was = 0, 0, 0
    local kept = redis.call('GET', key)
    if kept then debt, time, was = cmsgpack.unpack(kept) end
    local ticks = div(now, tick)
    local last = was == 0 and ticks or div(time, tick)
    ticks = math.max(last, ticks)
    if was ~= 0 and was ~= token then debt = rescale(debt, was, token) end
    local drained = (ticks - last) * drain
    if drained >= debt then debt = 0 else debt = debt - drained end
    local price = cost * token
    local allowed = debt + price <= size
    local retry = -1
    if allowed then
      retry = 0
    elseif price <= size and drain > 0 then
      retry = ceil_div(debt + price - size, drain) * tick
    end
    local show = function(owed)
      local full = drain > 0 and ceil_div(owed, drain) * tick or 0
      return {allowed and 1 or 0, gate[13], math.max(0, div(math.max(0, size - owed), token)), full, retry}, full
    end
    local before = show(debt)
    if not allowed then return {no = before} end
    local after, full = show(debt + price)
    return {yes = after, no = before, commit = function()
      local value = cmsgpack.pack(debt + price, ticks * tick, token)
      redis.call('SET', key, value, 'PX', fmt(math.ceil(full / 1000) + 1000))
    end}
  end

  local fixed_window = function(gate, key)
    local cost, limit, width = gate[6], gate[7], gate[8]
    local start = now - math.fmod(now, width)
    local count = 0
    local kept = redis.call('GET', key)
    if kept then
      local began, counted = cmsgpack.unpack(kept)
      if began > now then start = began end
      if began == start then count = counted end
    end
    local allowed = count + cost <= limit
    local left = start + width - now
    local retry = allowed and 0 or cost <= limit and left or -1
    local show = function(counted) return {allowed and 1 or 0, limit, math.max(0, limit - counted), left, retry} end
    if not allowed then return {no = show(count)} end
    return {yes = show(count + cost), no = show(count), commit = function()
      redis.call('SET', key, cmsgpack.pack(start, count + cost), 'PX', fmt(math.ceil(left / 1000) + 1000))
    end}
  end

  local log_entry = function(text)
    local mark, cost = string.match(text, '(%d+) (%d+)')
    return tonumber(mark), tonumber(cost)
  end

  -- How many entries have left the window, what the others used, and whether there are any others.
  local expired = function(key, before, used)
    local gone = 0
    for _, text in ipairs(redis.call('LRANGE', key, 0, -1)) do
      local mark, cost = log_entry(text)
      if mark > before then return gone, used, true end
      gone, used = gone + 1, used - cost
    end
    return gone, used, false
  end

  -- The mark by whose expiry at least `needed` has been freed, of a log's live entries, oldest first.
  local freed_at = function(key, gone, needed)
    local freed, last = 0, 0
    for _, text in ipairs(redis.call('LRANGE', key, gone, -1)) do
      local mark, cost = log_entry(text)
      freed, last = freed + cost, mark
      if freed >= needed then break end
    end
    return last
  end

  local sliding_window = function(gate, key)
    local cost, limit, width, sub = gate[6], gate[7], gate[8], gate[14]
    local used, gone, live = num(redis.call('GET', key .. ':s')), 0, false
    local first = redis.call('LINDEX', key, 0)
    if first then
      local mark = log_entry(first)
      live = mark > now - width
      if not live then gone, used, live = expired(key, now - width, used) end
    end
    local newest, counted = 0, 0
    local last = live and redis.call('LINDEX', key, -1)
    if last then newest, counted = log_entry(last) end
    local allowed = used + cost <= limit
    local retry = allowed and 0 or -1
    if not allowed and cost <= limit then retry = freed_at(key, gone, used + cost - limit) + width - now end
    local show = function(total, mark)
      local full = total > 0 and math.max(0, mark + width - now) or 0
      return {allowed and 1 or 0, limit, math.max(0, limit - total), full, retry}
    end
    local before = show(used, newest)
    if not allowed then return {no = before} end
    if cost == 0 then return {yes = before, no = before, commit = function() end} end
    local mark = now
    if sub > 0 then mark = now - math.fmod(now, sub) + sub end
    if newest >= mark then mark = newest end
    return {yes = show(used + cost, mark), no = before, commit = function()
      if gone > 0 then redis.call('LTRIM', key, gone, -1) end
      if newest == mark then
        redis.call('LSET', key, -1, fmt(mark) .. ' ' .. fmt(counted + cost))
      else
        redis.call('RPUSH', key, fmt(mark) .. ' ' .. fmt(cost))
      end
      local ttl = fmt(math.ceil((mark + width - now) / 1000) + 1000)
      redis.call('SET', key .. ':s', fmt(used + cost), 'PX', ttl)
      redis.call('PEXPIRE', key, ttl)
    end}
  end

  local rate = function(gate, key)
    if gate[5] == 't' then return token_bucket(gate, key) end
    if gate[5] == 'f' then return fixed_window(gate, key) end
    return sliding_window(gate, key)
  end

  return rate
end

local evaluators = {}
local evaluator = function(kind)
  if not evaluators[kind] then
    if kind == 'r' then evaluators.r = rate_gates() else evaluators.q, evaluators.x = quota_gates() end
  end
  return evaluators[kind]
end
local outcomes, taken, counts, all = {}, {}, false, true
for i, gate in ipairs(gates) do
  local hash, kept = recall(gate)
  if hash then
    if hash ~= gate[3] then return reply('REQUEST_ID_REUSED', now) end
    outcomes[i] = {yes = kept, no = kept}
  else
    local outcome, status = evaluator(gate[1])(gate, KEYS[KEY0 + i])
    if not outcome then return reply(status, now) end
    outcomes[i] = outcome
    taken[#taken + 1] = i
    if not outcome.commit then all = all and outcome.no[1] == 1 end
    if gate[1] ~= 'r' then counts = true end
  end
end

-- 5. Commit all or none, append the facts, remember the answers.
local commit = all and not peek
if commit and counts and (behind or seen <= mark) and redis.call('XLEN', KEYS[5]) >= backlog then
  return reply('EVENT_BACKLOG', now)
end
local answers = {}
for i, outcome in ipairs(outcomes) do answers[i] = commit and outcome.yes or outcome.no end
if commit then
  for _, i in ipairs(taken) do
    local gate, outcome = gates[i], outcomes[i]
    if outcome.commit then
      outcome.commit()
      if gate[2] ~= '' then remember(gate, outcome.yes) end
    else
      answers[i] = outcome.no
    end
  end
  local kept_until = counts and mark + 1 or mark
  if seen < kept_until then redis.call('SET', KEYS[2], fmt(kept_until)) end
end
return reply('DECIDED', now, cmsgpack.pack(answers))

-- Admit these gates, all or none. The specification is tallygate/domain/gating/{admit,quota,rate_limit}.py; property
-- tests prove this script equal to it over random histories. Runs unchanged on Redis >= 7 and Valkey.
-- `--@ name` stands for parts/name.lua, and a name in brackets for a place: `script_parts.py` joins and numbers them.
--
-- KEYS  1 epoch  2 clock  3 catalogue version  4 account record (absent: same as 3)  5 stream  6 replay prefix
--       7.. each gate's state key, in the gates' order; all share one hash tag, but for limits that the tenant owns
-- ARGV  1 caller's sequence number, echoed  2 caller's own time (us)  3 world, msgpack values one after the other:
--         kind  epoch expected  catalogue version  account version or ""  test clock offset (us; as text: where it stands)  replay window (us)
--         stream bound
--       then by kind:
--   "g" take, "p" look only: 4 gates (msgpack)
--       -> {sequence, "DECIDED", now, answers (msgpack)}, or another status with no answers: nothing was taken
--   "CLOCK_SKEW": the server's time, which is `now` then, and the caller's are further apart than either is believed.
--   Of "EPOCH_MISMATCH" the fourth is the epoch that is, of every kind of call.
--   Plain calls, which are most: the same rules, written out for what they ask (parts plain_quota and plain_rates).
--   "c" take from one quota: 4 terms 5 digest 6 payload hash 7 replay bucket 8 quantity 9 context
--       -> {sequence, "TAKEN"|"DENIED", now, used, included, overage, period start}
--   "l" look at one quota: 4 terms   -> {sequence, "SEEN", now, used, included, overage, period start}
--   "r" take from rate limits: 4 gates, each an "r" as below, of algorithm t or f, without its first four elements
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
--       since keep
-- A slot:  start end period_start period_end previous_start keep_until limit|-1 overage standing|"" absent
--          subscription plan version trial exclusive hard_limit|-1 (of overage)
-- A grant: id amount effective expire
-- News: {channel, announcement}, published with the commit of what may let others pass who were denied
-- A record of an effect: payload hash (8 bytes), then a quota's or a reset's
--   {reason (0 WITHIN_LIMIT, 1 OVERAGE, 2 UNLIMITED), granted, used, remaining, limit, period start, period end, slot,
--    pots unless the included allowance paid all}, or a rate limit's {limit, remaining, reset_after, retry_after, now}
-- Real time (`raw`) is what keys, records for replays and the kept clock live on; `now` is the tenant's.
-- The clock is kept to a grain, and so is the look at the stream's bound: who appends a fact looks when it is the first to
--   do so in its grain, and then sets the clock past the grain's start; who appends none sets it to that start. So time
--   never falls back beyond a grain's start, and a full stream is found by the first fact of each grain until it is not.
-- State: a meter's hashes are told in keys.py. A token bucket is {debt, instant, token, tick, drain} and a fixed
--   window {instant, count}, as values one after the other; a sliding window is a list of "instant cost", and its sum
--   behind ":s". When Redis forgets them says `kept_until`; nothing is decided by it.
local END = 9007199254740991
local GRAIN = 100000

--@ world
--@ plain_rates
--@ plain_quota

local KEY0 = 6
--@ numbers

local reply = function(status, now, body) return {ARGV[1], status, now, body or ''} end

local peek = kind == 'p'
local generation = div(raw, window)
local gates = cmsgpack.unpack(ARGV[4])
for i, version in ipairs(ARGV[5] and {cmsgpack.unpack(ARGV[5])} or {}) do
  if (redis.call('HGET', KEYS[KEY0 + #gates + i], 'v') or '0') ~= version then return reply('STALE_VIEW', now) end
end
-- A lone gate that allows is taken, so what stood before it is shown to nobody.
local shows = peek or #gates > 1
--@ replays
--@ slots

-- Every evaluation returns the answer if taken, the answer if not, and how to commit; or an error status.
-- What a call does not ask for is not even defined: making functions costs more than calling them.
local quota_gates = function()
  --@ meter
  --@ allowance
  --@ fact
  --@ delta
  --@ level
  --@ measured
  --@ quota
  --@ reset
  return quota, reset
end

local rate_gates = function()
  --@ token_bucket
  --@ fixed_window
  --@ sliding_window
  local rate = function(gate, key)
    if gate[RATE_ALGORITHM] == 't' then return token_bucket(gate, key) end
    if gate[RATE_ALGORITHM] == 'f' then return fixed_window(gate, key) end
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

--@ commit

-- Admit effects, each by itself all or none. The specification is tallygate/domain/gating/{admit,quota,rate_limit}.py;
-- property tests prove this script equal to it over random histories. Runs unchanged on Redis >= 7 and Valkey.
-- `--@ name` stands for parts/name.lua, and a name in capitals for a place: `script_parts.py` joins and numbers them.
--
-- Effects travel together: first come their homes (a tenant in a partition), then the effects, home by home.
-- KEYS  of each home: epoch  clock  catalogue version; then of each: stream  prefix of the records for replays
--       of each effect: the records of the accounts whose it is, then each gate's state, in the gates' order.
--       All keys of an effect share one hash tag, but for limits that the tenant owns.
-- ARGV  1 caller's sequence number, echoed  2 caller's own time (us)  3 replay window (us), stream bound  4 how many homes
--       5 how many rules; then the rules, which gates share that count alike
--       of each home: {epoch expected, catalogue version, test clock offset (us; as text: where it stands)}  how many effects; then of each effect:
--       {1 to look only, kinds of its gates, version of each record}; then of each gate: which rule, and what it asks for.
--       What stands in braces, what is asked for and rules are msgpack values one after the other, without an array.
-- Reply {sequence, of each effect {status, now, then of each gate: 1 if it was admitted before, figures}}
--       or {sequence, "CLOCK_SKEW", server's time}: that and the caller's are further apart than either is believed.
--   Status "DECIDED", or another one without figures: nothing was taken. Of "EPOCH_MISMATCH" the third is the epoch that is,
--   of "FAILED", an error that ended this effect alone, its text.
--   Figures are a msgpack array: of a quota or a reset {reason, granted, used, limit|-1, remaining|-1, segment, period start,
--   period end, pots, pots left}, of a rate limit {allowed, limit, remaining, reset_after, retry_after|-1, now}.
--   A record for replays is the hash of the payload (8 bytes) and the figures of who was admitted, without the pots left.
--   That of a reset is a field of its meter's hash, too, for as long as the periods around it count.
--
-- Kinds of gates, what they ask for, and their rules (the places have names in `script_parts.py`):
--   q  digest payload_hash bucket context quantity|false mode(A|B|J) occurred|false endings,
--      family(d|m|l|e) grants|"" channel announcement segments (packed, all that follow)
--   x  the same; what it asks for is not read
--   r  digest payload_hash bucket cost, algorithm(t|f|s) limit window tick token drain size burst sub_bucket_width since keep
--   A segment: start end period_start period_end previous_start keep_until limit|-1 overage denial|"" absent exclusive
--   hard_limit|-1 (of overage), the meter's field of its last reset, what its counter's key has behind it.
--   An ending, one for all segments or one of each, is packed as a fact ends: subscription, plan, version, trial.
--   A grant: id amount effective expire.
--   What a channel is named for is announced with the commit: it may let others pass who were denied.
-- Real time (`raw`) is what keys, records for replays and the kept clock live on; `now` is the tenant's.
-- The clock is kept to a resolution (a tick of it is a tenth of a second), and so is the look at the stream's bound: who appends a fact looks when it is the first to
--   do so in its tick, and then sets the clock past the tick's start; who appends none sets it to that start. So time
--   never falls back beyond a tick's start, and a full stream is found by the first fact of each tick until it is not.
-- State: a meter's hashes are told in keys.py. A token bucket is {debt, instant, token, tick, drain} and a fixed
--   window {instant, count, its width, width and count of the widest that it ran at}, as values one after the other; a
--   sliding window is a list of "instant cost", and behind ":s" "sum width instant": of the widest, which counts until
--   then. When Redis forgets them says `kept_until`; nothing is decided by it.
local END = 9007199254740991
local RESOLUTION = 100000
local SKEW = 30000000

local t = redis.call('TIME')
local time = t[1] * 1000000 + t[2]
if math.abs(time - ARGV[2]) > SKEW then return {ARGV[1], 'CLOCK_SKEW', time} end
local window, backlog = cmsgpack.unpack(ARGV[3])

-- Of the home whose effects are at work, and whether the one at work shows what stood before it.
local raw, now, offset, seen, mark, stream, clock, records, newer, older, shows

--@ numbers
--@ figures
--@ replays

-- Every evaluation returns the answer if taken, the answer if not, and how to commit; or an error status.
-- What nobody asks for is not even defined: making functions costs more than calling them.
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
  -- When Redis may forget the state of a rate limit, in milliseconds of its own time (`rate_limit.kept_for`).
  local kept_until = function(full, keep)
    return math.ceil((raw + math.max(full, keep, offset ~= 0 and 86400000000 or 60000000)) / 1000)
  end
  --@ token_bucket
  --@ fixed_window
  --@ sliding_window
  --@ rate
  return rate
end

--@ effect
--@ homes

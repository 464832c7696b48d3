-- The clock that paces requests to LeetCode, shared by every process. One script, so that each step is atomic.
--
-- A caller first gets a slot: a moment of its own, one spacing after the slot before. When its slot comes it asks again and
-- is sent only if the moments at which requests really were sent allow it: less than `count` of them in the window before.
-- A slot that is used late, followed by slots used on time, would otherwise squeeze too many requests into one second.
--
-- Times are integer microseconds of the pacer's own time. It follows Redis TIME, but never runs backwards (Redis' clock is
-- set back) and never faster than the asking process saw time pass since its last look (Redis' clock is set forward).
--
-- KEYS[1]  HASH, the state; lives a week and two windows longer than the last slot or pause
--            seen          the latest moment that any caller was told
--            offset        pacer's time minus Redis TIME
--            run           run_id of the server that wrote the state
--            slot          the last slot handed out
--            era           slots handed out in an earlier era are void, their holders get new ones
--            paused        no request before this moment
--            refusals      how many pauses began since requests last went at the full rate
--            refused_era   the era that the last pause began; a request of an earlier era was sent before that pause
--            level         requests go at rate / 2^level: 0 is the full rate, 3 follows a refusal
--            successes     requests accepted at this level
-- KEYS[2]  ZSET, requests sent: the ticket by the moment of sending; lives two windows
--
-- ARGV     1 operation   begin | ask | refused | accepted | state
--          2 ticket      `era:slot` as this script gave it; empty for a caller without one
--          3 watch       the latest that the pacer's time can be by the caller's own watch; 0 where it has none yet
--          4 count       requests allowed in one window
--          5 window      microseconds, margin included
--          6 spacing     microseconds between two slots at the full rate
--          7 ask:        the longest wait that the caller accepts, in microseconds
--            refused:    the length of the pause in microseconds; 0 for the default
--            accepted:   successes after which the rate doubles
--
-- Replies  ask           {verdict, wait, time, ticket, level, pause}; verdict 1: send after `wait`; 0: ask again after
--                        `wait`; -1: no slot within the longest wait, it would have come after `wait`; pause: what is
--                        left of a pause
--          state         {pause, wait of the next slot, level, refusals, requests sent in the last second}
--          others        nothing

local AHEAD = 10000 -- a request may be noted as sent so long before it is
local LOWEST = 3
local LONGEST_PAUSE = 60000000
local FORGOTTEN = 600000000 -- refusals are, once nothing was asked for so long
local LIFE = 604800000000

local operation, ticket, watch = ARGV[1], ARGV[2], tonumber(ARGV[3])
local count, window, full_spacing, argument = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local FIELDS = {'seen', 'offset', 'slot', 'era', 'paused', 'refusals', 'refused_era', 'level', 'successes'}
local known = redis.call('HMGET', KEYS[1], 'run', unpack(FIELDS))
local state = {}
for i, field in ipairs(FIELDS) do
  state[field] = tonumber(known[i + 1] or 0)
end

local time = redis.call('TIME')
local redis_time = time[1] * 1000000 + time[2]
local now = redis_time + state.offset
if watch > 0 then
  now = math.min(now, watch)
end
now = math.max(now, state.seen)
state.seen, state.offset = now, now - redis_time

if now - math.max(state.slot, state.paused) > FORGOTTEN then
  state.level, state.refusals, state.successes = 0, 0, 0
end

local function spacing()
  return full_spacing * 2 ^ state.level
end

-- The next slot is at `moment` or later; every ticket is void.
local function begin_era(moment)
  state.slot = moment - spacing()
  state.era = math.max(now, state.era + 1)
end

-- A server that was emptied, restarted or replaced by its replica does not know what was sent in the last window: be
-- silent for one.
-- INFO may be forbidden to this user; then only an emptied server is noticed.
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and info:match('run_id:(%x+)') or ''
local unknown = known[1] ~= run
if unknown then
  begin_era(math.max(now + window, state.paused))
end

local pause = math.max(state.paused - now, 0)

if operation == 'state' then
  local sent = unknown and 0 or redis.call('ZCOUNT', KEYS[2], string.format('(%.0f', now - 1000000), '+inf')
  return {pause, math.max(state.slot + spacing() - now, 0), state.level, state.refusals, sent}
end
-- The first write is one that a full Redis refuses; after any other it would let the rest of the script pass.
redis.call('HSET', KEYS[1], 'run', run)
if unknown then
  redis.call('DEL', KEYS[2])
end

local function score_at(rank)
  return tonumber(redis.call('ZREVRANGE', KEYS[2], rank, rank, 'WITHSCORES')[2])
end

local era, slot = ticket:match('^(%d+):(%d+)$')
era, slot = tonumber(era), tonumber(slot)

local function ask()
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('(%.0f', now - 2 * window))
  if era == state.era then
    -- The caller has not sent after all, it woke too late.
    redis.call('ZREM', KEYS[2], ticket)
  else
    slot = math.max(state.slot + spacing(), now)
    if slot - now > argument then
      return {-1, slot - now, now, '', state.level, pause}
    end
    state.slot = slot
    ticket = string.format('%.0f:%.0f', state.era, slot)
  end
  -- Half a spacing, so that callers held up together are not sent together.
  local last, first = score_at(0), score_at(count - 1)
  local due = math.max(slot, now, (last or 0) + spacing() / 2, (first or -window) + window)
  local wait = math.ceil(due - now)
  if wait > argument then
    return {-1, wait, now, '', state.level, pause}
  elseif wait > AHEAD then
    return {0, wait, now, ticket, state.level, pause}
  end
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + wait), ticket)
  redis.call('PEXPIRE', KEYS[2], string.format('%.0f', math.ceil((2 * window + wait) / 1000)))
  return {1, wait, now, ticket, state.level, pause}
end

-- Requests that were under way together are refused together: they count as one, but each may prolong the pause.
local function refused()
  local length, counts = argument, (era and era >= state.refused_era) or (not era and pause == 0)
  if counts then
    state.refusals = state.refusals + 1
    state.level, state.successes = LOWEST, 0
    if length == 0 then
      length = math.min(1000000 * 2 ^ (state.refusals - 1), LONGEST_PAUSE)
    end
  end
  if length > pause then
    state.paused = now + length
    begin_era(state.paused)
  end
  if counts then
    state.refused_era = state.era
  end
end

local function accepted()
  if era ~= state.era or state.level == 0 then
    return
  end
  state.successes = state.successes + 1
  if state.successes >= argument then
    state.level, state.successes = state.level - 1, 0
    if state.level == 0 then
      state.refusals = 0
    end
    begin_era((score_at(0) or now) + spacing())
  end
end

-- There is nothing to do: where the last window is unknown, its silence has begun above.
local function begin()
end

local reply = ({begin = begin, ask = ask, refused = refused, accepted = accepted})[operation]()

local changed = {}
for _, field in ipairs(FIELDS) do
  changed[#changed + 1] = field
  changed[#changed + 1] = string.format('%.0f', state[field])
end
redis.call('HSET', KEYS[1], unpack(changed))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((math.max(state.slot, state.paused, now) - now + LIFE + 2 * window) / 1000)))
return reply

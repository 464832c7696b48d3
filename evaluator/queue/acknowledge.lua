-- Acknowledge messages of a queue as Dramatiq's dispatch.lua does it, many in one call. One that is no longer this
-- worker's, since it was taken for dead, keeps its text: it waits for somebody else. Unlike that script it is no sign of
-- life: consumers call that one at least every second.
--
-- KEYS[1]  SET, the ids that a worker has fetched:    namespace:__acks__.worker.queue
-- KEYS[2]  HASH, messages by id, until they are acknowledged:    namespace:queue.msgs
-- ARGV     ids
-- Replies  nothing

for i = 1, #ARGV do
  if redis.call('SREM', KEYS[1], ARGV[i]) == 1 then
    redis.call('HDEL', KEYS[2], ARGV[i])
  end
end

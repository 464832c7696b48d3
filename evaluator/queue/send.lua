-- Put messages into a queue as Dramatiq's dispatch.lua does it, many in one call, and none that is there already: an id
-- that stood twice in the list would be fetched a second time after its message is gone.
--
-- KEYS[1]  LIST, the ids that wait:    namespace:queue
-- KEYS[2]  HASH, messages by id, until they are acknowledged:    namespace:queue.msgs
-- ARGV     id, message, id, message, …
-- Replies  how many were put

local put = 0
for i = 1, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('RPUSH', KEYS[1], ARGV[i])
    put = put + 1
  end
end
return put

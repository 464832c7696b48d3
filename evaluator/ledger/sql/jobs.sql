-- Jobs as operators know them: counts of members' evaluations, those that were given up, and the pause.

-- name: live
-- Members of batches that wait and that are at work. A batch that is tried again counts whole. A run of a million has
-- 50,000 batches: they are summed run by run in an index, and the few at work in another, which is three times as fast
-- as to look at each one's state.
SELECT coalesce(sum(live.members - at_work.members), 0)::bigint, coalesce(sum(at_work.members), 0)::bigint
FROM runs r
CROSS JOIN LATERAL (
    SELECT coalesce(sum(b.size), 0) AS members FROM batches b WHERE b.run_id = r.id AND b.state <> 'done'
) live
CROSS JOIN LATERAL (
    SELECT coalesce(sum(b.size), 0) AS members FROM batches b WHERE b.run_id = r.id AND b.state = 'active'
) at_work
WHERE r.state = 'open'

-- name: ended
-- Members of batches that ended in the last %(seconds)s seconds and were not given up; and all that were given up.
-- `now()`, since `clock_timestamp()` would keep the index from being used.
SELECT greatest(0, (SELECT coalesce(sum(size), 0) FROM batches
                    WHERE state = 'done' AND finished_at > now() - make_interval(secs => %(seconds)s))
                 - (SELECT count(*) FROM evaluations
                    WHERE failed_at > now() - make_interval(secs => %(seconds)s)))::bigint,
       (SELECT count(*) FROM evaluations WHERE failed_at IS NOT NULL)

-- name: runs
-- Runs that are not settled, by state.
SELECT r.state, count(*) FROM runs r JOIN challenges c ON c.id = r.challenge_id
WHERE r.state <> 'settled' AND NOT c.cancelled GROUP BY r.state

-- name: pending
-- Evaluations that were looked at and could not be decided, by reason.
SELECT e.reason, count(*)
FROM runs r
JOIN challenges c ON c.id = r.challenge_id
JOIN evaluations e ON e.run_id = r.id
WHERE r.state <> 'settled' AND NOT c.cancelled AND e.outcome = 'pending' AND e.reason <> 'not_evaluated'
GROUP BY e.reason ORDER BY count(*) DESC, e.reason

-- name: oldest_waiting
-- How many seconds ago the oldest run that still has something waiting was queued or opened.
SELECT extract(epoch FROM now() - min(CASE r.state WHEN 'open' THEN r.opened_at ELSE r.queued_at END))::float8
FROM runs r JOIN challenges c ON c.id = r.challenge_id
WHERE NOT c.cancelled
  AND (r.state = 'queued'
       OR r.state = 'open' AND EXISTS (SELECT FROM batches b WHERE b.run_id = r.id AND b.state = 'waiting'))

-- name: undecided
-- Evaluations that were looked at and could not be decided, the oldest days first, and when they are tried again.
SELECT e.challenge_id, m.handle, e.day, e.reason, e.error, e.retry_at
FROM (
    SELECT r.challenge_id, r.day_end, CASE r.state WHEN 'pending' THEN r.retry_at END AS retry_at,
           p.member_id, p.day, p.reason, p.error
    FROM runs r
    JOIN challenges c ON c.id = r.challenge_id
    JOIN evaluations p ON p.run_id = r.id
    WHERE r.state <> 'settled' AND NOT c.cancelled AND p.outcome = 'pending' AND p.reason <> 'not_evaluated'
      AND (%(challenge)s::text IS NULL OR r.challenge_id = %(challenge)s)
    ORDER BY r.day_end, r.id, p.member_id
    LIMIT %(limit)s
) e
JOIN members m ON m.id = e.member_id
ORDER BY e.day_end, e.challenge_id, m.handle

-- name: failed
-- Evaluations that were given up, newest first. Their batch may have been pruned, and its attempts with it.
SELECT r.challenge_id, m.handle, e.day, e.reason, e.error, e.failed_at, b.attempts
FROM (
    SELECT * FROM evaluations
    WHERE failed_at IS NOT NULL
      AND (%(challenge)s::text IS NULL OR run_id IN (SELECT id FROM runs WHERE challenge_id = %(challenge)s))
    ORDER BY failed_at DESC, run_id, member_id
    LIMIT %(limit)s
) e
JOIN members m ON m.id = e.member_id
JOIN runs r ON r.id = e.run_id
LEFT JOIN batches b ON b.run_id = e.run_id AND b.batch = e.batch
ORDER BY e.failed_at DESC, r.challenge_id, m.handle, e.day

-- name: runs_with_failed
SELECT r.id, count(*)
FROM evaluations e JOIN runs r ON r.id = e.run_id JOIN challenges c ON c.id = r.challenge_id
WHERE e.failed_at IS NOT NULL AND NOT c.cancelled
  AND (%(challenge)s::text IS NULL OR r.challenge_id = %(challenge)s)
GROUP BY r.id

-- name: clear_failed
-- Forget that these were given up: they count as nothing then. Outcomes and the last error stay. Gives how many.
WITH cleared AS (
    UPDATE evaluations e SET failed_at = NULL
    FROM runs r
    WHERE e.failed_at IS NOT NULL AND r.id = e.run_id
      AND (%(challenge)s::text IS NULL OR r.challenge_id = %(challenge)s)
    RETURNING e.run_id, e.batch
), shrunk AS (
    UPDATE batches b SET size = b.size - c.members
    FROM (SELECT run_id, batch, count(*) AS members FROM cleared GROUP BY run_id, batch) c
    WHERE b.run_id = ANY (ARRAY(SELECT run_id FROM cleared)) AND b.run_id = c.run_id AND b.batch = c.batch
)
SELECT count(*) FROM cleared

-- name: pause
INSERT INTO switches (name, set_by, set_at) VALUES ('paused', %(by)s, clock_timestamp()) ON CONFLICT DO NOTHING

-- name: paused
SELECT set_by, set_at FROM switches WHERE name = 'paused'

-- name: resume
DELETE FROM switches WHERE name = 'paused'

-- name: forget_sent
-- While work was paused, workers dropped the messages of these batches. Gives the runs that are open.
WITH unsent AS (
    UPDATE batches b SET sent_at = NULL FROM runs r
    WHERE r.id = b.run_id AND r.state = 'open' AND b.state = 'waiting' AND b.sent_at IS NOT NULL
)
SELECT id FROM runs WHERE state = 'open' ORDER BY id

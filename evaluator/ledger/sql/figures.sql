-- Figures that metrics show every few seconds. They cost by what is under way or pending, not by what was ever settled.

-- name: now
SELECT extract(epoch FROM now())::float8

-- name: ongoing
-- Challenges that are not over, and those that have work though they are: their dates, their zones, and whether there is
-- work now.
WITH busy AS (
    SELECT DISTINCT challenge_id FROM runs WHERE state IN ('queued', 'open')
)
SELECT c.id, c.starts, c.ends, c.completed_at IS NOT NULL, b.challenge_id IS NOT NULL,
       (SELECT coalesce(json_agg(json_build_array(t.holds_from, t.timezone) ORDER BY t.holds_from), '[]')::text
        FROM timezones t WHERE t.challenge_id = c.id)
FROM challenges c LEFT JOIN busy b ON b.challenge_id = c.id
WHERE NOT c.cancelled AND (c.completed_at IS NULL OR b.challenge_id IS NOT NULL)

-- name: over
-- Challenges that are completed, and that are cancelled.
SELECT count(*) FILTER (WHERE NOT cancelled), count(*) FILTER (WHERE cancelled)
FROM challenges WHERE cancelled OR completed_at IS NOT NULL

-- name: unfinished
-- The ids of challenges that are not over.
SELECT id FROM challenges WHERE NOT cancelled AND completed_at IS NULL

-- name: members
-- Who is in one of these challenges at a moment.
SELECT count(*) FROM memberships s
WHERE s.challenge_id = ANY (%(ids)s) AND coalesce(s.joined <= %(now)s, true) AND coalesce(s."left" > %(now)s, true)

-- name: runs
-- Runs that are not settled, by state: how many there are, how many are due and how many late by the end of their day,
-- and over how many of the late ones no pass has come to its end yet.
SELECT r.state, count(*), count(*) FILTER (WHERE r.day_end <= %(due)s), count(*) FILTER (WHERE r.day_end < %(late)s),
       count(*) FILTER (WHERE r.day_end < %(late)s AND r.passes = CASE r.state WHEN 'open' THEN 1 ELSE 0 END)
FROM runs r JOIN challenges c ON c.id = r.challenge_id
WHERE r.state <> 'settled' AND NOT c.cancelled GROUP BY r.state

-- name: at_work
-- Runs that are open, with what is left of this pass and how much it has brought so far.
SELECT r.challenge_id, r.day, r.fan_out_done,
       coalesce((SELECT sum(b.size) FROM batches b WHERE b.run_id = r.id AND b.state <> 'done'), 0)::bigint,
       r.evaluations
FROM runs r JOIN challenges c ON c.id = r.challenge_id
WHERE r.state = 'open' AND NOT c.cancelled ORDER BY r.opened_at DESC, r.id LIMIT %(limit)s

-- name: queued_since
-- When the run that has been at work or queued for longest was queued.
SELECT extract(epoch FROM min(r.queued_at))::float8
FROM runs r JOIN challenges c ON c.id = r.challenge_id
WHERE r.state IN ('queued', 'open') AND NOT c.cancelled

-- name: to_come
-- Members whom the fan-outs to come, or the rest of those at work, will bring. First passes and re-evaluations are for
-- whoever is required, others for who is pending (whoever was listed since the first pass is counted once fan-out brings
-- them). Members of queued runs are counted by kind of stay, and once for all days of a challenge: nearly all are in it
-- from its start to its end. Whoever was settled by an override before any fan-out is in batch 0, and is not fanned out.
WITH coming AS MATERIALIZED (
    SELECT r.id, r.challenge_id, r.day_start, r.day_end, r.fanned_out, r.state = 'queued' AS queued,
           r.reevaluate, r.reevaluate OR r.passes = CASE r.state WHEN 'queued' THEN 0 ELSE 1 END AS everybody
    FROM runs r JOIN challenges c ON c.id = r.challenge_id
    WHERE r.state IN ('queued', 'open') AND (r.state = 'queued' OR NOT r.fan_out_done)
      AND NOT c.cancelled AND r.day BETWEEN c.starts AND c.ends
), stays AS (
    SELECT s.challenge_id, s.joined, s."left", count(*) AS members FROM memberships s
    WHERE s.challenge_id = ANY (ARRAY(SELECT challenge_id FROM coming WHERE queued AND everybody))
    GROUP BY s.challenge_id, s.joined, s."left"
)
SELECT coalesce((
    SELECT sum(s.members) FROM coming r JOIN stays s USING (challenge_id)
    WHERE r.queued AND r.everybody
      AND coalesce(s.joined <= r.day_start, true) AND coalesce(s."left" >= r.day_end, true)), 0)::bigint
+ (
    SELECT count(*) FROM coming r JOIN memberships s ON s.challenge_id = r.challenge_id AND s.member_id > r.fanned_out
    WHERE NOT r.queued AND r.everybody
      AND coalesce(s.joined <= r.day_start, true) AND coalesce(s."left" >= r.day_end, true))
+ (
    SELECT count(*) FROM coming r
    JOIN evaluations e ON e.run_id = r.id AND e.outcome = 'pending' AND (r.queued OR e.member_id > r.fanned_out)
    WHERE NOT r.everybody)
- (
    SELECT count(*) FROM coming r
    JOIN evaluations e ON e.run_id = r.id AND e.batch = 0 AND e.outcome <> 'pending'
                      AND (r.queued OR e.member_id > r.fanned_out)
    WHERE r.everybody AND NOT r.reevaluate)

-- name: decided_early
-- Members of batches that are tried again, or are at work, whom this pass has decided: the batch is for the others.
SELECT count(*)
FROM batches b
JOIN runs r ON r.id = b.run_id
JOIN evaluations e ON e.run_id = b.run_id AND e.batch = b.batch
WHERE b.sent_at IS NOT NULL AND b.state <> 'done' AND b.attempts > 0 AND r.state = 'open'
  AND e.evaluated_at >= r.opened_at

-- name: pending
-- Evaluations that were looked at and could not be decided, by state of the run and reason; and when the earliest of
-- these days ended. They are counted by run in the order of their index, which sorts no million of them.
SELECT r.state, p.reason, sum(p.evaluations)::bigint, min(r.day_end)
FROM (
    SELECT run_id, reason, count(*) AS evaluations FROM evaluations
    WHERE outcome = 'pending' AND reason <> 'not_evaluated' GROUP BY run_id, reason
) p
JOIN runs r ON r.id = p.run_id
JOIN challenges c ON c.id = r.challenge_id
WHERE r.state <> 'settled' AND NOT c.cancelled
GROUP BY r.state, p.reason

-- name: put_aside
-- Of these, those that a pass which is not over has decided upon already: they wait for another one.
SELECT count(*)
FROM runs r
JOIN challenges c ON c.id = r.challenge_id
JOIN evaluations e ON e.run_id = r.id
WHERE r.state = 'open' AND NOT c.cancelled AND e.outcome = 'pending' AND e.reason <> 'not_evaluated'
  AND e.evaluated_at >= r.opened_at

-- name: members_pending
-- Members with a day that is pending for one of these reasons.
SELECT count(DISTINCT e.member_id)
FROM runs r
JOIN challenges c ON c.id = r.challenge_id
JOIN evaluations e ON e.run_id = r.id
WHERE r.state <> 'settled' AND NOT c.cancelled AND e.outcome = 'pending' AND e.reason <> 'not_evaluated'
  AND e.reason = ANY (%(reasons)s)

-- name: ended_since
-- Members of batches that ended since a moment, and when the first of these was begun.
SELECT coalesce(sum(size), 0)::bigint, extract(epoch FROM min(started_at))::float8
FROM batches WHERE state = 'done' AND finished_at > to_timestamp(%(since)s)

-- name: last_settled
-- When a run that is settled was closed last.
SELECT extract(epoch FROM max(closed_at))::float8 FROM runs WHERE state = 'settled'

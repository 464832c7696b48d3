-- One batch of evaluations: taken, decided elsewhere, recorded in one transaction.

-- name: begin
-- Count the attempt before any work, so that a batch that kills its worker is given up some day.
UPDATE batches b SET state = 'active', attempts = b.attempts + 1, started_at = clock_timestamp()
FROM runs r
JOIN challenges c ON c.id = r.challenge_id
JOIN LATERAL (
    SELECT * FROM rules v WHERE v.challenge_id = r.challenge_id AND v.holds_from <= r.day
    ORDER BY v.holds_from DESC LIMIT 1
) v ON true
WHERE b.run_id = %(run_id)s AND b.batch = %(batch)s AND b.state <> 'done'
  AND r.id = b.run_id AND r.state = 'open' AND NOT EXISTS (SELECT FROM switches WHERE name = 'paused')
RETURNING b.attempts, r.challenge_id, r.day, r.day_start, r.day_end, r.reevaluate, r.opened_at, r.counts_from,
          c.cancelled, v.min_solves, v.difficulties, v."unique", v.rest_days, v.freezes_per_month, v.penalty, v.cap

-- name: unsettled
-- The members of a batch that this pass has not decided yet.
SELECT e.member_id, m.handle, m.handle_key, m.absences @> e.day AS absent,
       (SELECT o.outcome FROM overrides o
        WHERE o.member_id = e.member_id AND o.day = e.day AND o.cleared_at IS NULL) AS override,
       e.outcome, e.reason,
       coalesce((SELECT max(s.fetched_at) FROM observations s WHERE s.handle_key = m.handle_key), 0) AS last_seen
FROM evaluations e JOIN members m ON m.id = e.member_id
WHERE e.run_id = %(run_id)s AND e.batch = %(batch)s
  AND (e.evaluated_at IS NULL OR e.evaluated_at < %(opened_at)s)
  AND (e.outcome = 'pending' OR %(reevaluate)s)
ORDER BY e.member_id

-- name: give_back
-- Nothing was asked of LeetCode: the attempt does not count.
UPDATE batches SET state = 'waiting', attempts = attempts - 1
WHERE run_id = %(run_id)s AND batch = %(batch)s AND state = 'active'

-- name: await_retry
UPDATE batches SET state = 'waiting', error = %(error)s
WHERE run_id = %(run_id)s AND batch = %(batch)s AND state = 'active'

-- name: finish
UPDATE batches SET state = 'done', finished_at = clock_timestamp(), error = %(error)s
WHERE run_id = %(run_id)s AND batch = %(batch)s AND state <> 'done'

-- name: lock_members
-- Days of one member are recorded one after the other; in order of ids, so that no two batches wait for each other.
SELECT FROM members WHERE id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE

-- name: hold
-- Whether a batch's challenge is cancelled; it can't be from here on until the transaction ends. After the members, as
-- an apply does it.
SELECT cancelled FROM challenges WHERE id = %(id)s FOR SHARE

-- name: accounts
-- What a decision rests on beside the evidence; read after the members are locked.
SELECT e.member_id, e.outcome, e.reason, e.solved, e.required,
       coalesce(e.evaluated_at < coalesce(%(opened_at)s::timestamptz, 'infinity'), true) AS undecided,
       m.current_streak, m.longest_streak, m.settled_through,
       m.absences @> e.day AS absent,
       (SELECT o.outcome FROM overrides o
        WHERE o.member_id = e.member_id AND o.day = e.day AND o.cleared_at IS NULL) AS override,
       CASE WHEN %(freezes)s THEN (
           SELECT count(*) FROM evaluations f
           WHERE f.member_id = e.member_id AND f.day >= %(month)s AND f.day < %(next_month)s
             AND f.day <> %(day)s AND f.outcome = 'frozen' AND f.reason = 'freeze') ELSE 0 END AS freezes_used,
       coalesce(p.total, 0)::bigint AS total, coalesce(p.standing, 0)::bigint AS standing, coalesce(p.entries, 0) AS entries
FROM evaluations e
JOIN members m ON m.id = e.member_id
LEFT JOIN LATERAL (
    SELECT sum(amount) AS total, sum(amount) FILTER (WHERE day = %(day)s) AS standing,
           count(*) FILTER (WHERE day = %(day)s) AS entries
    FROM postings WHERE member_id = e.member_id
) p ON true
WHERE e.member_id = ANY (%(ids)s) AND e.day = %(day)s

-- name: outcomes
-- For a replay: every day of these members.
SELECT member_id, day, outcome FROM evaluations WHERE member_id = ANY (%(ids)s) ORDER BY member_id, day

-- name: record
-- Outcome, streak and posting in one statement, for a whole batch.
WITH decided AS (
    SELECT * FROM json_to_recordset(%(decisions)s::json) AS d (
        member_id bigint, outcome text, reason text, solved integer, required smallint, evidence jsonb,
        current int, longest int, through date, amount bigint, entry smallint, error text)
), written AS (
    UPDATE evaluations e SET
        outcome = d.outcome, reason = d.reason, solved = d.solved, required = d.required,
        -- Rows seen once count for ever: where nothing is judged now, a bug of ours kept it from being so.
        evidence = coalesce(nullif(d.evidence, '[]'), e.evidence, '[]'), evaluated_at = clock_timestamp(),
        error = d.error, failed_at = CASE WHEN d.error IS NOT NULL THEN clock_timestamp() END
    FROM decided d WHERE e.member_id = d.member_id AND e.day = %(day)s
), streaks AS (
    UPDATE members m SET current_streak = d.current, longest_streak = d.longest, settled_through = d.through
    FROM decided d
    WHERE m.id = d.member_id
      AND (m.current_streak, m.longest_streak, m.settled_through)
          IS DISTINCT FROM (d.current, d.longest, d.through)
)
INSERT INTO postings (member_id, day, entry, amount, posted_at)
SELECT member_id, %(day)s, entry, amount, clock_timestamp() FROM decided WHERE amount <> 0

-- name: forget_failures
-- A job that failed long ago is no news any more; its evaluation stays as it is.
UPDATE evaluations SET failed_at = NULL
WHERE failed_at < clock_timestamp() - make_interval(secs => %(after)s)

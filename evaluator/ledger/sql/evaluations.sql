-- One batch of evaluations: taken, decided elsewhere, recorded in one transaction.

-- name: begin
-- Count the attempts at batches of a run before any work, so that one that kills its worker is given up some day. With
-- each come the members that this pass has not decided yet. The commit is not waited for: if Postgres crashes just now,
-- an attempt is not counted.
WITH begun AS (
    UPDATE batches b SET state = 'active', attempts = b.attempts + 1, started_at = clock_timestamp(),
                         -- Its message came, though a resume may have forgotten that it was sent.
                         sent_at = coalesce(b.sent_at, clock_timestamp())
    FROM runs r JOIN LATERAL (
        SELECT * FROM rules v WHERE v.challenge_id = r.challenge_id AND v.holds_from <= r.day
        ORDER BY v.holds_from DESC LIMIT 1
    ) v ON true
    -- Between the first and the last of them, too: until version 17 Postgres may look at all batches of the run else.
    WHERE b.run_id = %(run)s AND b.batch = ANY (%(numbers)s::integer[]) AND b.batch BETWEEN %(first)s AND %(last)s
      -- As an expression: else Postgres may go through all runs that are open.
      AND b.state <> 'done' AND r.id = %(run)s AND r.state || '' = 'open'
      AND NOT EXISTS (SELECT FROM switches WHERE name = 'paused')
    RETURNING b.run_id, b.batch, b.attempts, r.challenge_id, r.day, r.day_start, r.day_end, r.reevaluate, r.opened_at,
              r.counts_from, v.min_solves, v.difficulties, v."unique", v.rest_days, v.freezes_per_month, v.penalty, v.cap
)
SELECT b.*, (
    SELECT coalesce(json_agg(json_build_array(
        e.member_id, m.handle, m.handle_key, m.absences @> e.day,
        (SELECT o.outcome FROM overrides o
         WHERE o.member_id = e.member_id AND o.day = e.day AND o.cleared_at IS NULL),
        e.outcome, e.reason,
        EXISTS (SELECT FROM observations s
                WHERE s.handle_key = m.handle_key AND s.brings_solves = ANY ('{t,f}')
                  AND s.fetched_at >= b.day_end - 1)) ORDER BY e.member_id), '[]')
    -- Each member looked up: a join might, for any batch, go through all members in their order.
    FROM evaluations e CROSS JOIN LATERAL (SELECT * FROM members WHERE id = e.member_id LIMIT 1) m
    WHERE e.run_id = b.run_id AND e.batch = b.batch
      AND (e.evaluated_at IS NULL OR e.evaluated_at < b.opened_at)
      AND (e.outcome = 'pending' OR b.reevaluate))
FROM begun b, set_config('synchronous_commit', 'off', true)

-- name: give_back
-- Nothing was asked of LeetCode: the attempt does not count.
UPDATE batches SET state = 'waiting', attempts = attempts - 1
WHERE run_id = %(run_id)s AND batch = %(batch)s AND state = 'active'

-- name: await_retry
UPDATE batches SET state = 'waiting', error = %(error)s
WHERE run_id = %(run_id)s AND batch = %(batch)s AND state = 'active'

-- name: finish
UPDATE batches SET state = 'done', finished_at = clock_timestamp()
WHERE run_id = %(run_id)s AND batch = %(batch)s AND state <> 'done'

-- name: lock_members
-- Days of one member are recorded one after the other; in order of ids, so that no two batches wait for each other.
-- Until the transaction ends, its session's application_name says whose doing it is: in pg_stat_activity, and as %a in
-- PostgreSQL's log.
SELECT FROM members, set_config('application_name', concat_ws(' ', left(current_setting('application_name'), 12),
                                                              %(correlation)s::text), true)
WHERE id = ANY (%(ids)s::bigint[]) ORDER BY id FOR NO KEY UPDATE OF members

-- name: lock_at_once
-- Both `lock_members` and `hold`, of those who would rather do without than wait.
WITH locked AS MATERIALIZED (SELECT id FROM members WHERE id = ANY (%(ids)s::bigint[]) FOR NO KEY UPDATE NOWAIT)
SELECT cancelled
FROM challenges, set_config('application_name', concat_ws(' ', left(current_setting('application_name'), 12),
                                                          %(correlation)s::text), true)
WHERE id = %(id)s AND (SELECT count(*) FROM locked) >= 0
FOR SHARE OF challenges NOWAIT

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
       CASE WHEN %(capped)s THEN
           (SELECT coalesce(sum(amount), 0)::bigint FROM postings WHERE member_id = e.member_id) ELSE 0 END AS total,
       coalesce(p.standing, 0)::bigint AS standing, p.entries
FROM evaluations e
JOIN members m ON m.id = e.member_id
CROSS JOIN LATERAL (
    SELECT sum(amount) AS standing, count(*) AS entries FROM postings WHERE member_id = e.member_id AND day = %(day)s
) p
-- Both by the ids: a join alone might go through all members in their order.
WHERE e.member_id = ANY (%(ids)s::bigint[]) AND m.id = ANY (%(ids)s::bigint[]) AND e.day = %(day)s

-- name: outcomes
-- For a replay: every day of these members, who are of one challenge. Its days are looked up first, so that no plan
-- reads all runs.
SELECT e.member_id, e.day, e.outcome
FROM evaluations e
WHERE e.member_id = ANY (%(ids)s::bigint[]) AND e.day = ANY (ARRAY(
    SELECT r.day FROM runs r
    WHERE r.challenge_id = (SELECT challenge_id FROM members WHERE id = ANY (%(ids)s::bigint[]) LIMIT 1)))
ORDER BY e.member_id, e.day

-- name: record
-- Outcome, streak and posting in one statement, for whole batches, with the observations that they rest on. It may
-- finish batches of a run, and gives whether others of it wait to be sent. The values come in columns, which Postgres
-- reads several times as fast as rows of JSON.
WITH decided AS (
    SELECT * FROM ROWS FROM (
        unnest(%(ids)s::bigint[]), unnest(%(outcomes)s::text[]), unnest(%(reasons)s::text[]), unnest(%(solved)s::int[]),
        unnest(%(required)s::smallint[]), unnest(%(current)s::int[]), unnest(%(longest)s::int[]),
        unnest(%(through)s::date[]), unnest(%(amounts)s::bigint[]), unnest(%(entries)s::smallint[]),
        json_array_elements(%(evidence)s::json), json_array_elements_text(%(errors)s::json)
    ) AS d (member_id, outcome, reason, solved, required, current, longest, through, amount, entry, evidence, error)
), observed AS (
    INSERT INTO observations (fetched_at, standing, row_count, after, contradictory, handle_key, active_dates,
                              calendar_years, detail, solves)
    SELECT fetched_at, standing, row_count, after, contradictory, handle_key, active_dates::date[],
           calendar_years::smallint[], detail, solves
    FROM ROWS FROM (
        unnest(%(fetched_at)s::bigint[]), unnest(%(standings)s::text[]), unnest(%(row_counts)s::int[]),
        unnest(%(after)s::bigint[]), unnest(%(contradictory)s::boolean[]), json_array_elements_text(%(keys)s::json),
        json_array_elements_text(%(active_dates)s::json), json_array_elements_text(%(calendar_years)s::json),
        json_array_elements_text(%(details)s::json), json_array_elements(%(solves)s::json)
    ) AS o (fetched_at, standing, row_count, after, contradictory, handle_key, active_dates, calendar_years, detail, solves)
), written AS (
    -- By the ids, and not only by the join: without statistics that would read the whole table.
    UPDATE evaluations e SET
        outcome = d.outcome, reason = d.reason, solved = d.solved, required = d.required,
        -- Rows seen once count for ever: where nothing is judged now, a bug of ours kept it from being so.
        evidence = CASE WHEN d.evidence::text = '[]' THEN coalesce(e.evidence, '[]') ELSE d.evidence END,
        evaluated_at = clock_timestamp(),
        error = d.error, failed_at = CASE WHEN d.error IS NOT NULL THEN clock_timestamp() END
    FROM decided d WHERE e.member_id = ANY (%(ids)s::bigint[]) AND e.member_id = d.member_id AND e.day = %(day)s
), streaks AS (
    UPDATE members m SET current_streak = d.current, longest_streak = d.longest, settled_through = d.through
    FROM decided d
    WHERE m.id = ANY (%(ids)s::bigint[]) AND m.id = d.member_id
      AND (m.current_streak, m.longest_streak, m.settled_through)
          IS DISTINCT FROM (d.current, d.longest, d.through)
), posted AS (
    INSERT INTO postings (member_id, day, entry, amount, posted_at)
    SELECT member_id, %(day)s, entry, amount, clock_timestamp() FROM decided WHERE amount <> 0
), finished AS (
    -- Between the first and the last of them, too: until version 17 Postgres may look at all batches of the run else.
    UPDATE batches SET state = 'done', finished_at = clock_timestamp(), error = NULL
    WHERE run_id = %(run_id)s AND batch = ANY (%(finished)s::integer[])
      AND batch BETWEEN %(first_batch)s AND %(last_batch)s AND state <> 'done'
)
-- From the last on: the first ones are sent, and as long as some old snapshot sees them their entries are passed over.
SELECT (SELECT batch FROM batches WHERE run_id = %(run_id)s AND sent_at IS NULL AND state = 'waiting'
        ORDER BY batch DESC LIMIT 1) IS NOT NULL

-- name: forget_failures
-- A job that failed long ago is no news any more; its evaluation stays as it is.
UPDATE evaluations SET failed_at = NULL
WHERE failed_at < clock_timestamp() - make_interval(secs => %(after)s)

-- Runs and their batches: which day is at work, which batch is due, when a pass is over.

-- name: of_challenges
SELECT challenge_id, day, id, state FROM runs WHERE challenge_id = ANY (%(ids)s)

-- name: missing
-- The dates of each challenge's span that have no run. They are counted first, in the index: nearly all challenges have
-- a run for each, whatever number of days they have.
SELECT span.id, lacking.day
FROM unnest(%(ids)s::text[], %(first)s::date[], %(last)s::date[]) AS span (id, first, last)
CROSS JOIN LATERAL (
    SELECT span.first + n AS day FROM generate_series(0, span.last - span.first) AS n
    EXCEPT
    SELECT r.day FROM runs r WHERE r.challenge_id = span.id AND r.day BETWEEN span.first AND span.last
) lacking
WHERE span.last - span.first + 1 > (
    SELECT count(*) FROM runs r WHERE r.challenge_id = span.id AND r.day BETWEEN span.first AND span.last)

-- name: within
-- The runs of each challenge's span that are in one of these states.
SELECT r.id, r.challenge_id
FROM unnest(%(ids)s::text[], %(first)s::date[], %(last)s::date[]) AS span (id, first, last)
JOIN runs r ON r.challenge_id = span.id AND r.day BETWEEN span.first AND span.last
WHERE r.state = ANY (%(states)s)

-- name: insert
-- A run for each day; a concurrent enqueue may have been first, then nothing is inserted for that day.
INSERT INTO runs (challenge_id, day, day_start, day_end, counts_from, queued_at, correlation_id)
SELECT %(challenge)s, day, day_start, day_end, %(counts_from)s, clock_timestamp(), %(correlation)s
FROM unnest(%(days)s::date[], %(starts)s::bigint[], %(ends)s::bigint[]) AS due (day, day_start, day_end)
ON CONFLICT (challenge_id, day) DO NOTHING
RETURNING id, day

-- name: requeue
-- Another pass over runs that are not at work; one that is open gets it when its present pass is over. It is the doing of
-- whom %(correlation)s says; without that, of who queued the last one.
UPDATE runs SET
    state = CASE WHEN state = 'open' THEN state ELSE 'queued' END,
    next_pass = CASE WHEN state = 'open' THEN %(pass)s END,
    reevaluate = CASE WHEN state = 'open' THEN reevaluate ELSE reevaluate AND state = 'queued' OR %(pass)s = 'reevaluate' END,
    correlation_id = CASE WHEN state = 'open' THEN correlation_id ELSE coalesce(%(correlation)s, correlation_id) END,
    next_correlation_id = CASE WHEN state = 'open' THEN %(correlation)s END,
    queued_at = clock_timestamp(), retry_at = NULL
WHERE id = ANY (%(ids)s) AND (state <> 'open' OR next_pass IS DISTINCT FROM 'reevaluate')
RETURNING id, day

-- name: requeue_between
-- Memberships changed for days in [from, to): who is required is found out anew.
UPDATE runs SET state = 'queued', queued_at = clock_timestamp(), retry_at = NULL,
                correlation_id = coalesce(%(correlation)s, correlation_id)
WHERE challenge_id = %(challenge)s AND state IN ('pending', 'settled')
  AND day_end > %(from)s AND day_start < %(to)s

-- name: note_between
-- The same for a run that is open: it gets a further pass.
UPDATE runs SET next_pass = coalesce(next_pass, 'pending'),
                next_correlation_id = coalesce(next_correlation_id, %(correlation)s)
WHERE challenge_id = %(challenge)s AND state = 'open' AND day_end > %(from)s AND day_start < %(to)s

-- name: next_turns
-- The run whose turn it is in each of these challenges, or of all, that has none open: its earliest queued day. Looked up
-- challenge by challenge: many may have runs that are queued or open.
SELECT r.id, r.passes, r.correlation_id
FROM unnest(coalesce(%(challenges)s::text[],
                     ARRAY(SELECT DISTINCT challenge_id FROM runs WHERE state = 'queued'))) AS asked (id)
JOIN challenges c ON c.id = asked.id
CROSS JOIN LATERAL (
    SELECT id, passes, correlation_id FROM runs WHERE challenge_id = c.id AND state = 'queued' ORDER BY day LIMIT 1
) r
CROSS JOIN LATERAL (SELECT count(*) AS runs FROM runs WHERE challenge_id = c.id AND state = 'open') at_work
WHERE NOT c.cancelled AND at_work.runs = 0
ORDER BY c.id

-- name: open
-- Take the turn. No row: it is another day's turn, the challenge is cancelled, or the run is not queued. The state is
-- compared as an expression, here and below: else Postgres may go through all runs of that state, in an index that seemed
-- small when it planned, and look at their ids.
UPDATE runs r SET state = 'open', opened_at = clock_timestamp(), fanned_out = 0, fan_out_done = false,
                  passes = passes + 1, next_pass = NULL
FROM challenges c
WHERE r.id = %(id)s AND r.state || '' = 'queued' AND c.id = r.challenge_id AND NOT c.cancelled
  AND (SELECT count(*) FROM runs o WHERE o.challenge_id = r.challenge_id AND o.state = 'open') = 0
  AND (SELECT count(*) FROM runs o
       WHERE o.challenge_id = r.challenge_id AND o.state = 'queued' AND o.day < r.day) = 0
RETURNING r.challenge_id, r.day

-- name: lock_open
-- The open run whose members are being fanned out; only one worker does it at a time.
SELECT r.id, r.challenge_id, r.day, r.day_start, r.day_end, r.reevaluate, r.batches, r.fanned_out, c.cancelled,
       r.day BETWEEN c.starts AND c.ends AS within,
       (SELECT v.min_solves FROM rules v WHERE v.challenge_id = r.challenge_id AND v.holds_from <= r.day
        ORDER BY v.holds_from DESC LIMIT 1) AS required
FROM runs r JOIN challenges c ON c.id = r.challenge_id
WHERE r.id = %(id)s AND r.state || '' = 'open' AND NOT r.fan_out_done
FOR UPDATE OF r SKIP LOCKED

-- name: drop_not_required
-- Edits of memberships reach unsettled days: a pending evaluation that is required no more goes.
DELETE FROM evaluations e USING runs r, challenges c
WHERE r.id = %(id)s AND e.run_id = r.id AND e.outcome = 'pending' AND c.id = r.challenge_id
  AND NOT (r.day BETWEEN c.starts AND c.ends AND EXISTS (
        SELECT FROM memberships s
        WHERE s.challenge_id = r.challenge_id AND s.member_id = e.member_id
          AND (s.joined IS NULL OR s.joined <= r.day_start) AND (s."left" IS NULL OR s."left" >= r.day_end)))

-- name: fan_out
-- The next members of a run into batches: those required who have no settled evaluation, and on a re-evaluation
-- everybody with an evaluation. They are looked at in order of their ids, straight from the index, so that a chunk of a
-- million members costs what one of a thousand does. Gives the last member looked at, how many were looked at, how many
-- are at work and how many batches were made.
WITH looked AS (
    SELECT s.member_id FROM memberships s
    WHERE s.challenge_id = %(challenge)s AND s.member_id > %(after)s
    GROUP BY s.member_id
    HAVING %(within)s AND bool_or((s.joined IS NULL OR s.joined <= %(day_start)s)
                                  AND (s."left" IS NULL OR s."left" >= %(day_end)s))
        OR %(reevaluate)s AND EXISTS (SELECT FROM evaluations e WHERE e.member_id = s.member_id AND e.day = %(day)s)
    ORDER BY s.member_id LIMIT %(members)s
), work AS (
    SELECT l.member_id, e.batch AS former,
           (row_number() OVER (ORDER BY l.member_id) - 1) / %(size)s + %(batches)s + 1 AS batch
    FROM looked l LEFT JOIN evaluations e ON e.member_id = l.member_id AND e.day = %(day)s
    WHERE e.member_id IS NULL OR e.outcome = 'pending' OR %(reevaluate)s
), put AS (
    INSERT INTO evaluations (member_id, day, run_id, batch, required)
    SELECT member_id, %(day)s, %(id)s, batch, %(required)s FROM work
    ON CONFLICT (member_id, day) DO UPDATE SET batch = excluded.batch, error = NULL, failed_at = NULL
    RETURNING batch
), shrunk AS (
    -- An evaluation is counted in its newest batch only.
    UPDATE batches b SET size = b.size - w.members
    FROM (SELECT former, count(*) AS members FROM work WHERE former IS NOT NULL GROUP BY former) w
    WHERE b.run_id = %(id)s AND b.batch = w.former
), made AS (
    INSERT INTO batches (run_id, batch, size)
    SELECT %(id)s, batch, count(*) FROM put GROUP BY batch
    RETURNING batch
)
SELECT (SELECT max(member_id) FROM looked), (SELECT count(*) FROM looked), (SELECT count(*) FROM put),
       (SELECT count(*) FROM made)

-- name: advance
-- A pass counts its evaluations from its first chunk on.
UPDATE runs SET evaluations = CASE WHEN fanned_out = 0 THEN 0 ELSE evaluations END + %(put)s,
                batches = batches + %(made)s, fanned_out = coalesce(%(last)s, fanned_out), fan_out_done = %(done)s
WHERE id = %(id)s

-- name: take_unsent
-- Mark the next batches as sent, so that no more than %(window)s of a run are in Redis at a time: a run of a
-- million members leaves room for a run of ten. By their place in the table: a join may be planned to go through all
-- batches of the run up to them. A batch that somebody changes meanwhile is left for the next time.
UPDATE batches SET sent_at = clock_timestamp()
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM batches
    WHERE run_id = %(id)s AND sent_at IS NULL AND state = 'waiting'
      AND NOT EXISTS (SELECT FROM switches WHERE name = 'paused')
    ORDER BY batch
    LIMIT greatest(0, %(window)s - (SELECT count(*) FROM batches l
                                    WHERE l.run_id = %(id)s AND l.state <> 'done' AND l.sent_at IS NOT NULL))
    FOR UPDATE SKIP LOCKED))
RETURNING batch, (SELECT correlation_id FROM runs WHERE id = %(id)s)

-- name: is_done
-- Whether a run has no batch left to do by now: `close` is worth a transaction.
SELECT NOT EXISTS (SELECT FROM batches WHERE run_id = %(id)s AND state <> 'done')

-- name: close
-- End the pass of a run that has no batch left to do.
UPDATE runs r SET
    state = CASE WHEN r.next_pass IS NOT NULL THEN 'queued'
                 WHEN EXISTS (SELECT FROM evaluations e WHERE e.run_id = r.id AND e.outcome = 'pending')
                 THEN 'pending' ELSE 'settled' END,
    reevaluate = coalesce(r.next_pass = 'reevaluate', false),
    correlation_id = coalesce(r.next_correlation_id, r.correlation_id), next_correlation_id = NULL,
    closed_at = clock_timestamp(),
    retry_at = clock_timestamp() + least(interval '30 days', interval '30 seconds' * (2 ^ least(r.passes, 20)))
WHERE r.id = %(id)s AND r.state || '' = 'open' AND r.fan_out_done
  AND NOT EXISTS (SELECT FROM batches b WHERE b.run_id = r.id AND b.state <> 'done')
RETURNING r.challenge_id, r.day, r.state

-- name: tally
-- What a pass came to, for the log: evaluations of it, their outcomes and those of earlier passes, and its seconds.
SELECT r.evaluations, extract(epoch FROM r.closed_at - r.opened_at)::float8,
       count(*) FILTER (WHERE e.outcome = 'passed'), count(*) FILTER (WHERE e.outcome = 'failed'),
       count(*) FILTER (WHERE e.outcome = 'pending'), count(*) FILTER (WHERE e.outcome = 'exempt'),
       count(*) FILTER (WHERE e.outcome = 'frozen')
FROM runs r LEFT JOIN evaluations e ON e.run_id = r.id
WHERE r.id = %(id)s
GROUP BY r.id

-- name: lock
-- Runs are locked before their evaluations by all who lock both.
SELECT FROM runs WHERE id = %(id)s FOR NO KEY UPDATE

-- name: split
-- Give each undecided member of a batch a batch of its own, since one of them takes the worker down each time.
WITH counter AS (
    SELECT id, batches FROM runs WHERE id = %(id)s FOR UPDATE
), undecided AS (
    SELECT member_id, row_number() OVER (ORDER BY member_id) AS n FROM evaluations
    WHERE run_id = %(id)s AND batch = %(batch)s AND (evaluated_at IS NULL OR evaluated_at < %(opened_at)s)
), moved AS (
    UPDATE evaluations e SET batch = c.batches + u.n FROM undecided u, counter c
    WHERE e.member_id = u.member_id AND e.day = %(day)s
    RETURNING e.batch
), shrunk AS (
    UPDATE batches SET size = size - (SELECT count(*) FROM moved) WHERE run_id = %(id)s AND batch = %(batch)s
), made AS (
    INSERT INTO batches (run_id, batch, size) SELECT %(id)s, batch, 1 FROM moved RETURNING batch
)
UPDATE runs SET batches = batches + (SELECT count(*) FROM made) WHERE id = %(id)s

-- name: retry_due
-- Runs whose pending evaluations are to be looked at again by now.
SELECT r.id FROM runs r JOIN challenges c ON c.id = r.challenge_id
WHERE r.state = 'pending' AND r.retry_at <= now() AND NOT c.cancelled
ORDER BY r.retry_at LIMIT 1000

-- name: sent_long_ago
-- Batches that were sent some seconds ago and are not done, by run: their messages may be lost.
SELECT r.id, array_agg(b.batch ORDER BY b.batch), r.correlation_id FROM batches b JOIN runs r ON r.id = b.run_id
WHERE b.state <> 'done' AND b.sent_at < clock_timestamp() - make_interval(secs => %(grace)s) AND r.state = 'open'
GROUP BY r.id ORDER BY r.id

-- name: opened_long_ago
-- Runs that are open, as turns: whether their fan-out is over, whether batches wait unsent, whether any is left.
SELECT r.id, r.passes - 1, r.correlation_id, r.fan_out_done,
       EXISTS (SELECT FROM batches b WHERE b.run_id = r.id AND b.sent_at IS NULL AND b.state = 'waiting'),
       EXISTS (SELECT FROM batches b WHERE b.run_id = r.id AND b.state <> 'done')
FROM runs r
WHERE r.state = 'open' AND r.opened_at < clock_timestamp() - make_interval(secs => %(grace)s)
ORDER BY r.id

-- name: prune
-- Batches are jobs, not history: they go some time after they are done. Deleted by their place in the table, since a
-- join over so many may be planned as a scan of them all.
DELETE FROM batches WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM batches
    WHERE state = 'done' AND finished_at < now() - make_interval(secs => %(after)s)
      AND run_id NOT IN (SELECT id FROM runs WHERE state = 'open')
    ORDER BY finished_at LIMIT 10000
    FOR UPDATE SKIP LOCKED))

-- name: settle_quietly
-- An evaluation was settled or reopened outside a pass (an override): the state of its run follows.
UPDATE runs r SET
    state = CASE WHEN EXISTS (SELECT FROM evaluations e WHERE e.run_id = r.id AND e.outcome = 'pending')
                 THEN 'pending' ELSE 'settled' END,
    closed_at = clock_timestamp(), retry_at = clock_timestamp()
WHERE r.id = %(id)s AND r.state IN ('pending', 'settled')
RETURNING r.challenge_id, r.day, r.state

-- name: at_work
-- Runs that are queued or open, of one challenge or of all, on one day or on any.
SELECT r.id FROM runs r JOIN challenges c ON c.id = r.challenge_id
WHERE r.state IN ('queued', 'open') AND NOT c.cancelled
  AND (%(challenge)s::text IS NULL OR r.challenge_id = %(challenge)s)
  AND (%(day)s::date IS NULL OR r.day = %(day)s)

-- name: progress
-- What `enqueue --wait` watches: how much of these runs is done. What is pending is counted when a run is over.
SELECT r.id, r.state, r.fan_out_done,
       coalesce((SELECT sum(size) FROM batches b WHERE b.run_id = r.id AND b.state <> 'done'), 0)::bigint,
       r.evaluations,
       CASE WHEN r.state IN ('pending', 'settled') THEN
           (SELECT count(*) FROM evaluations e WHERE e.run_id = r.id AND e.outcome = 'pending') ELSE 0 END,
       c.cancelled
FROM runs r JOIN challenges c ON c.id = r.challenge_id
WHERE r.id = ANY (%(ids)s)

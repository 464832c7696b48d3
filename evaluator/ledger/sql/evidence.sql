-- Observations of LeetCode, the solves they held, and the problems' difficulties.

-- name: read
-- For each handle: the observations since %(day_start)s, and those since its own `since` that brought new solves.
SELECT o.handle_key, o.id, o.fetched_at, o.standing, o.row_count, o.after, o.contradictory, o.active_dates,
       o.calendar_years, o.submission_ids, o.slugs, o.times
FROM unnest(%(keys)s::text[], %(since)s::bigint[]) AS asked (handle_key, since)
CROSS JOIN LATERAL (
    SELECT * FROM observations s
    WHERE s.handle_key = asked.handle_key AND s.fetched_at >= asked.since AND s.submission_ids <> '{}'
    UNION ALL
    SELECT * FROM observations s
    WHERE s.handle_key = asked.handle_key AND s.fetched_at >= %(day_start)s
      AND (s.submission_ids = '{}' OR s.fetched_at < asked.since)
) o
ORDER BY o.fetched_at, o.id

-- name: insert
-- All observations of a batch, as one JSON document: a driver takes much longer to write as many arrays.
INSERT INTO observations (handle_key, fetched_at, standing, row_count, after, contradictory, active_dates,
                          calendar_years, detail, submission_ids, slugs, times)
SELECT handle_key, fetched_at, standing, row_count, after, contradictory, active_dates,
       calendar_years, detail, submission_ids, slugs, times
FROM json_to_recordset(%(observations)s::json) AS o (
    handle_key text, fetched_at bigint, standing text, row_count integer, after bigint, contradictory boolean,
    active_dates date[], calendar_years smallint[], detail text, submission_ids text[], slugs text[], times bigint[])

-- name: difficulties
SELECT slug, difficulty FROM problems WHERE slug = ANY (%(slugs)s) AND difficulty IS NOT NULL

-- name: looked_up
-- Problems of which LeetCode could not tell the difficulty when it was last asked, since %(since)s.
SELECT slug FROM problems WHERE slug = ANY (%(slugs)s) AND difficulty IS NULL AND looked_up_at >= %(since)s

-- name: put_problems
INSERT INTO problems (slug, difficulty, frontend_id, title, paid_only, looked_up_at)
SELECT slug, difficulty, frontend_id, title, paid_only, clock_timestamp()
FROM unnest(%(slugs)s::text[], %(difficulties)s::text[], %(frontend_ids)s::text[], %(titles)s::text[],
            %(paid_only)s::boolean[]) AS p (slug, difficulty, frontend_id, title, paid_only)
ON CONFLICT (slug) DO UPDATE SET
    difficulty = coalesce(excluded.difficulty, problems.difficulty),
    frontend_id = coalesce(excluded.frontend_id, problems.frontend_id),
    title = coalesce(excluded.title, problems.title),
    paid_only = coalesce(excluded.paid_only, problems.paid_only),
    looked_up_at = excluded.looked_up_at

-- name: count_problems
SELECT count(*) FROM problems WHERE difficulty IS NOT NULL

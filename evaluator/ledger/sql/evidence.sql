-- Observations of LeetCode, the solves they held, and the problems' difficulties. `evaluations.record` inserts them.

-- name: read
-- For each handle: the solves that observations since its own `since` brought, and the observations since
-- %(day_start)s, both in order. As JSON, since a driver takes much longer to read as many rows and arrays.
SELECT asked.handle_key, s.solves, o.observations
FROM ROWS FROM (
    json_array_elements_text(%(keys)s::json), unnest(%(since)s::bigint[])
) AS asked (handle_key, since)
CROSS JOIN LATERAL (
    SELECT json_agg(b.solves ORDER BY b.fetched_at, b.id) AS solves
    FROM observations b
    WHERE b.handle_key = asked.handle_key AND b.brings_solves AND b.fetched_at >= asked.since
) s
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(b.fetched_at, b.standing, b.row_count, b.after, b.contradictory, b.active_dates,
                                     b.calendar_years) ORDER BY b.fetched_at, b.id) AS observations
    FROM observations b
    WHERE b.handle_key = asked.handle_key AND b.brings_solves = ANY ('{t,f}') AND b.fetched_at >= %(day_start)s
) o

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

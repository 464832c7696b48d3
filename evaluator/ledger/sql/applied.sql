-- What apply writes: challenges, the versions of their rules and zones, members and their stays.

-- name: lock
-- Two applies follow each other, whatever they are about.
SELECT pg_advisory_xact_lock(hashtextextended('evaluator apply', 0))

-- name: listings
-- Every member that was ever listed, with the newest stay.
SELECT m.handle_key, m.handle, nullif(m.absences, '{}'), s.stay, s.listed_at, s.joined, s."left", s.removed
FROM members m
JOIN LATERAL (
    SELECT * FROM memberships s
    WHERE s.challenge_id = m.challenge_id AND s.member_id = m.id
    ORDER BY s.stay DESC LIMIT 1
) s ON true
WHERE m.challenge_id = %(id)s
ORDER BY m.id

-- name: put_challenge
INSERT INTO challenges (id, name, starts, ends, currency, cancelled, created_at)
VALUES (%(id)s, %(name)s, %(starts)s, %(ends)s, %(currency)s, %(cancelled)s, to_timestamp(%(now)s))
ON CONFLICT (id) DO UPDATE SET
    name = excluded.name, starts = excluded.starts, ends = excluded.ends, currency = excluded.currency,
    cancelled = excluded.cancelled

-- name: forget_zones
DELETE FROM timezones WHERE challenge_id = %(id)s

-- name: put_zone
INSERT INTO timezones (challenge_id, holds_from, timezone) VALUES (%(id)s, %(holds_from)s, %(timezone)s)

-- name: forget_rules
DELETE FROM rules WHERE challenge_id = %(id)s

-- name: put_rules
INSERT INTO rules (challenge_id, holds_from, min_solves, difficulties, "unique", rest_days, freezes_per_month,
                   penalty, cap)
VALUES (%(id)s, %(holds_from)s, %(min_solves)s, %(difficulties)s, %(unique)s, %(rest_days)s,
        %(freezes_per_month)s, %(penalty)s, %(cap)s)

-- name: lock_members
-- The members that an apply changes, and those with a pending day in [from, to), which may be theirs no more. In
-- order of ids, as workers lock them.
SELECT id FROM members
WHERE challenge_id = %(id)s AND id IN (
    SELECT id FROM members WHERE challenge_id = %(id)s AND handle_key = ANY (%(keys)s)
    UNION
    SELECT e.member_id FROM runs r JOIN evaluations e ON e.run_id = r.id
    WHERE r.challenge_id = %(id)s AND r.state <> 'settled' AND e.outcome = 'pending'
      AND r.day_end > %(from)s AND r.day_start < %(to)s)
ORDER BY id FOR NO KEY UPDATE

-- name: put_members
INSERT INTO members (challenge_id, handle, handle_key, absences)
SELECT %(id)s, handle, handle_key, absences::datemultirange
FROM unnest(%(handles)s::text[], %(keys)s::text[], %(absences)s::text[]) AS listed (handle, handle_key, absences)
ON CONFLICT (challenge_id, handle_key) DO UPDATE SET handle = excluded.handle, absences = excluded.absences

-- name: put_memberships
INSERT INTO memberships (challenge_id, member_id, stay, listed_at, joined, "left", removed)
SELECT m.challenge_id, m.id, listed.stay, listed.listed_at, listed.joined, listed."left", listed.removed
FROM unnest(%(keys)s::text[], %(stays)s::smallint[], %(listed_at)s::bigint[], %(joined)s::bigint[],
            %(left)s::bigint[], %(removed)s::boolean[])
     AS listed (handle_key, stay, listed_at, joined, "left", removed)
JOIN members m ON m.challenge_id = %(id)s AND m.handle_key = listed.handle_key
ON CONFLICT (challenge_id, member_id, stay) DO UPDATE SET
    listed_at = excluded.listed_at, joined = excluded.joined, "left" = excluded."left", removed = excluded.removed

-- name: drop_not_required
-- Edits reach unsettled days: what is pending of these members and required no more goes. The members are locked, so
-- that no worker is recording a verdict on what goes.
DELETE FROM evaluations e USING runs r
WHERE r.challenge_id = %(id)s AND r.state <> 'settled' AND e.run_id = r.id AND e.outcome = 'pending'
  AND e.member_id = ANY (%(members)s)
  AND NOT (r.day <= %(ends)s AND EXISTS (
        SELECT FROM memberships s
        WHERE s.challenge_id = r.challenge_id AND s.member_id = e.member_id
          AND (s.joined IS NULL OR s.joined <= r.day_start) AND (s."left" IS NULL OR s."left" >= r.day_end)))

-- name: reopen
-- A completed challenge has days to settle again: it ends later, or some days were queued anew.
UPDATE challenges c SET completed_at = NULL
WHERE c.id = %(id)s AND c.completed_at IS NOT NULL
  AND (%(longer)s OR EXISTS (SELECT FROM runs r WHERE r.challenge_id = c.id AND r.state <> 'settled'))

-- Challenges, the versions of their rules and zones, and their members, as everybody reads them.

-- name: read
-- Challenges by id, or all of them where the ids are null.
SELECT id, name, starts, ends, currency, cancelled, completed_at IS NOT NULL AS completed
FROM challenges
WHERE %(ids)s::text[] IS NULL OR id = ANY (%(ids)s)
ORDER BY id

-- name: timezones
SELECT challenge_id, holds_from, timezone FROM timezones
WHERE challenge_id = ANY (%(ids)s) ORDER BY challenge_id, holds_from

-- name: rules
SELECT challenge_id, holds_from, min_solves, difficulties, "unique", rest_days, freezes_per_month, penalty, cap
FROM rules WHERE challenge_id = ANY (%(ids)s) ORDER BY challenge_id, holds_from

-- name: stays
-- Every stay of one member.
SELECT s.joined, s."left" FROM memberships s
WHERE s.challenge_id = %(id)s AND s.member_id = %(member_id)s ORDER BY s.stay

-- name: member
SELECT m.id, m.handle FROM members m
WHERE m.challenge_id = %(id)s AND m.handle_key = %(key)s

-- name: complete
-- Close a challenge whose days are all settled; %(days)s is how many days it has.
UPDATE challenges c SET completed_at = clock_timestamp()
WHERE c.id = %(id)s AND NOT c.cancelled AND c.completed_at IS NULL
  AND NOT EXISTS (SELECT FROM runs r WHERE r.challenge_id = c.id AND r.state <> 'settled')
  AND %(days)s <= (SELECT count(*) FROM runs r
                   WHERE r.challenge_id = c.id AND r.day BETWEEN c.starts AND c.ends)
RETURNING id

-- name: reopen
-- A day of a completed challenge is pending again.
UPDATE challenges SET completed_at = NULL WHERE id = %(id)s AND completed_at IS NOT NULL

-- name: overview
-- Challenges with what an organiser asks first: how many members, days settled, evaluations pending.
SELECT c.id, c.name, c.starts, c.ends, c.currency, c.cancelled, c.completed_at IS NOT NULL AS completed,
       (SELECT timezone FROM timezones t WHERE t.challenge_id = c.id ORDER BY holds_from DESC LIMIT 1),
       (SELECT count(*) FROM members m WHERE m.challenge_id = c.id),
       (SELECT count(*) FROM runs r WHERE r.challenge_id = c.id AND r.state = 'settled'),
       (SELECT count(*) FROM runs r JOIN evaluations e ON e.run_id = r.id
        WHERE r.challenge_id = c.id AND r.state <> 'settled' AND e.outcome = 'pending')
FROM challenges c
WHERE %(ids)s::text[] IS NULL OR c.id = ANY (%(ids)s)
ORDER BY c.id

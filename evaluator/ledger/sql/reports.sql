-- What has been settled, as people read it: verdicts, scores, and the days of some members side by side.

-- name: verdicts
-- A row a member and day, by day and handle. Handles are compared byte by byte, as Python does. A row is provisional
-- while an older one of the member is pending. That is asked row by row, with one look into an index for each older
-- unsettled run: how many are pending changes faster than Postgres' statistics, and a join may be planned for two.
SELECT r.challenge_id, m.handle, r.day, e.outcome, e.reason, e.solved, e.required,
       EXISTS (SELECT FROM runs older JOIN evaluations p ON p.run_id = older.id
               WHERE older.challenge_id = r.challenge_id AND older.state <> 'settled' AND older.day < r.day
                 AND p.member_id = e.member_id AND p.outcome = 'pending') AS provisional
FROM runs r
JOIN evaluations e ON e.run_id = r.id
JOIN members m ON m.id = e.member_id
WHERE r.challenge_id = %(challenge)s AND (%(day)s::date IS NULL OR r.day = %(day)s)
ORDER BY r.day, m.handle COLLATE "C"

-- name: has_run
SELECT EXISTS (SELECT FROM runs WHERE challenge_id = %(challenge)s AND day = %(day)s)

-- name: scores
-- The %(limit)s best members of a challenge (null: all of them), best first. Postings are summed member by member, since
-- a join may be planned as a scan of those of all challenges.
SELECT m.handle, m.current_streak, m.longest_streak,
       coalesce((SELECT sum(p.amount) FROM postings p WHERE p.member_id = m.id), 0)::bigint AS penalty
FROM members m
WHERE m.challenge_id = %(challenge)s
ORDER BY m.current_streak DESC, m.longest_streak DESC, penalty, m.handle COLLATE "C"
LIMIT %(limit)s

-- name: cells
-- The evaluations of some members on the days from %(first)s to %(last)s.
SELECT m.handle_key, e.day, e.outcome, e.reason, e.solved, e.required
FROM members m
JOIN runs r ON r.challenge_id = m.challenge_id AND r.day BETWEEN %(first)s AND %(last)s
JOIN evaluations e ON e.day = r.day AND e.member_id = m.id
WHERE m.challenge_id = %(challenge)s AND m.handle_key = ANY (%(keys)s)

-- name: bound_pauses
-- A reader that stops reading for %(seconds)s seconds loses its transaction, and not the connections of others.
SELECT set_config('idle_in_transaction_session_timeout', %(seconds)s || 's', true)

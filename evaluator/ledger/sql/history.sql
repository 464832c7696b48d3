-- One member's day: what it was judged by, and what followed from it.

-- name: day
-- The evaluation and its run. Without an evaluation the run alone, if there is one.
SELECT r.state, r.retry_at, e.outcome, e.reason, e.solved, e.required, coalesce(e.evidence, '[]'),
       e.evaluated_at, e.error,
       EXISTS (SELECT FROM runs older JOIN evaluations p ON p.run_id = older.id
               WHERE older.challenge_id = r.challenge_id AND older.state <> 'settled' AND older.day < r.day
                 AND p.member_id = e.member_id AND p.outcome = 'pending') AS provisional
FROM runs r LEFT JOIN evaluations e ON e.run_id = r.id AND e.member_id = %(member)s
WHERE r.challenge_id = %(challenge)s AND r.day = %(day)s

-- name: streak
SELECT current_streak, longest_streak FROM members WHERE id = %(member)s

-- name: observations
-- The newest replies from the beginning of a day until it was decided, oldest first.
SELECT fetched_at, standing, row_count, after, contradictory, active_dates, calendar_years, detail
FROM (SELECT * FROM observations
      WHERE handle_key = %(key)s AND fetched_at BETWEEN %(from)s AND %(until)s
      ORDER BY fetched_at DESC, id DESC LIMIT 50) newest
ORDER BY fetched_at, id

-- name: neighbours
-- Solves shortly before or after a day, which a reader may take for solves of it. Two workers may have seen one at once.
SELECT DISTINCT submission_id, slug, time FROM solves
WHERE handle_key = %(key)s AND first_seen >= %(from)s - 300
  AND (time >= %(from)s AND time < %(start)s OR time >= %(end)s AND time < %(until)s)
ORDER BY time, submission_id

-- name: titles
SELECT slug, title FROM problems WHERE slug = ANY (%(slugs)s) AND title IS NOT NULL

-- name: overrides
-- Every override of the day, the one in force first.
SELECT outcome, reason, set_by, set_at, cleared_by, cleared_at FROM overrides
WHERE member_id = %(member)s AND day = %(day)s
ORDER BY cleared_at DESC NULLS FIRST, id DESC

-- name: postings
SELECT entry, amount, posted_at FROM postings WHERE member_id = %(member)s AND day = %(day)s ORDER BY entry

-- name: total
SELECT coalesce(sum(amount), 0)::bigint FROM postings WHERE member_id = %(member)s

-- name: freezes
-- The days from %(first)s to before %(next)s on which a freeze was used.
SELECT day FROM evaluations
WHERE member_id = %(member)s AND day >= %(first)s AND day < %(next)s AND outcome = 'frozen' AND reason = 'freeze'
ORDER BY day

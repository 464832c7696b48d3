-- Overrides: a person's decision on a day, kept with who made it and who took it back.

-- name: put
INSERT INTO overrides (member_id, day, outcome, reason, set_by, set_at)
VALUES (%(member_id)s, %(day)s, %(outcome)s, %(reason)s, %(by)s, clock_timestamp())

-- name: clear
UPDATE overrides SET cleared_by = %(by)s, cleared_at = clock_timestamp()
WHERE member_id = %(member_id)s AND day = %(day)s AND cleared_at IS NULL

-- name: put_evaluation
-- A row for a member and day that no fan-out has brought yet.
INSERT INTO evaluations (member_id, day, run_id, batch) VALUES (%(member_id)s, %(day)s, %(run_id)s, 0)
ON CONFLICT (member_id, day) DO NOTHING

-- name: run_of
-- The run that an evaluation belongs to.
SELECT run_id FROM evaluations WHERE member_id = %(member_id)s AND day = %(day)s

-- Enqueues: when each kind of caller last enqueued what is due.

-- name: put
INSERT INTO enqueues (by, enqueued_at) VALUES (%(by)s, clock_timestamp())
ON CONFLICT (by) DO UPDATE SET enqueued_at = excluded.enqueued_at

-- name: read
SELECT by, extract(epoch FROM enqueued_at)::float8 FROM enqueues

-- Connections.

-- name: notice_silence
-- Postgres ends this session some 20 seconds after its client fell silent: its default is that of the system, two hours.
-- What somebody has set, for the server, the role or the connection, stays.
SELECT set_config(name, wanted, false)
FROM pg_settings
JOIN (VALUES ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'),
             ('tcp_user_timeout', '20000')) AS ours (name, wanted) USING (name)
WHERE source = 'default'

-- name: plan_once
-- For a session that looks up rows by their keys, in the same few statements again and again: each is planned once, for
-- any values, and so that it stays right while tables fill. To plan `begin` anew takes twice as long as to do it.
SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false),
       set_config('jit', 'off', false)

-- name: limit
-- How long a statement of this transaction may take.
SELECT set_config('statement_timeout', %(milliseconds)s, true)

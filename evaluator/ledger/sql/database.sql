-- Connections.

-- name: notice_silence
-- Postgres ends this session some 20 seconds after its client fell silent: its default is that of the system, two hours.
-- What somebody has set, for the server, the role or the connection, stays.
SELECT set_config(name, wanted, false)
FROM pg_settings
JOIN (VALUES ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3'),
             ('tcp_user_timeout', '20000')) AS ours (name, wanted) USING (name)
WHERE source = 'default'

-- name: limit
-- How long a statement of this transaction may take.
SELECT set_config('statement_timeout', %(milliseconds)s, true)

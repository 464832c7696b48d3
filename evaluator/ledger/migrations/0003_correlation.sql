-- Whose doing a run is: the correlation id of what queued its present pass, or asked for the next one while it was open.
-- Null for runs that an earlier version queued. It tells people what belongs together, and decides nothing.
ALTER TABLE runs ADD COLUMN correlation_id text, ADD COLUMN next_correlation_id text;

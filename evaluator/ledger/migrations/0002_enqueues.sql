-- When what is due was last enqueued, by each kind of who does it: a CronJob's pod is gone before anybody could ask it.
CREATE TABLE enqueues (
    by          text PRIMARY KEY CHECK (by IN ('command', 'cronjob', 'scheduler', 'api', 'keeper')),
    enqueued_at timestamptz NOT NULL
);

-- What metrics ask for every few seconds is found without a look at old runs and evaluations.
CREATE INDEX runs_closed ON runs (closed_at) WHERE state = 'settled';
-- The new index first, which lets everybody read meanwhile; what the old one's end keeps waiting is over at once.
CREATE INDEX evaluations_unproven_members ON evaluations (run_id, reason) INCLUDE (member_id)
    WHERE outcome = 'pending' AND reason <> 'not_evaluated';
DROP INDEX evaluations_unproven;

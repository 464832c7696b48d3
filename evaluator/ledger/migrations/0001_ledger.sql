-- The ledger: challenges as applied, runs and evaluations, the evidence they rest on, and the penalties.
-- Evidence keeps instants as LeetCode gives them: bigint seconds since the epoch, UTC.

CREATE TABLE challenges (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    starts     date NOT NULL,
    ends       date NOT NULL CHECK (ends >= starts),
    currency   text,                                   -- null while no version of the rules names a penalty
    cancelled  boolean NOT NULL DEFAULT false,
    completed_at timestamptz,                          -- every day is settled and none is pending
    created_at timestamptz NOT NULL
);

CREATE TABLE timezones (
    challenge_id text NOT NULL REFERENCES challenges ON DELETE CASCADE,
    holds_from   date NOT NULL,
    timezone     text NOT NULL,
    PRIMARY KEY (challenge_id, holds_from)
);

CREATE TABLE rules (
    challenge_id text NOT NULL REFERENCES challenges ON DELETE CASCADE,
    holds_from   date NOT NULL,
    min_solves   smallint NOT NULL,
    difficulties text[] NOT NULL,                      -- empty: any
    "unique"     text NOT NULL,
    rest_days    smallint[] NOT NULL,                  -- Monday is 0
    freezes_per_month smallint NOT NULL,
    penalty      bigint NOT NULL,                      -- minor units
    cap          bigint,
    PRIMARY KEY (challenge_id, holds_from)
);

CREATE TABLE members (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    challenge_id   text NOT NULL REFERENCES challenges ON DELETE CASCADE,
    handle         text NOT NULL,                      -- as last listed
    handle_key     text NOT NULL,                      -- what identifies the account
    absences       datemultirange NOT NULL DEFAULT '{}',
    current_streak integer NOT NULL DEFAULT 0,
    longest_streak integer NOT NULL DEFAULT 0,
    settled_through date,                              -- the member's newest settled day
    UNIQUE (challenge_id, handle_key)
) WITH (fillfactor = 80);

CREATE TABLE memberships (
    challenge_id text NOT NULL REFERENCES challenges ON DELETE CASCADE,
    member_id    bigint NOT NULL REFERENCES members ON DELETE CASCADE,
    stay         smallint NOT NULL,                    -- 1, 2, … for a member who left and came back
    listed_at    bigint,                               -- the apply that began it; null: listed from the start
    joined       bigint,                               -- null: from the start
    "left"       bigint,                               -- null: to the end
    removed      boolean NOT NULL DEFAULT false,       -- ended by an apply that no longer listed the member
    PRIMARY KEY (challenge_id, member_id, stay)
);

-- One settling of a challenge on a day. queued: waits for its turn; open: its batches are at work;
-- pending: a pass is over and some evaluations are still pending; settled: none is.
CREATE TABLE runs (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    challenge_id text NOT NULL REFERENCES challenges ON DELETE CASCADE,
    day          date NOT NULL,
    day_start    bigint NOT NULL,
    day_end      bigint NOT NULL,
    counts_from  bigint NOT NULL,                      -- the challenge's first second
    state        text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'open', 'pending', 'settled')),
    reevaluate   boolean NOT NULL DEFAULT false,       -- this pass also asks about settled evaluations
    next_pass    text CHECK (next_pass IN ('pending', 'reevaluate')), -- asked for while this pass was open
    batches      integer NOT NULL DEFAULT 0,           -- batches numbered so far, over all passes
    evaluations  bigint NOT NULL DEFAULT 0,            -- of this pass, fanned out so far
    fanned_out   bigint NOT NULL DEFAULT 0,            -- the last member that this pass has fanned out to
    fan_out_done boolean NOT NULL DEFAULT false,
    queued_at    timestamptz NOT NULL,
    opened_at    timestamptz,
    closed_at    timestamptz,
    retry_at     timestamptz,                          -- when a pending run is tried again by itself
    passes       integer NOT NULL DEFAULT 0,
    UNIQUE (challenge_id, day)
);
-- The days of a challenge are settled one after the other, so that freezes and caps go by date.
CREATE UNIQUE INDEX runs_one_open ON runs (challenge_id) WHERE state = 'open';
CREATE INDEX runs_unsettled ON runs (state, challenge_id, day) WHERE state <> 'settled';
-- A member of whom nothing can be known keeps every day pending: those that are due must be found without the others.
CREATE INDEX runs_retry ON runs (retry_at) WHERE state = 'pending';

CREATE TABLE batches (
    run_id     bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    batch      integer NOT NULL,
    size       smallint NOT NULL,
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'active', 'done')),
    attempts   smallint NOT NULL DEFAULT 0,
    sent_at    timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    error      text,
    PRIMARY KEY (run_id, batch)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);
CREATE INDEX batches_live ON batches (run_id, batch) INCLUDE (size) WHERE state <> 'done';
CREATE INDEX batches_active ON batches (run_id) INCLUDE (size) WHERE state = 'active';
CREATE INDEX batches_unsent ON batches (run_id, batch) WHERE sent_at IS NULL AND state = 'waiting';
CREATE INDEX batches_sent ON batches (run_id, sent_at) WHERE sent_at IS NOT NULL AND state <> 'done';
CREATE INDEX batches_finished ON batches (finished_at) INCLUDE (size) WHERE state = 'done';

CREATE TABLE evaluations (
    member_id  bigint NOT NULL,                        -- a member of the run's challenge, with which it is deleted
    day        date NOT NULL,
    run_id     bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
    batch      integer NOT NULL,
    outcome    text NOT NULL DEFAULT 'pending'
               CHECK (outcome IN ('passed', 'failed', 'pending', 'exempt', 'frozen')),
    reason     text NOT NULL DEFAULT 'not_evaluated',
    solved     integer NOT NULL DEFAULT 0,
    required   smallint NOT NULL DEFAULT 0,
    evidence   json,                                   -- the solves that were judged, and what came of each
    evaluated_at timestamptz,
    error      text,                                   -- the last error of a job that was given up
    failed_at  timestamptz,                            -- when it was given up; null once cleared or settled
    -- By day first: a day's rows then lie side by side in the index, however many days and members there are. By member
    -- first each row would touch a page of its own, a page that is written whole after each checkpoint.
    PRIMARY KEY (day, member_id)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01,
        autovacuum_analyze_scale_factor = 0.01);
CREATE INDEX evaluations_run ON evaluations (run_id, batch);
CREATE INDEX evaluations_pending ON evaluations (run_id, member_id) WHERE outcome = 'pending';
CREATE INDEX evaluations_unproven ON evaluations (run_id, reason) WHERE outcome = 'pending' AND reason <> 'not_evaluated';
CREATE INDEX evaluations_frozen ON evaluations (member_id, day) WHERE outcome = 'frozen';
CREATE INDEX evaluations_failed_jobs ON evaluations (failed_at) WHERE failed_at IS NOT NULL;

-- The penalty ledger. Entry 1 of a day is a penalty, 2 its reversal, 3 a penalty again, …
CREATE TABLE postings (
    member_id bigint NOT NULL REFERENCES members ON DELETE CASCADE,
    day       date NOT NULL,
    entry     smallint NOT NULL,
    amount    bigint NOT NULL CHECK (amount <> 0),     -- minor units; a reversal is negative
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, day, entry) INCLUDE (amount) -- a member's total is read from the index alone
) WITH (autovacuum_vacuum_insert_scale_factor = 0.01);

CREATE TABLE overrides (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id bigint NOT NULL REFERENCES members ON DELETE CASCADE,
    day       date NOT NULL,
    outcome   text NOT NULL CHECK (outcome IN ('passed', 'failed', 'exempt', 'frozen')),
    reason    text NOT NULL,
    set_by    text NOT NULL,
    set_at    timestamptz NOT NULL,
    cleared_by text,
    cleared_at timestamptz
);
CREATE UNIQUE INDEX overrides_in_force ON overrides (member_id, day) WHERE cleared_at IS NULL;
CREATE INDEX overrides_of_day ON overrides (member_id, day);

-- One reply of LeetCode about one handle, with the solves that no earlier one held.
CREATE TABLE observations (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    handle_key    text NOT NULL,
    fetched_at    bigint NOT NULL,
    standing      text NOT NULL,
    row_count     integer NOT NULL,
    after         bigint,                              -- shows (after, fetched_at]; null: back for ever
    contradictory boolean NOT NULL,
    active_dates  date[] NOT NULL,
    calendar_years smallint[] NOT NULL,
    detail        text NOT NULL,
    solves        json NOT NULL,                       -- [[submission id, slug, time], …]
    brings_solves boolean NOT NULL GENERATED ALWAYS AS (solves::text <> '[]') STORED,
    -- Of a handle with few solves all that brought any are read, and of the others only the newest.
    PRIMARY KEY (handle_key, brings_solves, fetched_at, id)
);

CREATE VIEW solves AS
    SELECT o.handle_key, solve->>0 AS submission_id, solve->>1 AS slug, (solve->>2)::bigint AS time,
           o.fetched_at AS first_seen
    FROM observations o, json_array_elements(o.solves) AS solve
    WHERE o.brings_solves;

CREATE TABLE problems (
    slug        text PRIMARY KEY,
    difficulty  text CHECK (difficulty IN ('Easy', 'Medium', 'Hard')),  -- null: LeetCode did not know it
    frontend_id text,
    title       text,
    paid_only   boolean,
    looked_up_at timestamptz NOT NULL
);

-- What operators may switch, and what must outlive every process.
CREATE TABLE switches (
    name text PRIMARY KEY,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL
);

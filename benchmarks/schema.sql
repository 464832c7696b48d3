-- The core of this project's ledger, under the same names, for contenders that bring no schema.

CREATE TABLE challenges (
    id         text PRIMARY KEY,
    day        date NOT NULL,
    day_start  bigint NOT NULL,   -- seconds since the epoch
    day_end    bigint NOT NULL,
    min_solves smallint NOT NULL,
    penalty    bigint NOT NULL    -- minor units
);

CREATE TABLE members (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    challenge_id   text NOT NULL REFERENCES challenges ON DELETE CASCADE,
    handle         text NOT NULL,
    current_streak integer NOT NULL DEFAULT 0,
    longest_streak integer NOT NULL DEFAULT 0,
    UNIQUE (challenge_id, handle)
) WITH (fillfactor = 80);

CREATE TABLE evaluations (
    member_id    bigint NOT NULL REFERENCES members ON DELETE CASCADE,
    day          date NOT NULL,
    outcome      text NOT NULL,
    solved       integer NOT NULL,
    required     smallint NOT NULL,
    evaluated_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, day)
);

CREATE TABLE postings (
    member_id bigint NOT NULL REFERENCES members ON DELETE CASCADE,
    day       date NOT NULL,
    entry     smallint NOT NULL,
    amount    bigint NOT NULL,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, day, entry)
);

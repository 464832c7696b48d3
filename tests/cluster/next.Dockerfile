# A version after this one, whose schema has a table more.
ARG EVALUATOR
FROM ${EVALUATOR}
COPY 0999_next_version.sql /opt/evaluator/lib/python3.13/site-packages/evaluator/ledger/migrations/

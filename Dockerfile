# The evaluator in every role: `docker build -t evaluator .`
#
# UV and DEBIAN may name copies in a registry of your own. Where a proxy signs what comes from outside, add
# `--secret id=authorities,src=/etc/ssl/certs/ca-certificates.crt`.
ARG UV=ghcr.io/astral-sh/uv:0.13.0@sha256:cdc6093146eb3ff6a40107b38f008b789e050e77ad87865e381d9917da55a168
ARG DEBIAN=debian:13.7-slim@sha256:a99cfc517144bc59b1978475ec53b46ecabec7e43635402ee5b77cc54cd1b20a

FROM ${UV} AS uv

# Debian's own Python 3.13: mended by Debian for as long as the release lives, and without anything to build with.
FROM ${DEBIAN} AS python
# Of Debian there is no older version to pin: the release is the pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/cache/apt/* /var/cache/debconf/* /var/lib/apt/lists/* /var/log/*

FROM python AS build
COPY --from=uv /uv /usr/local/bin/uv
WORKDIR /build
ENV UV_CACHE_DIR=/var/cache/uv \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/evaluator \
    UV_PYTHON=/usr/bin/python3 \
    UV_SYSTEM_CERTS=1
# `--build-arg EXTRAS="--extra tracing"` adds what traces take; without it a command starts sooner.
ARG EXTRAS=
# What the lock file names changes seldom, so it has a layer of its own.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/var/cache/uv \
    --mount=type=secret,id=authorities,target=/etc/ssl/certs/ca-certificates.crt \
    uv sync --locked --no-default-groups $EXTRAS --no-install-project
COPY README.md LICENSE ./
COPY evaluator evaluator
# Of a folder uv remembers what it has built from it as long as pyproject.toml is the same.
RUN --mount=type=cache,target=/var/cache/uv \
    --mount=type=secret,id=authorities,target=/etc/ssl/certs/ca-certificates.crt \
    uv sync --locked --no-default-groups $EXTRAS --no-editable --reinstall-package evaluator

FROM python
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="evaluator" \
      org.opencontainers.image.description="Settles daily LeetCode challenges: verdicts, streaks and penalties, exactly once and fairly." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/debian:13.7-slim"
COPY --from=build /opt/evaluator /opt/evaluator
# The root may be read-only: whatever is written goes to /tmp.
ENV PATH=/opt/evaluator/bin:/usr/bin:/bin \
    HOME=/tmp \
    LOG_FORMAT=json \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000 9191
ENTRYPOINT ["evaluator"]

# PostgreSQL and Redis for a test cluster, where the official images cannot be had: the same commands on PATH, the same user.
ARG DEBIAN
FROM ${DEBIAN}
# hadolint ignore=DL3008
RUN groupadd --gid 999 service \
    && useradd --uid 999 --gid 999 service \
    && mkdir /etc/postgresql-common \
    && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql-17 redis-server \
    && rm -rf /var/cache/apt/* /var/lib/apt/lists/* /usr/lib/*-linux-gnu/libLLVM* /usr/lib/postgresql/17/lib/llvmjit*
ENV PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin
USER 999:999

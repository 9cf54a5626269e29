# Everything installed is in a lock, with its hash. Wheels only, but for dkimpy, which has none: it is built with the
# tools of build.lock, without isolation, in which pip would fetch tools that no lock names. 3.13 is the newest Python that the workflow runs the tests on.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# Before the sources, so that these layers stay cached until a lock changes.
COPY requirements/build.lock requirements/run.lock requirements/
RUN pip install --require-hashes --only-binary :all: -r requirements/build.lock \
  && python -m venv --without-pip /opt/morning-papers \
  && pip wheel --require-hashes --no-deps --only-binary :all: --no-binary dkimpy --no-build-isolation \
    --wheel-dir /locked -r requirements/run.lock \
  && pip --python /opt/morning-papers install --no-index --no-deps /locked/*.whl
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY channels channels
COPY templates templates
RUN pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . \
  && pip --python /opt/morning-papers install --no-index --no-deps /wheels/*.whl

FROM python:3.13-slim
# The user id is fixed, so that a folder of the host can be given to it: chown 10001:10001.
RUN groupadd --gid 10001 papers \
  && useradd --uid 10001 --gid papers --no-create-home --home-dir /data --shell /usr/sbin/nologin papers \
  && install --directory --owner papers --group papers --mode 700 /data /media
COPY --from=build /opt/morning-papers /opt/morning-papers
# The pages: on every address of the container, of which compose.yaml publishes one port to the machine itself.
ENV PATH=/opt/morning-papers/bin:$PATH PAPERS_HOME=/data LOG_FORMAT=json WEB_HOST=0.0.0.0 WEB_PORT=8080
EXPOSE 8080
VOLUME /data
WORKDIR /data
USER 10001:10001
# Like Ctrl-C: what is in flight is finished and recorded, within four seconds.
STOPSIGNAL SIGTERM
# There is no port to probe, and Docker sees by itself whether the process lives. This checks whether its settings can be
# read and its database answers. `doctor` would ask the feed as well, whose outages no restart repairs; `editions` counts
# millions of rows. HEARTBEAT_URL is for monitoring whether rounds succeed.
# No start period: newer Dockers probe every five seconds during one, while the database may still be migrating.
HEALTHCHECK --interval=2m --timeout=30s --retries=3 CMD ["papers", "deliveries", "list", "--limit", "1", "--json"]
ENTRYPOINT ["papers"]
CMD ["run"]

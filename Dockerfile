# One image for web, worker, sweep, beat, alarm and init; PostgreSQL and Redis come from their own images.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DISPATCH_HOME=/var/lib/dispatch

RUN useradd --system --create-home --home-dir /var/lib/dispatch dispatch
WORKDIR /srv/dispatch

COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY pyproject.toml alembic.ini ./
COPY config ./config
COPY migrations ./migrations
COPY dispatch ./dispatch
RUN pip install --no-cache-dir --no-deps --no-build-isolation --no-index -e . \
    && python -m compileall -q config migrations dispatch

USER dispatch
EXPOSE 8096 8097/tcp 8097/udp
CMD ["dispatch", "web"]

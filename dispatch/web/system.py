"""Health, readiness and figures of this process; request id, log line and duration of every request."""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import structlog
from flask import Blueprint, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from config.settings import get_settings
from dispatch.errors import Unavailable
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.queue import Lane
from dispatch.transaction import transaction
from dispatch.web.access import open_to_all

REQUEST_ID_BYTES = 9
LONGEST_REQUEST_ID = 64
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
RECEIVERS = "metrics-alarm"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics", "/vendor/<name>", "/static/<path:filename>", "/live"})
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
JOBS = text(
    "SELECT lane, count(*) FILTER (WHERE dead_at IS NULL), "
    "coalesce(greatest(0, extract(epoch FROM dispatch_now() - min(run_at) FILTER (WHERE dead_at IS NULL))), 0), "
    "count(*) FILTER (WHERE dead_at IS NOT NULL) FROM jobs "
    "WHERE done_at IS NULL AND (dead_at IS NOT NULL OR run_at <= dispatch_now()) GROUP BY lane"
)

log = structlog.get_logger()
blueprint = Blueprint("system", __name__)
duration = Histogram(
    "dispatch_request_seconds",
    "Seconds from the first byte read to the answer made",
    ("method", "route", "status"),
    buckets=BUCKETS,
)


@blueprint.get("/healthz")
@open_to_all("whether this process lives; says nothing else")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@open_to_all("whether the database answers; says nothing else")
def readyz() -> tuple[Response, int]:
    """The database answers too; 503 until it does. Redis is not asked: work goes on without it."""
    try:
        with transaction(EVERYTHING) as session:
            session.execute(text("SELECT 1"))
    except (SQLAlchemyError, Unavailable):
        return jsonify(status="unavailable", database="down"), 503
    return jsonify(status="ok", database="ok"), 200


@blueprint.get("/metrics")
@open_to_all("counts without personal data; a reverse proxy keeps it inside")
def metrics() -> Response:
    """Requests and receivers' frames of all processes of this machine (where they share a home), jobs and dead jobs."""
    registry = CollectorRegistry()
    if SHARED_FOLDER in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(REGISTRY)  # type: ignore[arg-type]
    registry.register(ReceiversCollector(get_settings().home / RECEIVERS))  # type: ignore[arg-type]
    registry.register(JobsCollector())  # type: ignore[arg-type]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


@dataclass(frozen=True, slots=True)
class ReceiversCollector:
    """What the receivers of alarm devices of this home count, each in a folder of its port."""

    folder: Path

    def collect(self) -> Iterable[Metric]:
        """Their figures together; none where no receiver has run."""
        files = [str(file) for file in self.folder.glob("*/*.db")]
        return MultiProcessCollector.merge(files, accumulate=True) if files else []


class JobsCollector:
    """Due and dead jobs of each lane, read when asked, so that every process tells the same."""

    def collect(self) -> list[GaugeMetricFamily]:
        """The three figures by lane; an unreachable database gives none and `dispatch_database_up` 0."""
        due = GaugeMetricFamily("dispatch_jobs_due", "Jobs whose time has come", labels=["lane"])
        age = GaugeMetricFamily("dispatch_jobs_oldest_seconds", "Age of the oldest due job", labels=["lane"])
        dead = GaugeMetricFamily("dispatch_jobs_dead", "Jobs given up after their last attempt", labels=["lane"])
        up = GaugeMetricFamily("dispatch_database_up", "Whether the database answers")
        try:
            with transaction(EVERYTHING) as session:
                rows = {row[0]: row[1:] for row in session.execute(JOBS)}
        except (SQLAlchemyError, Unavailable):
            up.add_metric([], 0)
            return [up]
        for lane in Lane:
            counted = rows.get(int(lane), (0, 0, 0))
            for family, value in zip((due, age, dead), counted, strict=True):
                family.add_metric([lane.name.lower()], float(value))
        up.add_metric([], 1)
        return [due, age, dead, up]


def begin_request() -> None:
    """Give the request an id that goes into every log line, error and audit entry."""
    given = request.headers.get("X-Request-ID", "")
    is_usable = 0 < len(given) <= LONGEST_REQUEST_ID and given.isascii() and given.replace("-", "").isalnum()
    g.request_id = given if is_usable else secrets.token_urlsafe(REQUEST_ID_BYTES)
    g.began = perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def end_request(response: Response) -> Response:
    """One log line by route, never by address: an address may hold a link's secret."""
    if "began" not in g:
        return response
    seconds = perf_counter() - g.began
    route = request.url_rule.rule if request.url_rule else "unknown"
    response.headers["X-Request-ID"] = g.request_id
    method = request.method if request.method in KNOWN_METHODS else "other"
    duration.labels(method, route, str(response.status_code)).observe(seconds)
    if route not in QUIET_ROUTES:
        log.info(
            "request",
            method=method,
            route=route,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
        )
    return response


def watch() -> None:
    """Put the hooks of this module around every request of the current application."""
    current_app.before_request(begin_request)
    current_app.after_request(end_request)

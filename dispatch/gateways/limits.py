"""How often something may be asked: the numbers as data, kept in Redis, in this process when Redis is away."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from time import time

import structlog
from flask import Flask, Response, g, request
from flask_limiter import Limiter
from redis.exceptions import RedisError

from config.settings import Settings
from dispatch.rules.access.forwarded import counted_as
from dispatch.rules.access.roles import Actor

SOCKET_SECONDS = 0.5

log = structlog.get_logger()

# By whom is counted stands behind each: an address, a name, or whoever shows a key or a session.
LOG_IN_BY_ADDRESS = "20 per minute;200 per hour"  # address; a whole office may stand behind one
LOG_IN_BY_NAME = "10 per minute;60 per hour"  # log-in name as typed, whether it exists or not
CODE = "10 per minute"  # address
INTAKE = "1200 per minute"  # caller; a district's peak is some ten calls a minute
SEARCH = "600 per minute"  # caller; every keystroke of the desk asks
EXPORT = "20 per hour"  # caller
LINK = "60 per minute"  # address: the phone page behind a signed link
PLEDGE_BY_ADDRESS = "20 per hour"  # address: the public form of a pledge
PLEDGE_BY_PHONE = "5 per hour"  # telephone number as typed there
ENTRY_BY_ADDRESS = "10 per hour"  # address: what strangers say to 三问
ENTRY_BY_QUESTION = "200 per hour"  # question of 三问, from wherever
LOOKUP_BY_NUMBER = "5 per hour"  # order number or receipt: the public question where an order is
CODE_BY_CODE = "10 per hour"  # code of an appointment as typed
LOOKUP_BY_ADDRESS = "60 per hour"  # address
VOUCHER_CODE = "10 per hour"  # firm: codes of voucher cards that are none


def address() -> str:
    """The network address that asks, or the /64 of an IPv6 address."""
    return f"address:{counted_as(request.remote_addr or 'unknown')}"


def caller() -> str:
    """Whoever shows this key or session, else the address; the secret itself never reaches Redis."""
    shown = request.headers.get("Authorization") or request.cookies.get("session")
    if not shown:
        return address()
    return f"caller:{hashlib.sha256(shown.encode('utf-8', 'replace')).hexdigest()[:24]}"


def principal() -> str:
    """The known actor of this request; only behind `allow`."""
    actor: Actor = g.actor
    return f"principal:{actor.principal}"


def firm() -> str:
    """The firm of this request, whoever acts for it by whichever door; only behind `allow` or what sets `firm_id`."""
    firm_id = g.get("firm_id") or g.actor.performer_id
    return principal() if firm_id is None else f"firm:{firm_id}"


def login_name() -> str:
    """The log-in name that was typed, as a digest."""
    typed = request.form.get("login", "").strip().lower()
    return f"login:{hashlib.sha256(typed.encode('utf-8', 'replace')).hexdigest()[:24]}"


@contextmanager
def guessing(error: type[Exception]) -> Iterator[None]:
    """Remember for `is_guess` that this request guessed a secret wrongly, as this error says."""
    try:
        yield
    except error:
        g.guessed = True
        raise


def is_guess(_response: Response) -> bool:
    """Whether this request guessed wrongly: only such ones are counted where a limit says so."""
    return bool(g.get("guessed", False))


limiter = Limiter(caller, strategy="fixed-window")
"""Without its headers: they would ask Redis twice more for every answer; only a refusal says how long to wait."""


wrong_codes = limiter.shared_limit(VOUCHER_CODE, scope="voucher_code", key_func=firm, deduct_when=is_guess)
"""Counts the wrong codes of voucher cards by the firm that guesses, at all doors together."""


def install(app: Flask, settings: Settings) -> None:
    """Count the requests of this application."""
    configure(app, settings)
    limiter.init_app(app)
    app.after_request(tell_wait)


def tell_wait(response: Response) -> Response:
    """Say with a refusal for too many requests in how many seconds the next is welcome."""
    breached = limiter.current_limit
    if response.status_code != HTTPStatus.TOO_MANY_REQUESTS or breached is None:
        return response
    try:
        response.headers["Retry-After"] = str(max(1, int(breached.reset_at - time())))
    except RedisError as error:
        log.warning("limit_unread", error=type(error).__name__)
    return response


def configure(app: Flask, settings: Settings) -> None:
    """Count in Redis; when Redis is away each process counts by itself, and comes back by itself."""
    app.config.setdefault("RATELIMIT_STORAGE_URI", settings.limiter_storage_url)
    app.config.setdefault(
        "RATELIMIT_STORAGE_OPTIONS",
        {"socket_connect_timeout": SOCKET_SECONDS, "socket_timeout": SOCKET_SECONDS},
    )
    app.config.setdefault("RATELIMIT_IN_MEMORY_FALLBACK_ENABLED", True)
    # two threads may find Redis gone at the same moment: the second is let through uncounted instead of failing
    app.config.setdefault("RATELIMIT_SWALLOW_ERRORS", True)

"""Who may open a page: the server-side session behind the cookie, and the token of every form (CSRF)."""

import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import quote

import structlog
from flask import Response, g, make_response, redirect, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import Forbidden

from config.settings import get_settings
from dispatch import clock
from dispatch.errors import NotAllowed
from dispatch.gateways.limits import limiter, principal
from dispatch.rules.access.roles import EVERYTHING, NOTHING, Actor, Right
from dispatch.services import catalogue
from dispatch.services.access import sessions, vault
from dispatch.transaction import scope_of_request, transaction

COOKIE = "session"
VISIT_COOKIE = "visit"
VISIT_BYTES = 16
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
CSRF_PURPOSE = "csrf"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SEE_OTHER = 303
UNAUTHORIZED = 401

View = TypeVar("View", bound=Callable[..., Any])


def allow(right: Right | None, *, limit: str | None = None) -> Callable[[View], View]:
    """Let in whoever is logged in and holds the right (None: everybody who is logged in).

    Without a session: to the log-in and back. A POST needs the form's token. 403 without the right.
    `limit` (one of dispatch.gateways.limits) is counted by the person, and answered with 429.
    """

    def decorate(view: View) -> View:
        counted = view if limit is None else limiter.limit(limit, key_func=principal)(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            actor = session_actor()
            if actor is None:
                return to_log_in()
            g.actor = actor
            scope_of_request.set(actor.scope)
            structlog.contextvars.bind_contextvars(actor_id=actor.principal)
            check_csrf()
            if right is not None and not actor.may(right):
                raise NotAllowed
            return counted(*args, **kwargs)

        guarded.allowed = right or "signed_in"  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def open_to_all(reason: str) -> Callable[[View], View]:
    """Let in everybody, for a stated reason; nothing is in reach."""

    def decorate(view: View) -> View:
        @wraps(view)
        def unguarded(*args: Any, **kwargs: Any) -> Any:
            scope_of_request.set(NOTHING)
            return view(*args, **kwargs)

        unguarded.open_to_all = reason  # type: ignore[attr-defined]
        return unguarded  # type: ignore[return-value]

    return decorate


def current_actor() -> Actor:
    """Who is logged in; only behind `allow`."""
    actor: Actor = g.actor
    return actor


def session_actor() -> Actor | None:
    """The actor behind the request's cookie, None when there is none or it is over."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    with transaction(EVERYTHING) as session:
        g.business_time = clock.now(session)
        actor = sessions.authenticate_session(session, token, g.business_time)
        g.is_firm = actor is not None and catalogue.is_firm(session, actor.performer_id)
    g.locale = actor.locale if actor is not None else None
    return actor


def to_log_in() -> Response:
    """Send a person to the log-in and back to the page; htmx is told to load it as a whole page."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
    is_fragment = request.headers.get("HX-Request") == "true"
    address = url_for("access.log_in") + "?next=" + quote("/" if is_fragment else wanted)
    if is_fragment:
        response = make_response("", UNAUTHORIZED)
        response.headers["HX-Redirect"] = address
        return response
    return make_response(redirect(address, SEE_OTHER))


def csrf_token() -> str:
    """The token that a form of this session (or of this visit to the log-in) carries; empty without either."""
    binding = request.cookies.get(COOKIE) or visit()
    return vault.sign(CSRF_PURPOSE, binding.encode("utf-8", "replace")).hex() if binding else ""


def check_csrf() -> None:
    """Refuse a changing request without the token of its session; raises Forbidden."""
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    expected = csrf_token()
    if not expected or not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise Forbidden(gettext("页面已经过期，请刷新后再提交。"))


def visit() -> str | None:
    """The random mark of a visit to the log-in before there is a session."""
    mark: str | None = g.get("visit") or request.cookies.get(VISIT_COOKIE)
    return mark


def begin_visit() -> None:
    """Give this browser a mark, so that the log-in form has a token too."""
    if visit() is None:
        g.visit = secrets.token_urlsafe(VISIT_BYTES)


def keep_visit(response: Response) -> Response:
    """Set the mark's cookie when it was made in this request."""
    if "visit" in g:
        set_cookie(response, VISIT_COOKIE, g.visit)
    return response


def set_cookie(response: Response, name: str, value: str) -> None:
    """A cookie that scripts cannot read and other sites cannot use; secure where the site's address is https."""
    is_https = get_settings().base_url.startswith("https://")
    response.set_cookie(name, value, httponly=True, samesite="Lax", secure=is_https, path="/")


def begin_request() -> None:
    """Nothing is in reach until a door has said who asks: threads serve many requests."""
    scope_of_request.set(NOTHING)

"""Who may call a route of the API: keys in `Authorization: Bearer hq_…`; cookies are not looked at."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import structlog
from flask import g, request
from flask_babel import gettext
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from dispatch.errors import NotAllowed
from dispatch.gateways.limits import limiter, principal
from dispatch.rules.access.roles import EVERYTHING, NOTHING, Actor, Right
from dispatch.services.access import keys
from dispatch.transaction import Doors, scope_of_request, transaction

REALM = "Houqing Dispatch"
View = TypeVar("View", bound=Callable[..., Any])


def allow(right: Right, *, limit: str | None = None) -> Callable[[View], View]:
    """Let in whoever holds a key with this right: 401 without a key, 403 without the right.

    `limit` (one of dispatch.gateways.limits) is counted by the key, and answered with 429.
    """

    def decorate(view: View) -> View:
        counted = view if limit is None else limiter.limit(limit, key_func=principal)(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            asking = authenticated()
            g.actor = asking
            scope_of_request.set(asking.scope)
            structlog.contextvars.bind_contextvars(actor_id=asking.principal)
            if not asking.may(right):
                raise NotAllowed
            return counted(*args, **kwargs)

        guarded.allowed = right  # type: ignore[attr-defined]
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


def actor() -> Actor:
    """Who asks."""
    asking: Actor = g.actor
    return asking


def authenticated() -> Actor:
    """The actor of the request's key; raises Unauthorized with WWW-Authenticate."""
    plain = bearer()
    if plain is None:
        raise refused(None)
    known = keys.known_key(Doors.engine, plain) if Doors.engine is not None else None
    if known is not None:
        return known
    with transaction(EVERYTHING) as session:
        asking = keys.authenticate_key(session, plain)
    if asking is None:
        raise refused("invalid_token")
    return asking


def bearer() -> str | None:
    """The key of the request, None when there is none or it cannot be one of ours."""
    scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
    plain = plain.strip()
    if scheme.lower() != "bearer" or not plain.startswith(keys.PREFIX) or len(plain) != keys.KEY_CHARACTERS:
        return None
    return plain


def refused(error: str | None) -> Unauthorized:
    """401 as RFC 6750 wants it."""
    values = {"realm": REALM} | ({"error": error} if error else {})
    return Unauthorized(
        gettext("请在 Authorization 里带上有效的密钥（Bearer hq_…）"),
        www_authenticate=WWWAuthenticate("bearer", values),
    )

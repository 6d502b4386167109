"""A POST that is done once per Idempotency-Key: the answer is stored in the transaction that did the work."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, current_app, g, request
from sqlalchemy.orm import Session

from dispatch.rules.access.roles import Actor
from dispatch.services.access import idempotency
from dispatch.services.access.idempotency import Stored
from dispatch.transaction import retrying, transaction

REPLAYED = "Idempotency-Replayed"

Work = Callable[[Session], tuple[int, Mapping[str, Any], Mapping[str, str]]]


@retrying
def once(route: str, payload: Mapping[str, Any], work: Work) -> Response:
    """Do `work` in one transaction and answer with its status, body and headers.

    With an Idempotency-Key the answer is stored with the work; a repeat with the same payload gets it again,
    marked `Idempotency-Replayed: true`; another payload is refused (422). Without a key the work is just done.
    """
    header = request.headers.get(idempotency.HEADER)
    if header is None:
        with transaction() as session:
            status, body, headers = work(session)
        return answer(status, encoded(body), headers)
    actor: Actor = g.actor
    key = idempotency.check_key(header)
    mark = idempotency.fingerprint(payload)
    with transaction() as session:
        stored = idempotency.replay(session, actor.principal, route, key, mark)
        if stored is not None:
            return answer(stored.status, stored.body, {REPLAYED: "true"})
        status, body, headers = work(session)
        made = Stored(status, encoded(body))
        idempotency.remember(session, actor.principal, route, key, made)
    return answer(made.status, made.body, headers)


def encoded(body: Mapping[str, Any]) -> bytes:
    """The JSON of an answer."""
    return current_app.json.dumps(body).encode()


def answer(status: int, body: bytes, headers: Mapping[str, str]) -> Response:
    """A JSON response."""
    response = Response(body, status=status, content_type="application/json")
    response.headers.update(headers)
    return response

"""A POST that is done once per Idempotency-Key: the answer is stored in the transaction that did the work."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, current_app, g, request
from sqlalchemy.orm import Session

from dispatch.rules.access.roles import Actor
from dispatch.services.access import idempotency
from dispatch.services.access.idempotency import Stored
from dispatch.transaction import end_with, retrying, transaction

REPLAYED = "Idempotency-Replayed"
KEY_PARAMETER = {
    "in": "header",
    "name": idempotency.HEADER,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": idempotency.LONGEST_KEY, "pattern": "^[!-~]+$"},
    "description": "the same key and content again give the same answer and do nothing twice; kept for 72 hours",
}
END_OF_HEADERS = b"\n"

Answer = tuple[int, Mapping[str, Any], Mapping[str, str]]
"""Status, body and headers."""

Work = Callable[[Session], Answer]


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
            headers, content = unpacked(stored.body)
            return answer(stored.status, content, headers | {REPLAYED: "true"})
        status, body, headers = work(session)
        content = encoded(body)
        stored = Stored(status, packed(headers, content))
        end_with(session, *idempotency.keeping(actor.principal, route, key, stored))
    return answer(status, content, headers)


def packed(headers: Mapping[str, str], content: bytes) -> bytes:
    """Headers and body as they are kept: a line of JSON, then the body."""
    return json.dumps(dict(headers)).encode() + END_OF_HEADERS + content


def unpacked(kept: bytes) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a kept answer."""
    headers, _, content = kept.partition(END_OF_HEADERS)
    return json.loads(headers), content


def encoded(body: Mapping[str, Any]) -> bytes:
    """The JSON of an answer."""
    return current_app.json.dumps(body).encode()


def answer(status: int, body: bytes, headers: Mapping[str, str]) -> Response:
    """A JSON response."""
    response = Response(body, status=status, content_type="application/json")
    response.headers.update(headers)
    return response

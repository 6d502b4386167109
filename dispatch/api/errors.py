"""Errors of the API as problem details (RFC 9457), and the Api that leaves HTML pages alone."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from flask import Response, current_app, request
from flask_babel import gettext
from flask_smorest import Api
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException

from dispatch.errors import Conflict, DispatchError, Invalid, NotAllowed, NotFound, Unavailable

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:houqing-dispatch:problem:"
RETRY_AFTER_SECONDS = "2"
STATUS_OF: tuple[tuple[type[DispatchError], int], ...] = (
    (Invalid, 422),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
)
HEADERS_KEPT = frozenset({"allow", "retry-after", "www-authenticate"})
CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class FieldProblem(Schema):
    """One wrong field of a request."""

    field = fields.String(required=True, metadata={"description": "path of the field, parts joined by dots"})
    message = fields.String(required=True, metadata={"description": "what is wrong and what to do"})


class Problem(Schema):
    """Problem details of RFC 9457, with a stable code and the wrong fields."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "stable name of what happened"})
    request_id = fields.String(metadata={"description": "the name of this request in the logs"})
    errors = fields.List(fields.Nested(FieldProblem))


class HouseApi(Api):
    """flask-smorest without its own error answers: the application chooses JSON or a page by the address."""

    ERROR_SCHEMA = Problem

    def _register_responses(self) -> None:
        """Describe every error as problem details."""
        described = {status.name: status.phrase for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST}
        for name, words in (described | {self.DEFAULT_ERROR_RESPONSE_NAME: "Problem details"}).items():
            content = {MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}}
            self.spec.components.response(name, {"description": words, "content": content}, lazy=True)

    def _register_error_handlers(self) -> None:
        """Register nothing: dispatch.app has the one handler."""


def status_of(error: DispatchError) -> int:
    """The HTTP status of a business error."""
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)


def code_of(error: Exception) -> str:
    """The stable name of an error: OfferLapsed → offer_lapsed."""
    return CAPITAL.sub("_", type(error).__name__).lower()


def told(error: DispatchError) -> str:
    """The message of a business error in the reader's language."""
    return str(gettext(error.template, **error.facts))


def problem_of(error: DispatchError) -> Response:
    """The answer for a business error."""
    status = status_of(error)
    errors = [{"field": error.field, "message": told(error)}] if isinstance(error, Invalid) else []
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if status == 503 else {}  # noqa: PLR2004 - HTTP's own number
    return problem(status, code_of(error), told(error), errors, headers)


def problem_of_http(error: HTTPException) -> Response:
    """The answer for an HTTP error, raised by us, by Flask or by webargs; keeps Allow and Retry-After."""
    status = error.code or 500
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    messages = data.get("errors") or data.get("messages") or {}
    headers = {name: value for name, value in error.get_headers() if name.lower() in HEADERS_KEPT}
    headers |= dict(data.get("headers") or {})
    detail = str(data.get("message") or error.description or error.name)
    return problem(status, code_of(error), detail, list(field_problems(messages)), headers)


def field_problems(messages: Any, path: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """Flatten webargs' nested messages; the first level (json, query …) is not part of the field's name."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            yield from field_problems(inner, (*path, str(name)))
    elif isinstance(messages, list | tuple):
        for inner in messages:
            yield from field_problems(inner, path)
    else:
        parts = path[1:] if len(path) > 1 else path
        yield {"field": ".".join(part for part in parts if part != "_schema"), "message": in_language(str(messages))}


def in_language(message: str) -> str:
    """A message of our own schemas in the reader's language; the library's own stay as they are."""
    return str(gettext(message)) if message else message


def problem(status: int, code: str, detail: str, errors: list[dict[str, str]], headers: Mapping[str, str]) -> Response:
    """A response of application/problem+json."""
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": code.replace("_", " "),
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
    }
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        body["request_id"] = request_id
    if errors:
        body["errors"] = errors
    told_back = current_app.json.dumps(body).encode("utf-8", "replace")
    response = Response(told_back, status=status, content_type=MEDIA_TYPE)
    response.headers.update(headers)
    return response

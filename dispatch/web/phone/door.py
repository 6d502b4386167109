"""The door of the phone page: who may post, what leaves it, how its errors look.

There is no log-in and no cookie here: the token in the address (192 random bits, stored as its hash, bound to
one order, round and recipient) is the whole secret. A foreign page cannot make a browser act with it without
knowing it, so there is nothing that a CSRF token could add; forms are still taken only from our own pages
(`Sec-Fetch-Site`, else `Origin`), and only POST acts. The token stays out of logs (lines carry the route, never
the address), out of caches (no-store) and out of referrers (`strict-origin` in the head of every page).
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

import structlog
from flask import Blueprint, Response, current_app, make_response, render_template, request
from flask_babel import gettext
from werkzeug.exceptions import Forbidden, HTTPException, RequestEntityTooLarge

from dispatch.errors import DispatchError, Invalid
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.services import orders
from dispatch.web.access import open_to_all
from dispatch.web.errors import STATUS_OF, sentence
from dispatch.web.pages import told

JSON = "application/json"
PROBLEM = "application/problem+json"
PROBLEM_TYPE = "urn:houqing-dispatch:problem:"
BY_LINK = "the token in the address is the secret; see dispatch.web.phone.door"
OWN_SITES = frozenset({"same-origin", "none"})
MOST_DRAINED_BYTES = 128 * 1024 * 1024
DRAIN_BYTES = 64 * 1024
HEADERS_KEPT = frozenset({"allow", "retry-after"})
GONE = 410
NOT_FOUND = 404
BUSY = 503
RETRY_AFTER_SECONDS = "2"
DIGEST_CHARACTERS = 24

View = TypeVar("View", bound=Callable[..., Any])

blueprint = Blueprint("phone", __name__, url_prefix="/w")


class ForeignForm(Forbidden):
    """The form was sent from another site's page."""


def by_link(view: View) -> View:
    """Let in whoever has the address; limited by link, and by network address for links that open nothing.

    Many phones share an address of a mobile network, so it counts only what a search for links would do.
    """
    by_token = limiter.limit(limits.LINK, key_func=link_name)
    by_address = limiter.limit(limits.LINK, key_func=limits.address, deduct_when=is_missing)
    return open_to_all(BY_LINK)(by_token(by_address(view)))


def link_name() -> str:
    """The link under which its requests are counted, without its secret."""
    token = str((request.view_args or {}).get("token", ""))
    return f"link:{sha256(token.encode()).hexdigest()[:DIGEST_CHARACTERS]}"


def is_missing(response: Response) -> bool:
    """Whether the link opened nothing."""
    return response.status_code == NOT_FOUND


def wants_json() -> bool:
    """Whether the asker is a machine or our own script: it says so by `Accept: application/json`."""
    best = request.accept_mimetypes.best_match(("text/html", JSON), default="text/html")
    return best == JSON


@blueprint.before_request
def check_origin() -> None:
    """Refuse a POST that a browser sends for another site's page; machines send neither header."""
    if request.method != "POST":
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    is_own = site in OWN_SITES if site is not None else origin in {None, f"{request.scheme}://{request.host}"}
    if not is_own:
        raise ForeignForm(gettext("请在本页上操作，从别的网站提交的内容不收。"))


@blueprint.after_request
def keep_out_of_sight(response: Response) -> Response:
    """Neither stored nor indexed anywhere."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@blueprint.errorhandler(DispatchError)
def refused(error: DispatchError) -> Response:
    """A business error: problem details for machines, else a page that says what happened and what to do."""
    status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)
    response = answer(status, code_of(error), told(error), error.field if isinstance(error, Invalid) else None)
    if status == BUSY:
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


@blueprint.errorhandler(HTTPException)
def refused_by_http(error: HTTPException) -> Response:
    """An HTTP error in the same two shapes; what was sent too large is read to its end, so that the answer arrives."""
    status = error.code or 500
    message = sentence(status)
    if isinstance(error, RequestEntityTooLarge):
        drain()
        message = gettext("照片太大，没有收下。请换一张小一点的再交。")
    elif isinstance(error, ForeignForm):
        message = str(error.description)
    response = answer(status, code_of(error), message, None)
    kept = {name: value for name, value in error.get_headers() if name.lower() in HEADERS_KEPT}
    response.headers.update(kept)
    return response


def drain() -> None:
    """Read the rest of a body that is not taken: a connection closed before it is a lost answer for the sender."""
    left = min(request.content_length or 0, MOST_DRAINED_BYTES)
    stream = request.environ["wsgi.input"]
    while left > 0:
        chunk = stream.read(min(DRAIN_BYTES, left))
        if not chunk:
            return
        left -= len(chunk)


def code_of(error: Exception) -> str:
    """The stable name of an error: OfferLapsed → offer_lapsed."""
    name = type(error).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def answer(status: int, code: str, message: str, field: str | None) -> Response:
    """Problem details or a page of its own for one refusal."""
    return problem(status, code, message, field) if wants_json() else page(status, code, message)


def problem(status: int, code: str, message: str, field: str | None) -> Response:
    """RFC 9457; `instance` is left out because it would repeat the token."""
    body: dict[str, object] = {
        "type": PROBLEM_TYPE + code,
        "title": code.replace("_", " "),
        "status": status,
        "detail": message,
        "code": code,
    }
    if field is not None:
        body["errors"] = [{"field": field, "message": message}]
    return Response(current_app.json.dumps(body), status=status, content_type=PROBLEM)


def page(status: int, code: str, message: str) -> Response:
    """What happened, what was kept, what to do; what could not be taken now is there to be sent again as it was."""
    is_form = request.method == "POST" and not request.is_json
    is_dead = code == code_of(orders.LinkDead())
    html = render_template(
        "phone/refused.html",
        title=gettext("链接无效") if is_dead else message,
        message=message,
        is_dead=is_dead,
        sent=[*request.form.items()] if status == BUSY and is_form else None,
        has_files=status == BUSY and is_form and bool(request.files),
        back=None if is_dead else request.path.rsplit("/", 1)[0] if request.method == "POST" else None,
        request_id=structlog.contextvars.get_contextvars().get("request_id"),
    )
    return make_response(html, status)

"""The demo inbox `/demo/inbox`: what each firm received, with the links to play it. It exists only in the demo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from sqlalchemy import select

from config.settings import get_settings
from dispatch import clock
from dispatch.gateways.messages.received import Received, read_received
from dispatch.models.catalogue import Performer
from dispatch.rules.access.roles import EVERYTHING
from dispatch.transaction import transaction
from dispatch.web.access import open_to_all

SHOWN = 200
REASON = "made-up firms of the demo; 404 everywhere else"
FAMILY = {"CHILD": lazy_gettext("家属")}
"""Who is written to and is no performer: the children of the demo's elders, child@family.example."""

blueprint = Blueprint("demo_inbox", __name__, url_prefix="/demo")


@dataclass(frozen=True, slots=True)
class FirmInbox:
    """One firm's arrivals, newest first."""

    code: str
    name: str | LazyString
    arrivals: tuple[Received, ...]


@blueprint.before_request
def only_in_the_demo() -> None:
    """Nothing is here outside the demo."""
    if not get_settings().demo:
        abort(404)


@blueprint.get("/inbox")
@open_to_all(REASON)
def inbox() -> str:
    """All firms, or one (`?firm=`); the list renews itself."""
    return render_template("demo/inbox.html", **content())


@blueprint.get("/inbox/now")
@open_to_all(REASON)
def now() -> str:
    """The list alone, for the renewal."""
    return render_template("demo/inbox_now.html", **content())


def content() -> dict[str, object]:
    """What the page shows: the firms with their arrivals, the names to choose from, the time."""
    firm = request.args.get("firm") or None
    received = read_received(get_settings().home, performer_code=firm, limit=SHOWN)
    with transaction(EVERYTHING) as session:
        rows = session.execute(select(Performer.code, Performer.name).order_by(Performer.code))
        names: dict[str, str | LazyString] = {row.code: row.name for row in rows} | FAMILY
        return {"firms": by_firm(received, names), "names": names, "chosen": firm, "now": clock.now(session)}


def by_firm(received: Sequence[Received], names: Mapping[str, str | LazyString]) -> list[FirmInbox]:
    """The arrivals of each firm, newest first; the firm with the newest arrival first."""
    found: dict[str, list[Received]] = {}
    for one in reversed(received):
        found.setdefault(one.performer_code, []).append(one)
    return [FirmInbox(code, names.get(code, code), tuple(arrivals)) for code, arrivals in found.items()]

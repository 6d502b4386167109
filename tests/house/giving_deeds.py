"""What can be asked of a donor, a pledge, a partner and an appeal that an address names: maker, answer, right body."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import SYSTEM
from dispatch.services import market
from dispatch.services.market import DonorDraft, papers
from tests.factories.giving import fetch_kind, make_agreement, make_pledge
from tests.factories.market import signature
from tests.factories.world import NUMBERS, World

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


def donor(session: Session, world: World, _user_id: int) -> str:
    """A donor of the community."""
    draft = DonorDraft("陈桂花", phone="17400000001")
    return str(market.add_donor(session, world.community.id, draft, actor=SYSTEM, now=clock.now(session)).id)


def pledge(session: Session, world: World, _user_id: int) -> str:
    """A pledge of goods that waits; the district knows the kind that fetches it."""
    known = select(Service.id).where(Service.organisation_id == world.district.id, Service.code == "pledge_fetch")
    if session.scalars(known).one_or_none() is None:
        fetch_kind(session, world)
    return str(make_pledge(session, world, now=clock.now(session)).id)


def partner(session: Session, world: World, _user_id: int) -> str:
    """A partner with an agreement."""
    now = clock.now(session)
    made = make_agreement(session, world, signed_on=clock.today(now), now=now, number=f"协{next(NUMBERS)}")
    return str(made.partner_id)


def appeal(session: Session, world: World, _user_id: int) -> str:
    """The first version of an appeal."""
    now, title = clock.now(session), f"倡议{next(NUMBERS)}"
    said = {"title": title, "words": "天冷了。", "actor": SYSTEM, "now": now}
    TODAY[0] = clock.today(now).isoformat()
    return str(market.write_appeal(session, world.community.id, **said).id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


TODAY = [""]
"""The business day on which the newest appeal was written."""
ID = "<int(min=1, max=9223372036854775807):{}_id>"
DONOR, PLEDGE = f"/donors/{ID.format('donor')}", f"/pledges/{ID.format('pledge')}"
PARTNER, APPEAL = f"/partners/{ID.format('partner')}", f"/appeals/{ID.format('appeal')}"
PAGE = f"/giving/{ID.format('pledge')}"
WITHDRAWN = {"reason": "已经送给邻居"}


def agreement(_world: World) -> dict[str, Any]:
    """What was signed."""
    return {"purpose": "sale", "number": f"协{next(NUMBERS)}", "words": "全部归入基金", "signed_on": "2026-01-05"}


def prints(_world: World) -> dict[str, Any]:
    """Copies given on the day on which the version was written."""
    return {"copies": 30, "given_where": "老年协会", "given_on": TODAY[0]}


def agreement_of(session: Session, world: World, _user_id: int) -> str:
    """An agreement that was signed."""
    now = clock.now(session)
    return str(make_agreement(session, world, signed_on=clock.today(now), now=now, number=f"协{next(NUMBERS)}").id)


def scanned(session: Session, world: World, user_id: int) -> str:
    """One with its scan."""
    found = agreement_of(session, world, user_id)
    papers.add_scan(session, int(found), signature(), actor=SYSTEM, now=clock.now(session))
    return found


AGREEMENT = "/campaigns/agreements/<int(min=1, max=9223372036854775807):agreement_id>"
GIVING_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"/api{DONOR}"): (donor, 200, nothing),
    ("POST", f"/api{DONOR}/naming"): (donor, 200, lambda _: {"is_named": True}),
    ("GET", f"/api{PLEDGE}"): (pledge, 200, nothing),
    ("POST", f"/api{PLEDGE}/fetching"): (pledge, 200, nothing),
    ("POST", f"/api{PLEDGE}/withdrawal"): (pledge, 200, lambda _: WITHDRAWN),
    ("POST", f"/api{PARTNER}/agreements"): (partner, 201, agreement),
    ("GET", f"/api{APPEAL}/prints"): (appeal, 200, nothing),
    ("POST", f"/api{APPEAL}/prints"): (appeal, 201, prints),
    ("POST", f"/giving{DONOR}/naming"): (donor, 303, lambda _: {"is_named": "yes"}),
    ("POST", f"/giving{DONOR}/email"): (donor, 303, lambda _: {"email": "chen@example.org"}),
    ("GET", PAGE): (pledge, 200, nothing),
    ("POST", f"{PAGE}/phone"): (pledge, 200, nothing),
    ("POST", f"{PAGE}/fetching"): (pledge, 303, lambda _: {"version": "1"}),
    ("POST", f"{PAGE}/withdrawal"): (pledge, 303, lambda _: WITHDRAWN | {"version": "1"}),
    ("GET", f"/campaigns{APPEAL}"): (appeal, 200, nothing),
    ("POST", f"/campaigns{APPEAL}/prints"): (appeal, 303, prints),
    ("POST", f"/campaigns{PARTNER}/agreements"): (partner, 303, agreement),
    ("POST", f"{AGREEMENT}/scans"): (agreement_of, 303, lambda _: {"scan": signature()}),
    ("GET", f"{AGREEMENT}/scans/<int:position>"): (scanned, 200, nothing),
}

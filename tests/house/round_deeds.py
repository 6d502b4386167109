"""What can be asked of a yearly round, a household of its list and a relief shipment that an address names."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.catalogue import Service
from dispatch.models.market import Facility, Goods, RoundEntry
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.terms import EntryKind, Owner, Purpose
from dispatch.rules.market.shelf import Commodity
from dispatch.rules.market.shipments import Destination
from dispatch.services import funds, market
from dispatch.services.market import FacilityDraft, GoodsDraft, LotDraft, Receipt, RoundDraft, ShipmentDraft
from dispatch.services.market.signing import Signed
from tests.factories.market import signature
from tests.factories.visits import resident
from tests.factories.world import NUMBERS, World, service

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]
MANY = 10_000
COATS: dict[int, int] = {}
RESIDENTS: dict[int, int] = {}
"""The coats of each community, and the resident of whom a list is asked next."""


def coats(session: Session, world: World) -> tuple[Facility, Goods]:
    """A market with coats enough, opened when there is none."""
    community, now = world.community.id, clock.now(session)
    goods = session.scalars(select(Goods).where(Goods.community_id == community, Goods.code == "deed")).one_or_none()
    if goods is None:
        about = {"code": "coats", "name": "冬衣基金", "actor": SYSTEM, "now": now}
        fund = funds.open_fund(session, community, owner=Owner.OWN, purposes=[Purpose.ANY], **about)
        place = FacilityDraft("deed", "love_market", "爱心超市", world.buildings[0].id)
        facility = market.open_facility(session, community, place, actor=SYSTEM, now=now)
        coat = GoodsDraft("deed", "棉衣", "clothes", Commodity.PIECE, "件")
        goods = market.create_goods(session, community, coat, actor=SYSTEM, now=now)
        lot = LotDraft(goods_id=goods.id, amount=MANY, fund_id=fund.id)
        origin = {"origin": "market.deed", "origin_id": goods.id}
        market.receive(session, Receipt(facility.id, (lot,), EntryKind.GIFT, **origin), actor=SYSTEM, now=now)
        COATS[community] = goods.id
    facility = session.scalars(
        select(Facility).where(Facility.community_id == community, Facility.code == "deed")
    ).one()
    kind = select(Service.id).where(Service.organisation_id == world.district.id, Service.code == "parcel_delivery")
    if session.scalars(kind).one_or_none() is None:
        given = {"offered": ["programme"], "performer": "helper", "given": "take_from_list", "callback": False}
        service(session, world.district, "parcel_delivery", in_figures=False, **given)
    return facility, goods


def planned(session: Session, world: World, _user_id: int, *, listed: int = 0) -> str:
    """A round whose list is open, with so many households."""
    facility, goods = coats(session, world)
    draft = RoundDraft(2026, f"慰问{next(NUMBERS)}", facility.id, {goods.id: 1})
    made = market.plan_round(session, draft, actor=SYSTEM, now=clock.now(session))
    for _ in range(listed):
        market.list_household(session, made.id, resident(session, world).id, actor=SYSTEM)
    RESIDENTS[world.community.id] = resident(session, world).id
    return str(made.id)


def filled(session: Session, world: World, user_id: int) -> str:
    """One with a household."""
    return planned(session, world, user_id, listed=1)


def entry(session: Session, world: World, user_id: int) -> str:
    """A household of a frozen list."""
    made = int(filled(session, world, user_id))
    market.freeze_round(session, made, actor=SYSTEM, now=clock.now(session))
    return str(market.entries_of(session, made)[0][0].id)


def out(session: Session, world: World, user_id: int) -> str:
    """A household to which somebody is under way."""
    found = entry(session, world, user_id)
    market.send_parcel(session, int(found), actor=SYSTEM, now=clock.now(session))
    return found


def reached(session: Session, world: World, user_id: int) -> str:
    """A household to which the parcel was taken."""
    found = out(session, world, user_id)
    session.get_one(RoundEntry, int(found)).state = "reached"
    return found


def settled(session: Session, world: World, user_id: int) -> str:
    """A round in which the one household has a reason."""
    found = int(entry(session, world, user_id))
    return str(market.excuse_household(session, found, "已搬走", actor=SYSTEM).round_id)


def shipment(session: Session, world: World, _user_id: int, *, steps: int = 0) -> str:
    """A shipment, sent and signed for as far as wanted."""
    (facility, goods), now = coats(session, world), clock.now(session)
    place, day = Destination("丽水市", "莲都区", "碧湖镇"), clock.today(now)
    draft = ShipmentDraft(facility.id, place, "镇政府", 180, day, day + timedelta(days=9), {goods.id: 5})
    made = market.plan_shipment(session, draft, actor=SYSTEM, now=now)
    if steps:
        market.send_shipment(session, made.id, actor=SYSTEM, now=now)
    if steps > 1:
        said = {goods.id: market.ReceivedLine(5)}
        market.sign_shipment(session, made.id, "王主任", said, signed=Signed(stroke=signature()), actor=SYSTEM, now=now)
    return str(made.id)


def sent(session: Session, world: World, user_id: int) -> str:
    """One on its way."""
    return shipment(session, world, user_id, steps=1)


def signed(session: Session, world: World, user_id: int) -> str:
    """One that was signed for."""
    return shipment(session, world, user_id, steps=2)


def helping(session: Session, world: World, user_id: int) -> str:
    """One that was signed for, and a resident who was helped."""
    RESIDENTS[world.community.id] = resident(session, world).id
    return signed(session, world, user_id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


def receipt(world: World) -> dict[str, Any]:
    """All five coats, signed for."""
    return {"signer": "王主任", "lines": [{"goods_id": COATS[world.community.id], "received": 5}]} | LETTERS


def drawn(signer: str) -> Callable[[World], dict[str, Any]]:
    """A form with who signed and what was drawn."""
    return lambda _: SIGNED | {"signer": signer}


def form_of_receipt(world: World) -> dict[str, Any]:
    """The same of a shipment: all five coats."""
    return SIGNED | {"signer": "王主任", f"received-{COATS[world.community.id]}": "5"}


def with_picture(session: Session, world: World, user_id: int, *, of_shipment: bool = False) -> str:
    """A household, or a shipment, of which the signature is kept."""
    found = sent(session, world, user_id) if of_shipment else out(session, world, user_id)
    about = {"signed": Signed(stroke=signature()), "actor": SYSTEM, "now": clock.now(session)}
    if of_shipment:
        said = {COATS[world.community.id]: market.ReceivedLine(5)}
        market.sign_shipment(session, int(found), "王主任", said, **about)
    else:
        market.sign_parcel(session, int(found), "陈婆婆", **about)
    return found


def shipment_with_picture(session: Session, world: World, user_id: int) -> str:
    """A shipment of which the signature is kept."""
    return with_picture(session, world, user_id, of_shipment=True)


LETTERS = {"signature": b64encode(signature()).decode()}
SIGNED = {"signature": f"data:image/png;base64,{LETTERS['signature']}"}
ID = "<int(min=1, max=9223372036854775807):{}_id>"
PAGE_ROUND, PAGE_ENTRY = f"/rounds/{ID.format('round')}", f"/rounds/entries/{ID.format('entry')}"
PAGE_SHIPMENT = f"/shipments/{ID.format('shipment')}"
ROUND, ENTRY = f"/api/rounds/{ID.format('round')}", f"/api/round-entries/{ID.format('entry')}"
SHIPMENT = f"/api/shipments/{ID.format('shipment')}"

ROUND_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", ROUND): (filled, 200, nothing),
    ("POST", f"{ROUND}/entries"): (planned, 201, lambda world: {"resident_id": RESIDENTS[world.community.id]}),
    ("POST", f"{ROUND}/freezing"): (filled, 200, nothing),
    ("POST", f"{ROUND}/closing"): (settled, 200, nothing),
    ("POST", f"{ENTRY}/delivery"): (entry, 200, nothing),
    ("POST", f"{ENTRY}/signature"): (out, 200, lambda _: {"signer": "陈婆婆"} | LETTERS),
    ("POST", f"{ENTRY}/setback"): (reached, 200, lambda _: {"set_back": "米发完了"}),
    ("POST", f"{ENTRY}/excuse"): (entry, 200, lambda _: {"reason": "已搬走"}),
    ("GET", SHIPMENT): (shipment, 200, nothing),
    ("POST", f"{SHIPMENT}/sending"): (shipment, 200, nothing),
    ("POST", f"{SHIPMENT}/signature"): (sent, 200, receipt),
    ("POST", f"{SHIPMENT}/reconciliation"): (signed, 200, nothing),
    ("GET", PAGE_ROUND): (filled, 200, nothing),
    ("POST", f"{PAGE_ROUND}/entries"): (
        planned,
        303,
        lambda world: {"resident_id": str(RESIDENTS[world.community.id])},
    ),
    ("POST", f"{PAGE_ROUND}/freezing"): (filled, 303, nothing),
    ("POST", f"{PAGE_ROUND}/closing"): (settled, 303, nothing),
    ("GET", PAGE_ENTRY): (entry, 200, nothing),
    ("POST", f"{PAGE_ENTRY}/delivery"): (entry, 303, nothing),
    ("POST", f"{PAGE_ENTRY}/signature"): (out, 303, drawn("陈婆婆")),
    ("GET", f"{PAGE_ENTRY}/signature"): (with_picture, 200, nothing),
    ("POST", f"{PAGE_ENTRY}/setback"): (reached, 303, lambda _: {"set_back": "米发完了"}),
    ("POST", f"{PAGE_ENTRY}/excuse"): (entry, 303, lambda _: {"reason": "已搬走"}),
    ("GET", PAGE_SHIPMENT): (shipment, 200, nothing),
    ("POST", f"{PAGE_SHIPMENT}/sending"): (shipment, 303, nothing),
    ("POST", f"{PAGE_SHIPMENT}/cancellation"): (shipment, 303, nothing),
    ("POST", f"{PAGE_SHIPMENT}/signature"): (sent, 303, form_of_receipt),
    ("GET", f"{PAGE_SHIPMENT}/signature"): (shipment_with_picture, 200, nothing),
    ("POST", f"{PAGE_SHIPMENT}/reconciliation"): (signed, 303, nothing),
    ("POST", f"{PAGE_SHIPMENT}/households"): (
        helping,
        303,
        lambda world: {"resident_id": str(RESIDENTS[world.community.id])},
    ),
}

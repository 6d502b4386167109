"""A small supermarket: two markets with a keeper, goods, a fund and a wish, counters and an approver."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import Membership, User
from dispatch.models.catalogue import Service
from dispatch.models.funds import Earmark, Fund
from dispatch.models.market import Facility, Goods, Lot
from dispatch.rules.access.capacity import kind_of
from dispatch.rules.access.roles import SYSTEM, Actor, Right, Role, Scope
from dispatch.rules.funds.terms import EntryKind, Owner, Purpose
from dispatch.rules.market.shelf import Commodity, LifeUnit, MoveKind, ShelfLife, Spot
from dispatch.services import funds, market
from dispatch.services.market import FacilityDraft, GoodsDraft, LotDraft, MovedOut, Outgoing, Receipt, Shift, Wish
from dispatch.services.market.signing import Signed
from tests.factories.world import NUMBERS, World, make_world, service, user

ONE = timedelta(days=1)
ANY = (Purpose.ANY,)


GOODS = (
    GoodsDraft("milk", "牛奶", "food", Commodity.PIECE, "盒", ShelfLife(7, LifeUnit.DAY)),
    GoodsDraft("rice", "大米", "food", Commodity.GRAM, "斤", ShelfLife(12, LifeUnit.MONTH)),
    GoodsDraft("coat", "棉衣", "clothes", Commodity.PIECE, "件"),
)


@dataclass(frozen=True, slots=True)
class Shop:
    """What tests of the supermarket speak of."""

    world: World
    facility: Facility
    overseas: Facility
    keeper: Actor
    counters: tuple[Actor, Actor]
    approver: Actor
    general: Fund
    overseas_fund: Fund
    wish: Earmark
    milk: Goods
    rice: Goods
    coat: Goods
    today: date


def make_shop(session: Session, world: World | None = None, *, keeper_id: int | None = None) -> Shop:
    """Make it: the general fund is for anything, its wish for lone elders only. Two in one world do not meet."""
    here = world or make_world(session)
    disposal_kind(session, here)
    community_id, now, mark = here.community.id, clock.now(session), next(NUMBERS)
    general, abroad = (
        funds.open_fund(
            session, community_id, code=f"{owner}-{mark}", name=name, owner=owner, purposes=ANY, actor=SYSTEM, now=now
        )
        for name, owner in (("爱心基金", Owner.OWN), ("侨爱基金", Owner.OVERSEAS))
    )
    wish = funds.add_earmark(session, general, name="给孤寡老人", purposes=[Purpose.LONE_ELDER], actor=SYSTEM, now=now)
    places = [
        market.open_facility(
            session, community_id, FacilityDraft(f"{code}{mark}", kind, name, building), actor=SYSTEM, now=now
        )
        for code, kind, name in (("love", "love_market", "爱心超市"), ("abroad", "overseas_market", "侨爱超市"))
        for building in (here.buildings[0].id,)
    ]
    keeper = person(session, here, Role.KEEPER, user_id=keeper_id)
    for one in places:
        market.name_keeper(session, one.id, keeper.user_id or 0, actor=SYSTEM, now=now)
    goods = [
        market.create_goods(session, community_id, replace(one, code=f"{one.code}{mark}"), actor=SYSTEM, now=now)
        for one in GOODS
    ]
    counters = person(session, here, Role.KEEPER), person(session, here, Role.KEEPER)
    people = {"keeper": keeper, "counters": counters, "approver": person(session, here, Role.CENTRE)}
    kinds = dict(zip(("milk", "rice", "coat"), goods, strict=True))
    purses = {"general": general, "overseas_fund": abroad, "wish": wish}
    return Shop(here, *places, **people, **purses, **kinds, today=clock.today(now))


def disposal_kind(session: Session, world: World) -> None:
    """The kind of order by which lots are destroyed, once for the district."""
    known = select(Service.id).where(Service.organisation_id == world.district.id, Service.code == "lot_disposal")
    if session.scalars(known).one_or_none() is None:
        kind = {"offered": ["programme"], "performer": "team_worker", "callback": False}
        service(session, world.district, "lot_disposal", **kind)


def person(session: Session, world: World, role: Role, *, user_id: int | None = None) -> Actor:
    """Somebody of this role at the community, with every right: doors are tested elsewhere."""
    made = session.get_one(User, user_id) if user_id else user(session)
    held = {"user_id": made.id, "organisation_id": world.community.id, "role": str(role)}
    if session.scalars(select(Membership.id).filter_by(**held)).one_or_none() is None:
        session.add(Membership(**held))
        session.flush()
    return Actor(
        kind=kind_of([role]),
        user_id=made.id,
        organisation_id=world.community.id,
        roles=frozenset({role}),
        rights=frozenset(Right),
        scope=Scope(organisations=frozenset({world.community.id}), communities=frozenset({world.community.id})),
    )


def take_in(session: Session, shop: Shop, goods: Goods, amount: int, **changes: Any) -> Lot:
    """One lot of a gift: of the general fund, without a wish, unless told otherwise (facility_id, origin, …)."""
    about = {name: changes.pop(name) for name in ("facility_id", "origin", "origin_id") if name in changes}
    draft = LotDraft(**({"goods_id": goods.id, "amount": amount, "fund_id": shop.general.id} | changes))
    receipt = Receipt(**({"facility_id": shop.facility.id, "lots": (draft,), "entry": EntryKind.GIFT} | about))
    return market.receive(session, receipt, actor=shop.keeper, now=clock.now(session)).lots[0]


def milk_of(session: Session, shop: Shop, amount: int, ends_in: int, **changes: Any) -> Lot:
    """Milk that is good for so many days more."""
    return take_in(session, shop, shop.milk, amount, expires_on=shop.today + ends_in * ONE, **changes)


def hand_out(session: Session, shop: Shop, goods: Goods, amount: int, **changes: Any) -> MovedOut:
    """Give goods to a lone elder in a parcel, unless told otherwise; hand-outs are signed (factories.counter)."""
    wish = Wish(goods.id, amount, lot_id=changes.pop("lot_id", None))
    values = {"kind": MoveKind.PARCEL, "facility_id": shop.facility.id, "purpose": Purpose.LONE_ELDER}
    outgoing = Outgoing(**(values | {"wishes": (wish,)} | changes))
    return market.move_out(session, outgoing, actor=shop.keeper, now=clock.now(session))


def shelve(session: Session, shop: Shop, lot: Lot, amount: int) -> None:
    """Put some of a lot from the store onto the shelf."""
    shifts = [Shift(lot.id, amount, Spot.STORE, Spot.SHELF)]
    market.shift(session, shop.facility.id, MoveKind.SHELVE, shifts, actor=shop.keeper, now=clock.now(session))


def settle(session: Session) -> None:
    """Have everything judged that is judged at commit."""
    session.flush()
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


def signature() -> bytes:
    """A stroke on white, as a PNG."""
    drawn, target = Image.new("RGB", (60, 20), "white"), BytesIO()
    drawn.putpixel((5, 5), (0, 0, 0))
    drawn.save(target, format="PNG")
    return target.getvalue()


SIGNED = Signed(stroke=signature())
"""What somebody signed outside the house."""


def left(session: Session, lot: Lot) -> dict[str, int]:
    """What stands of a lot by spot, in all facilities."""
    rows = session.execute(
        text("SELECT spot, sum(amount)::bigint FROM lot_balances WHERE lot_id = :lot AND amount > 0 GROUP BY spot"),
        {"lot": lot.id},
    )
    return {row[0]: row[1] for row in rows}

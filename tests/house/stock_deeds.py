"""What can be asked of a facility, a lot, a round, a count, a disposal, a recall: maker, answer, right body."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.market import Disposal, Inspection, StockMove
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.market.keeping import Finding
from dispatch.rules.market.shelf import Commodity, MoveKind, Spot
from dispatch.services import market
from dispatch.services.market import FacilityDraft, GoodsDraft, KitDraft, Shift
from tests.factories.market import ONE, Shop, make_shop, milk_of, settle, signature
from tests.factories.world import NUMBERS, World

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]
NEWEST: dict[int, dict[str, Any]] = {}
"""What the newest object of a community's stock is made of: the bodies name it."""


def shop_of(session: Session, world: World, user_id: int) -> Shop:
    """A supermarket of the community, kept by the user when there is one."""
    shop = make_shop(session, world, keeper_id=user_id or None)
    NEWEST[world.community.id] = {
        "facility_id": str(shop.facility.id),
        "goods_id": str(shop.milk.id),
        "purse": str(shop.general.id),
        "taker_id": str(shop.counters[0].user_id),
        "sooner": (shop.today + ONE).isoformat(),
    }
    return shop


def kept(session: Session, world: World, user_id: int) -> str:
    """A facility that the user keeps."""
    return str(shop_of(session, world, user_id).facility.id)


def of_another(session: Session, world: World, _user_id: int) -> str:
    """A facility that somebody else keeps."""
    return kept(session, world, 0)


def handed(session: Session, world: World, user_id: int) -> str:
    """A facility that somebody hands over to the user."""
    shop = shop_of(session, world, 0)
    taker = user_id or shop.counters[0].user_id or 0
    if user_id:
        make_shop(session, world, keeper_id=user_id)
    market.start_handover(session, shop.facility.id, taker, actor=shop.keeper, now=clock.now(session))
    return str(shop.facility.id)


def lot(session: Session, world: World, user_id: int) -> str:
    """A lot of milk in a facility that the user keeps."""
    return str(milk_of(session, shop_of(session, world, user_id), 5, 5).id)


def lot_apart(session: Session, world: World, _user_id: int) -> str:
    """Good milk that another keeper has set apart."""
    shop = shop_of(session, world, 0)
    made = milk_of(session, shop, 5, 5)
    apart = [Shift(made.id, 2, Spot.STORE, Spot.QUARANTINE)]
    market.shift(session, shop.facility.id, MoveKind.QUARANTINE, apart, actor=shop.keeper, now=clock.now(session))
    return str(made.id)


def round_of(session: Session, world: World, user_id: int) -> str:
    """The round of a receipt in a facility that the user keeps."""
    made = lot(session, world, user_id)
    NEWEST[world.community.id]["lot_id"] = made
    return str(session.scalars(select(Inspection.id).order_by(Inspection.id.desc()).limit(1)).one())


def disposal(session: Session, world: World, user_id: int) -> str:
    """Spoiled milk that is to be destroyed; the user is the keeper."""
    shop = shop_of(session, world, user_id)
    return str(disposal_in(session, shop).id)


def disposal_in(session: Session, shop: Shop) -> Disposal:
    """A disposal of spoiled milk."""
    made, now = milk_of(session, shop, 5, 5), clock.now(session)
    newest = session.scalars(select(Inspection.id).order_by(Inspection.id.desc()).limit(1)).one()
    market.tick(session, newest, made.id, Spot.STORE, Finding.SPOILED, actor=shop.keeper, now=now)
    return session.scalars(select(Disposal).where(Disposal.lot_id == made.id)).one()


def disposal_of_another(session: Session, world: World, _user_id: int) -> str:
    """A disposal that nobody has signed."""
    return disposal(session, world, 0)


def signed(session: Session, world: World, _user_id: int) -> str:
    """A disposal that its keeper has signed."""
    shop = shop_of(session, world, 0)
    made = disposal_in(session, shop)
    market.sign_disposal(session, made.id, "bin", signature(), actor=shop.keeper, now=clock.now(session))
    return str(made.id)


def count(session: Session, world: World, _user_id: int) -> str:
    """A count that has just begun."""
    shop = shop_of(session, world, 0)
    made = milk_of(session, shop, 5, 5)
    NEWEST[world.community.id]["line"] = f"{made.id}-store"
    settle(session)
    begun = market.open_count(session, shop.facility.id, actor=shop.approver, now=clock.now(session))
    NEWEST[world.community.id] |= {"shop": shop, "place": (made.id, "store")}
    return str(begun.id)


def counted(session: Session, world: World, user_id: int) -> str:
    """A count that two others have finished."""
    made = count(session, world, user_id)
    shop, place = NEWEST[world.community.id]["shop"], NEWEST[world.community.id]["place"]
    for one in shop.counters:
        market.submit_count(session, int(made), {place: 5}, actor=one, now=clock.now(session))
    return made


def received(session: Session, world: World, _user_id: int) -> str:
    """The step by which another keeper took milk in."""
    lot(session, world, 0)
    return newest_step(session)


def packed(session: Session, world: World, user_id: int) -> str:
    """The step by which the user packed a kit of milk."""
    shop = shop_of(session, world, user_id)
    milk_of(session, shop, 5, 5)
    market.pack_kits(session, kit_of(session, shop), actor=shop.keeper, now=clock.now(session))
    return newest_step(session)


def kit_of(session: Session, shop: Shop) -> KitDraft:
    """Two kits of one box each."""
    bag = GoodsDraft(f"bag{next(NUMBERS)}", "爱心包", "food", Commodity.PIECE, "份")
    goods = market.create_goods(session, shop.world.community.id, bag, actor=SYSTEM, now=clock.now(session))
    NEWEST[shop.world.community.id] |= {"goods_id": str(goods.id), f"amount-{shop.milk.id}": "1"}
    return KitDraft(shop.facility.id, goods.id, 2, ((shop.milk.id, 1),), shop.general.id)


def newest_step(session: Session) -> str:
    """The step that was made last."""
    return str(session.scalars(select(StockMove.id).order_by(StockMove.id.desc()).limit(1)).one())


def packing(session: Session, world: World, user_id: int) -> str:
    """A facility of the user with milk, and a kit in the catalogue."""
    shop = shop_of(session, world, user_id)
    milk_of(session, shop, 5, 5)
    kit_of(session, shop)
    return str(shop.facility.id)


def bringing(session: Session, world: World, user_id: int) -> str:
    """A facility of the user with milk that can be brought next door."""
    shop = shop_of(session, world, user_id)
    made = milk_of(session, shop, 5, 5)
    NEWEST[world.community.id] |= {f"amount-{made.id}-store": "2", "to_facility_id": str(shop.overseas.id)}
    return str(shop.facility.id)


def unkept(session: Session, world: World, _user_id: int) -> str:
    """A facility that nobody keeps yet."""
    shop = shop_of(session, world, 0)
    NEWEST[world.community.id]["user_id"] = str(shop.counters[0].user_id)
    place = FacilityDraft(f"new{next(NUMBERS)}", "love_market", "新爱心超市", world.buildings[0].id)
    now = clock.now(session)
    return str(market.open_facility(session, world.community.id, place, actor=SYSTEM, now=now).id)


def amounts(*fields: str, **more: str) -> Callable[[World], dict[str, Any]]:
    """A body with the newest amounts, fields and more."""

    def body(world: World) -> dict[str, Any]:
        newest = NEWEST[world.community.id]
        return {name: said for name, said in newest.items() if name.startswith("amount-") or name in fields} | more

    return body


def recall(session: Session, world: World, _user_id: int) -> str:
    """A recall of a batch."""
    shop = shop_of(session, world, 0)
    milk_of(session, shop, 5, 5, batch_number="B1")
    said = {"batch_number": "B1", "reason": "厂家召回", "source": "市监局"}
    called = market.recall(session, shop.milk.id, **said, actor=shop.approver, now=clock.now(session))
    return str(called.id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


def named(*fields: str, **more: str) -> Callable[[World], dict[str, Any]]:
    """A body with fields of the newest object and more."""
    return lambda world: {field: NEWEST[world.community.id].get(field, "1") for field in fields} | more


def line(world: World) -> dict[str, Any]:
    """What somebody has counted."""
    return {NEWEST[world.community.id].get("line", "1-store"): "5"}


def sooner(world: World) -> dict[str, Any]:
    """An earlier last day."""
    return {"expires_on": NEWEST[world.community.id]["sooner"]}


ID = "<int(min=1, max=9223372036854775807):{}_id>"
FACILITY, LOT = f"/stock/{ID.format('facility')}", f"/stock/lots/{ID.format('lot')}"
ROUND, COUNT = f"/stock/rounds/{ID.format('inspection')}", f"/stock/counts/{ID.format('count')}"
STEP = f"/stock/moves/{ID.format('move')}"
DISPOSAL, RECALL = f"/stock/disposals/{ID.format('disposal')}", f"/stock/recalls/{ID.format('recall')}"
SIGNED = {"signature": f"data:image/png;base64,{b64encode(signature()).decode()}"}
WHY = {"reason": "看错了"}
SHELVED = named("facility_id", amount="1", from_spot="store", to_spot="shelf")
RELEASED = named("facility_id", amount="1", from_spot="quarantine", to_spot="shelf")
STOCK_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"/api/facilities/{ID.format('facility')}/stock"): (kept, 200, nothing),
    ("GET", f"/api/recalls/{ID.format('recall')}"): (recall, 200, nothing),
    ("GET", FACILITY): (kept, 200, nothing),
    ("GET", f"{FACILITY}/receive"): (kept, 200, nothing),
    ("POST", f"{FACILITY}/receive"): (kept, 303, named("goods_id", "purse", amount="3", entry="gift")),
    ("POST", f"{FACILITY}/handover"): (kept, 303, named("taker_id")),
    ("POST", f"{FACILITY}/takeover"): (handed, 303, nothing),
    ("POST", f"{FACILITY}/keeper"): (unkept, 303, named("user_id")),
    ("GET", f"{FACILITY}/kits"): (packing, 200, nothing),
    ("POST", f"{FACILITY}/kits"): (packing, 303, amounts("goods_id", "purse", number="2")),
    ("GET", f"{FACILITY}/transfers"): (bringing, 200, nothing),
    ("POST", f"{FACILITY}/transfers"): (bringing, 303, amounts("to_facility_id")),
    ("GET", f"{FACILITY}/moves"): (bringing, 200, nothing),
    ("GET", STEP): (received, 200, nothing),
    ("POST", f"{STEP}/reversal"): (received, 303, lambda _: WHY),
    ("POST", f"{STEP}/unpacking"): (packed, 303, lambda _: WHY),
    ("POST", f"{FACILITY}/counts"): (of_another, 303, nothing),
    ("GET", LOT): (lot, 200, nothing),
    ("POST", f"{LOT}/shift"): (lot, 303, SHELVED),
    ("POST", f"{LOT}/release"): (lot_apart, 303, RELEASED),
    ("POST", f"{LOT}/forward"): (lot, 303, sooner),
    ("GET", ROUND): (round_of, 200, nothing),
    ("POST", f"{ROUND}/ticks"): (round_of, 303, named("lot_id", spot="store", finding="near")),
    ("GET", DISPOSAL): (disposal, 200, nothing),
    ("POST", f"{DISPOSAL}/signature"): (disposal, 303, lambda _: SIGNED | {"way": "bin"}),
    ("POST", f"{DISPOSAL}/approval"): (signed, 303, lambda _: SIGNED),
    ("POST", f"{DISPOSAL}/withdrawal"): (disposal_of_another, 303, lambda _: WHY),
    ("GET", COUNT): (count, 200, nothing),
    ("POST", f"{COUNT}/lines"): (count, 303, line),
    ("POST", f"{COUNT}/closing"): (counted, 303, lambda _: WHY),
    ("POST", f"{COUNT}/cancelling"): (count, 303, lambda _: WHY),
    ("GET", RECALL): (recall, 200, nothing),
}

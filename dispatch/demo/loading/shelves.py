"""A chunk of the load: the three facilities with keepers and rules, the catalogue of goods, the counted opening."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import COMMUNITY
from dispatch.demo.shelves import GOODS, DemoLot, make_lots
from dispatch.models.funds import Fund
from dispatch.models.market import Facility
from dispatch.rules.funds.terms import EntryKind
from dispatch.rules.market.shelf import Commodity, LifeUnit, MoveKind, ShelfLife, Spot
from dispatch.services import market
from dispatch.services.market import FacilityDraft, GoodsDraft, LotDraft, Receipt, Shift

SEED = 6
LOTS_AT_ONCE = 50
OVERSEAS_SHARE = 5
"""Every fifth lot is a gift of overseas Chinese."""
FACILITIES = (
    ("love", "love_market", "爱心超市", "keeper1"),
    ("overseas-market", "overseas_market", "侨爱超市", "keeper2"),
    ("chat", "chat_room", "爱心聊吧", "keeper3"),
)
RULES = {
    "daily": "一、每天开门先看保质期。\n二、先到期的先发。\n三、过期、变质的立即移入隔离区，两人签字销毁。",
    "finance": "一、捐赠逐笔登记。\n二、专款专用，专物专用。\n三、保管、审批、清点由三个人做。",
}


def load_shelves(session: Session, book: Book) -> int:
    """Facilities, goods and lots; 0 when they are there."""
    known = book.known(session)
    community_id, users = known.organisations()[COMMUNITY], known.users()
    if session.execute(select(Facility.id).where(Facility.community_id == community_id)).first() is not None:
        return 0
    now, buildings = clock.now(session), [*known.buildings().values()]
    places = {}
    for (code, kind, name, keeper), building in zip(FACILITIES, buildings, strict=False):
        draft = FacilityDraft(code, kind, name, building)
        places[code] = market.open_facility(session, community_id, draft, actor=book.actor, now=now)
        market.name_keeper(session, places[code].id, users[keeper], actor=book.actor, now=now)
    for kind, body in RULES.items():
        market.write_rule_book(session, community_id, kind, body, clock.today(now), actor=book.actor, now=now)
    goods = load_goods(session, book, community_id)
    lots = make_lots(clock.today(now), SEED)
    abroad = [lot for place, lot in enumerate(lots) if place % OVERSEAS_SHARE == 0]
    own = [lot for place, lot in enumerate(lots) if place % OVERSEAS_SHARE]
    receive(session, book, places["love"], own, goods=goods, fund_id=fund_of(session, community_id, "general"))
    overseas = fund_of(session, community_id, "overseas")
    receive(session, book, places["overseas-market"], abroad, goods=goods, fund_id=overseas)
    return len(places) + len(goods) + len(lots)


def fund_of(session: Session, community_id: int, code: str) -> int:
    """The id of a fund."""
    return session.execute(select(Fund.id).where(Fund.community_id == community_id, Fund.code == code)).scalar_one()


def load_goods(session: Session, book: Book, community_id: int) -> dict[str, int]:
    """The catalogue; ids by code."""
    made = {}
    for code, name, category, commodity, unit, life in GOODS:
        shelf = None if life is None else ShelfLife(life[0], LifeUnit(life[1]))
        draft = GoodsDraft(code, name, category, Commodity(commodity), unit, shelf)
        made[code] = market.create_goods(session, community_id, draft, actor=book.actor, now=book.now).id
    return made


def receive(
    session: Session, book: Book, facility: Facility, lots: list[DemoLot], *, goods: dict[str, int], fund_id: int
) -> None:
    """What was counted at the opening, and half of what is good put on the shelf."""
    now = clock.now(session)
    for first in range(0, len(lots), LOTS_AT_ONCE):
        drafts = tuple(
            LotDraft(goods[lot.goods], lot.amount, fund_id, produced_on=lot.produced_on, batch_number=lot.batch)
            for lot in lots[first : first + LOTS_AT_ONCE]
        )
        receipt = Receipt(facility.id, drafts, entry=EntryKind.OPENING, reason="开账清点")
        market.receive(session, receipt, actor=book.actor, now=now)
    shelved = [
        Shift(one.lot_id, half, Spot.STORE, Spot.SHELF)
        for one in market.stock_of(session, facility.id, actor=book.actor)
        if one.shelf.spot is Spot.STORE and (half := one.amount // 2)
    ]
    for first in range(0, len(shelved), LOTS_AT_ONCE):
        some = shelved[first : first + LOTS_AT_ONCE]
        market.shift(session, facility.id, MoveKind.SHELVE, some, actor=book.actor, now=now)

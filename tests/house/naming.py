"""Bodies that name objects of funds and of the market, one row for each route whose body or query names some."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import EntryKind, HoldingKind
from dispatch.services import funds, market
from dispatch.services.market import DonorDraft
from tests.factories.aid import carded
from tests.factories.giving import make_agreement, make_pledge
from tests.factories.market import ONE, make_shop, milk_of, shelve, take_in
from tests.factories.visits import resident
from tests.factories.world import NUMBERS, World

Ids = Mapping[str, Any]
Row = tuple[str, str, Callable[[Ids], dict[str, Any]]]


def ids_of(session: Session, world: World, keeper_id: int | None = None) -> Ids:
    """One object of each kind in a community, whose supermarkets the user keeps: what bodies name."""
    shop, now, mark = make_shop(session, world, keeper_id=keeper_id), clock.now(session), next(NUMBERS)
    about = {"actor": SYSTEM, "now": now}
    bank, till, other = (
        funds.add_holding(session, world.community.id, kind=kind, code=f"{kind}{mark}{number}", name="现金", **about)
        for number, kind in enumerate((HoldingKind.BANK, HoldingKind.TILL, HoldingKind.TILL))
    )
    for wish in (None, shop.wish.id):
        lines = at(Dimension(shop.general.id, earmark_id=wish), till.id, 9_000)
        funds.post(session, Draft(world.community.id, EntryKind.GIFT, lines), **about)
    milk_of(session, shop, 500, 5)
    take_in(session, shop, shop.rice, 500, expires_on=shop.today + ONE)
    shelve(session, shop, take_in(session, shop, shop.coat, 500), 9)
    agreement = make_agreement(session, world, signed_on=shop.today, now=now, number=f"名{mark}")
    person = resident(session, world)
    home = world.buildings[0].address
    donor = market.add_donor(session, world.community.id, DonorDraft("陈桂花"), **about)
    return {
        "community": world.community.id,
        "fund": shop.general.id,
        "wish": shop.wish.id,
        "bank": bank.id,
        "till": till.id,
        "other_till": other.id,
        "facility": shop.facility.id,
        "goods": shop.coat.id,
        "milk": shop.milk.id,
        "rice": shop.rice.id,
        "agreement": agreement.id,
        "partner": agreement.partner_id,
        "resident": person.id,
        "household": person.household_id or 0,
        "neighbour": resident(session, world).id,
        "donor": donor.id,
        "pledge": make_pledge(session, world, now=now).id,
        "promise": make_pledge(session, world, now=now).id,
        "card": carded(session, world).qr,
        "address": f"{home[:-2]} {home[-2:]}",
    }


def code() -> dict[str, str]:
    """A code that nobody has, and a name."""
    return {"code": f"naming{next(NUMBERS)}", "name": "新的"}


def gift_of_money(it: Ids) -> dict[str, Any]:
    """Money for a wish, by a donor who promised it."""
    items = [{"item": "捐款", "commodity": "fen", "amount": 100}]
    named = {"earmark_id": it["wish"], "donor_id": it["donor"], "pledge_id": it["pledge"], "holding_id": it["till"]}
    return {"fund_id": it["fund"], "items": items} | named


def gift_of_goods(it: Ids) -> dict[str, Any]:
    """A coat."""
    items = [{"item": "棉衣", "commodity": "piece", "amount": 1, "goods_id": it["goods"]}]
    return {"fund_id": it["fund"], "facility_id": it["facility"], "items": items}


def shipment(it: Ids) -> dict[str, Any]:
    """Coats to a town, with a partner."""
    days = {"sends_on": LATER, "consumed_by": LATER}
    place = {"city": "丽水市", "county": "莲都区", "town": "碧湖镇", "receiver": "镇政府", "persons": 18}
    return place | days | {"facility_id": it["facility"], "partner_id": it["partner"]}


def typed_gift(it: Ids, **more: Any) -> dict[str, Any]:
    """A gift at the desk."""
    return {"way": "desk", "fund": f"{it['fund']}:{it['wish']}", "donor_id": str(it["donor"])} | more


def bill(it: Ids, field: str) -> dict[str, Any]:
    """One coat each."""
    return {field: [{"goods_id": it["goods"], "amount": 1}]}


def wish(it: Ids) -> dict[str, Any]:
    """The wish of the fund."""
    return {"earmark_id": it["wish"]}


def named_round() -> dict[str, Any]:
    """A name that no round has."""
    return {"name": f"慰问{next(NUMBERS)}"}


def typed_entry(it: Ids) -> dict[str, Any]:
    """An entry of the form."""
    return {"fund_id": f"{it['fund']}:{it['wish']}", "holding_id": it["till"], "form_key": next(NUMBERS)}


def chosen(it: Ids) -> dict[str, Any]:
    """A coat chosen at the counter."""
    return {f"goods.{it['goods']}": "1"}


def of_community(**more: Any) -> Callable[[Ids], dict[str, Any]]:
    """A body that names the community alone, beside what is said."""
    return lambda it: {"community_id": it["community"]} | more


A_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DAY, LATER = "2026-01-05", "2099-01-05"
COATS = {"category": "clothes", "commodity": "piece", "unit": "件"}
MEDIA = {"medium": "newspaper", "outlet": "丽水日报", "title": "爱心超市", "published_on": DAY}
CHAT = {"held_on": DAY, "topic": "包粽子", "present": 9}
APPEAL = {"title": "倡议书", "words": "天冷了。"}
PARTNER = {"kind": "charity", "name": "慈善总会"}
PROMISE = {"kind": "money", "source": "desk", "words": "想捐一点"}
SALE = {"name": "义卖", "place": "广场", "held_on": LATER}
RECALL = {"reason": "厂家召回", "source": "市监局"}
CONSENT = {"given_by": "陈桂花", "given_on": DAY, "evidence": "收据背面"}
AID = {"ground": "lone_elder", "circumstances": "独居"}
RIGHT = {200, 201, 303}
STOCK = "/stock"

NAMINGS: tuple[Row, ...] = (
    ("POST", "/api/funds", lambda it: of_community(purposes=["any"])(it) | code()),
    ("POST", "/api/holdings", lambda it: of_community(kind="till")(it) | code()),
    (
        "POST",
        "/api/journal",
        lambda it: (
            {"kind": "gift", "fund_id": it["fund"], "earmark_id": it["wish"]}
            | {"holding_id": it["till"], "amount_fen": 500}
        ),
    ),
    (
        "POST",
        "/api/journal",
        lambda it: (
            {"kind": "transfer", "fund_id": it["fund"], "amount_fen": 5}
            | {"holding_id": it["till"], "to_holding_id": it["other_till"]}
        ),
    ),
    (
        "POST",
        "/api/consents",
        lambda it: (
            of_community(**CONSENT, amount=5)(it)
            | {"origin": {"fund_id": it["fund"]}, "target": {"fund_id": it["fund"], "earmark_id": it["wish"]}}
        ),
    ),
    (
        "POST",
        "/api/spendings",
        lambda it: (
            {"kind": "spend", "fund_id": it["fund"], "purpose": "running"} | {"holding_id": it["till"], "amount_fen": 5}
        ),
    ),
    (
        "POST",
        "/api/bank-statements",
        lambda it: (
            {"holding_id": it["bank"], "month": "2026-01-01", "csv": f"日期,金额\n{DAY},5.00"}
            | {"opening_fen": 0, "closing_fen": 500}
        ),
    ),
    ("POST", "/api/donors", of_community(name="陈桂花")),
    ("POST", "/api/pledges", of_community(**PROMISE, fen=500)),
    ("POST", "/api/gifts", gift_of_money),
    ("POST", "/api/gifts", gift_of_goods),
    ("POST", "/api/goods", lambda it: of_community(**COATS)(it) | code()),
    ("POST", "/api/recalls", lambda it: {"goods_id": it["milk"]} | RECALL),
    (
        "POST",
        "/api/rounds",
        lambda it: named_round() | {"year": 2026, "facility_id": it["facility"]} | bill(it, "bill"),
    ),
    ("POST", "/api/shipments", lambda it: shipment(it) | bill(it, "lines")),
    ("POST", "/api/sales", lambda it: SALE | {"agreement_id": it["agreement"], "fund_id": it["fund"]} | wish(it)),
    ("POST", "/api/appeals", of_community(**APPEAL)),
    ("POST", "/api/partners", of_community(**PARTNER)),
    ("POST", "/api/media-reports", of_community(**MEDIA, shows_people=False)),
    ("POST", "/api/chat-sessions", of_community(**CHAT)),
    ("POST", "/api/aid-applications", lambda it: AID | {"resident_id": it["resident"], "evidence": [A_PIXEL]}),
    (
        "POST",
        "/api/aid-applications",
        lambda it: (
            {"ground": "sudden_hardship", "circumstances": "火灾", "household_id": it["household"]}
            | {"evidence": [A_PIXEL]}
        ),
    ),
    ("GET", "/api/journal", lambda it: {"fund_id": it["fund"]}),
    ("GET", "/api/hand-outs", lambda it: {"facility_id": it["facility"]}),
    ("POST", "/funds/new", lambda it: of_community(owner="own", purposes="any")(it) | code()),
    ("POST", "/funds/holdings/new", lambda it: of_community(kind="till")(it) | code()),
    ("POST", "/funds/book", lambda it: typed_entry(it) | {"kind": "gift", "amount": "5"}),
    ("POST", "/funds/book", lambda it: typed_entry(it) | {"kind": "spend", "purpose": "lone_elder", "amount": "1"}),
    (
        "POST",
        "/funds/book",
        lambda it: typed_entry(it) | {"kind": "transfer", "amount": "1", "to_holding_id": it["other_till"]},
    ),
    (
        "POST",
        "/funds/consents",
        lambda it: CONSENT | {"origin": f"{it['fund']}:", "target": f"{it['fund']}:{it['wish']}", "amount": "1"},
    ),
    ("POST", "/funds/take-over", lambda it: {"holding_id": it["bank"], f"counted.{it['fund']}:{it['wish']}": "7"}),
    (
        "POST",
        "/funds/bank",
        lambda it: (
            {"holding_id": it["bank"], "month": "2026-02", "opening": "5", "closing": "10"}
            | {"file": "日期,金额\n2026-02-05,5.00".encode()}
        ),
    ),
    ("GET", "/overseas", of_community()),
    ("GET", "/overseas/extract.csv", of_community()),
    ("POST", "/giving/donors", of_community(name="陈桂花", kind="person")),
    ("POST", "/giving/new", lambda it: of_community(**PROMISE, yuan="5")(it) | {"form_key": f"{next(NUMBERS):020}"}),
    ("GET", "/giving/gifts/new", lambda it: {"pledge": it["pledge"]}),
    (
        "POST",
        "/giving/gifts/new",
        lambda it: typed_gift(it, amount="5", holding_id=it["till"], pledge_id=it["promise"]),
    ),
    (
        "POST",
        "/giving/gifts/new",
        lambda it: typed_gift(it, amount="1", goods_id=it["goods"], facility_id=it["facility"]),
    ),
    ("POST", "/campaigns/appeals", of_community(**APPEAL, after="1")),
    ("POST", "/campaigns/partners", of_community(**PARTNER | {"name": "商会"})),
    ("POST", "/campaigns/media", of_community(**MEDIA)),
    ("POST", "/campaigns/chats", of_community(**CHAT)),
    (
        "POST",
        "/sales",
        lambda it: (
            SALE | {"name": "夏日义卖"} | {"agreement_id": it["agreement"], "fund": f"{it['fund']}:{it['wish']}"}
        ),
    ),
    ("GET", "/rounds/new", lambda it: {"facility_id": it["facility"]}),
    (
        "POST",
        "/rounds",
        lambda it: named_round() | {"year": "2026", "facility_id": it["facility"], f"amount-{it['goods']}": "1"},
    ),
    ("GET", "/shipments/new", lambda it: {"facility_id": it["facility"]}),
    ("POST", "/shipments", lambda it: shipment(it) | {f"amount-{it['goods']}": "1"}),
    ("POST", "/beneficiaries/new", lambda it: AID | {"resident_id": it["neighbour"], "evidence": b64decode(A_PIXEL)}),
    ("POST", f"{STOCK}/goods", lambda it: of_community(**COATS)(it) | code()),
    ("POST", f"{STOCK}/new", lambda it: of_community(kind="love_market", address=it["address"])(it) | code()),
    ("POST", f"{STOCK}/recalls", lambda it: {"goods_id": it["rice"]} | RECALL),
    ("POST", f"{STOCK}/rule-books", of_community(kind="daily", body="每天盘点。", valid_from=LATER)),
    ("POST", "/counter/card", lambda it: {"facility_id": it["facility"], "card": it["card"]}),
    ("POST", "/counter/reservations", lambda it: {"facility_id": it["facility"], "card": it["card"]} | chosen(it)),
)
"""Every route of funds and of the market without an object in its address, whose body or query names one."""

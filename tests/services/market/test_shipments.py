"""Relief shipments: down to the town, no lot past its planned day of use, every line explained at the end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid, NotFound
from dispatch.models.funds import Account, Balance, Entry
from dispatch.models.market import Movement, Shipment, StockMove
from dispatch.rules.access.roles import SYSTEM, Scope
from dispatch.rules.market.campaigns import PartnerKind
from dispatch.rules.market.shipments import Destination, ShipmentNotThere
from dispatch.services import market
from dispatch.services.market import PartnerDraft, ReceivedLine, ShipmentDraft, benefits, shipments
from dispatch.services.reports.verify.stock import wrong_stock
from tests.factories.market import SIGNED, Shop, left, make_shop, milk_of, settle, take_in
from tests.factories.visits import resident

ONE = timedelta(days=1)


@pytest.fixture
def shop(session: Session) -> Shop:
    made = make_shop(session)
    take_in(session, made, made.coat, 100)
    return made


def draft(shop: Shop, **changes: object) -> ShipmentDraft:
    """Sixty coats to 碧湖, a town of 莲都, for 180 people."""
    said = ShipmentDraft(
        facility_id=shop.facility.id,
        destination=Destination("丽水市", "莲都区", "碧湖镇"),
        receiver="碧湖镇人民政府",
        persons=180,
        sends_on=shop.today,
        consumed_by=shop.today + 10 * ONE,
        lines={shop.coat.id: 60},
    )
    return replace(said, **changes)  # type: ignore[arg-type]


def plan(session: Session, shop: Shop, **changes: object) -> Shipment:
    """Such a shipment, planned."""
    return market.plan_shipment(session, draft(shop, **changes), actor=shop.keeper, now=clock.now(session))


def sent(session: Session, shop: Shop) -> Shipment:
    """One that is on its way."""
    shipment = plan(session, shop)
    return market.send_shipment(session, shipment.id, actor=shop.keeper, now=clock.now(session))


def test_a_shipment_goes_to_a_town_and_is_reconciled_line_by_line(session: Session, shop: Shop) -> None:
    shipment, now = sent(session, shop), clock.now(session)
    move = session.get_one(StockMove, shipment.move_id)
    assert (move.kind, move.consumed_on) == ("shipment", shipment.consumed_by)
    moved = select(func.sum(Movement.amount)).where(Movement.move_id == move.id)
    assert session.scalars(moved).one() == -60
    with pytest.raises(ShipmentNotThere):
        market.send_shipment(session, shipment.id, actor=shop.keeper, now=now)
    said = {shop.coat.id: ReceivedLine(55, 2)}
    market.sign_shipment(session, shipment.id, "王主任", said, signed=SIGNED, actor=shop.keeper, now=now)
    assert (shipment.state, shipment.signer) == ("received", "王主任")
    with pytest.raises(Invalid) as refused:
        market.reconcile_shipment(session, shipment.id, {}, actor=shop.keeper, now=now)
    assert refused.value.field == "lines"
    market.reconcile_shipment(session, shipment.id, {shop.coat.id: "路上淋湿三件"}, actor=shop.keeper, now=now)
    assert shipment.state == "reconciled"
    (line,) = market.lines_of_shipments(session, [shipment.id])[shipment.id]
    assert (line.sent, line.received, line.returned, line.reason) == (60, 55, 2, "路上淋湿三件")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"destination": Destination("丽水市", "莲都区", "")}, "town"),
        ({"persons": 0}, "persons"),
        ({"receiver": ""}, "receiver"),
        ({"lines": {}}, "lines"),
        ({"lines": {10**12: 1}}, "lines"),
    ],
)
def test_a_plan_that_says_too_little_names_its_field(
    session: Session, shop: Shop, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        plan(session, shop, **changes)
    assert refused.value.field == field


def test_no_lot_leaves_that_is_past_its_day_when_it_will_be_used(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 10, 3)
    late = plan(session, shop, lines={shop.milk.id: 5}, consumed_by=shop.today + 4 * ONE)
    with pytest.raises(DispatchError):
        market.send_shipment(session, late.id, actor=shop.keeper, now=clock.now(session))
    soon = plan(session, shop, lines={shop.milk.id: 5}, consumed_by=shop.today + 3 * ONE)
    assert market.send_shipment(session, soon.id, actor=shop.keeper, now=clock.now(session)).state == "sent"


def test_what_came_back_stands_apart_as_it_was_and_the_journal_gives_what_arrived(session: Session, shop: Shop) -> None:
    now, community = clock.now(session), shop.world.community.id
    soon, late = milk_of(session, shop, 4, 5), milk_of(session, shop, 6, 30)
    shipment = plan(session, shop, lines={shop.milk.id: 10}, consumed_by=shop.today + 2 * ONE)
    market.send_shipment(session, shipment.id, actor=shop.keeper, now=now)
    settle(session)
    assert owed(session, shop) == 110
    market.sign_shipment(
        session, shipment.id, "王主任", {shop.milk.id: ReceivedLine(5, 3)}, signed=SIGNED, actor=shop.keeper, now=now
    )
    settle(session)
    assert (left(session, soon), left(session, late), owed(session, shop)) == ({"quarantine": 3}, {}, 105)
    market.reconcile_shipment(session, shipment.id, {shop.milk.id: "路上打翻"}, actor=shop.keeper, now=now)
    settle(session)
    assert owed(session, shop) == 103
    entries = select(Entry.kind, Entry.purpose).where(Entry.community_id == community).order_by(Entry.seq)
    assert session.execute(entries).all()[-4:] == [
        ("transfer", None),
        ("transfer", None),
        ("shipment", "relief"),
        ("shortage", None),
    ]
    assert list(wrong_stock(session)) == []


def owed(session: Session, shop: Shop) -> int:
    """The pieces that are owed to the purposes of the general fund."""
    about = {"fund_id": shop.general.id, "commodity": "piece", "holding_id": None}
    query = select(func.sum(Balance.amount)).join(Account, Account.id == Balance.account_id).filter_by(**about)
    return session.scalars(query).one()


def test_a_household_of_ours_that_was_helped_is_warned_of_at_the_counter(session: Session, shop: Shop) -> None:
    one, now = resident(session, shop.world), clock.now(session)
    shipment = sent(session, shop)
    with pytest.raises(ShipmentNotThere):
        shipments.note_household(session, shipment.id, one.id, actor=shop.keeper)
    market.sign_shipment(
        session, shipment.id, "王主任", {shop.coat.id: ReceivedLine(60)}, signed=SIGNED, actor=shop.keeper, now=now
    )
    for _ in range(2):
        shipments.note_household(session, shipment.id, one.id, actor=shop.keeper)
    assert shipments.households_of(session, shipment.id) == 1
    community = shop.world.community.id
    (warned,) = benefits.warnings_of(session, community, one.household_id or 0, shop.today)
    assert warned.programme == "relief"


@pytest.mark.parametrize(
    ("signature", "field"),
    [
        ((" ", ReceivedLine(60), 0), "signer"),
        (("王主任", ReceivedLine(61), 0), "lines"),
        (("王主任", ReceivedLine(59, 2), 0), "lines"),
        (("王主任", ReceivedLine(60), 1), "received_on"),
    ],
)
def test_a_receipt_is_signed_and_never_more_than_was_sent(
    session: Session, shop: Shop, signature: tuple[str, ReceivedLine, int], field: str
) -> None:
    signer, said, late = signature
    shipment = sent(session, shop)
    about = {"signed": SIGNED, "received_on": shop.today + late * ONE, "actor": shop.keeper, "now": clock.now(session)}
    with pytest.raises(Invalid) as refused, session.begin_nested():
        market.sign_shipment(session, shipment.id, signer, {shop.coat.id: said}, **about)  # type: ignore[arg-type]
    assert refused.value.field == field
    session.refresh(shipment)
    assert shipment.state == "sent"


def test_a_partner_sends_along(session: Session, shop: Shop) -> None:
    community, now = shop.world.community.id, clock.now(session)
    school = PartnerDraft(PartnerKind.SCHOOL, "晓丽爱心传递站")
    partner = market.add_partner(session, community, school, actor=SYSTEM, now=now)
    assert plan(session, shop, partner_id=partner.id).partner_id == partner.id
    other = make_shop(session)
    with pytest.raises(NotFound):
        plan(session, other, partner_id=partner.id)


def test_another_s_shipment_is_not_there(session: Session, shop: Shop) -> None:
    shipment = plan(session, shop)
    stranger = replace(shop.keeper, scope=Scope(communities=frozenset({-1})))
    steps: tuple[Callable[[], object], ...] = (
        lambda: market.find_shipment(session, shipment.id, actor=stranger),
        lambda: market.send_shipment(session, shipment.id, actor=stranger, now=clock.now(session)),
    )
    for step in steps:
        with pytest.raises(NotFound):
            step()
    assert market.list_shipments(session, actor=stranger) == []
    assert [one.id for one in market.list_shipments(session, actor=shop.keeper)] == [shipment.id]


def test_the_database_closes_nothing_that_is_unexplained(session: Session, shop: Shop) -> None:
    shipment = sent(session, shop)
    said = {shop.coat.id: ReceivedLine(50)}
    market.sign_shipment(session, shipment.id, "王主任", said, signed=SIGNED, actor=shop.keeper, now=clock.now(session))
    for statement in (
        "UPDATE shipments SET state = 'reconciled', closed_at = dispatch_now() WHERE id = :id",
        "UPDATE shipments SET state = 'planned' WHERE id = :id",
        "UPDATE shipment_lines SET returned = 11 WHERE shipment_id = :id",
        "DELETE FROM shipment_lines WHERE shipment_id = :id",
    ):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement), {"id": shipment.id})

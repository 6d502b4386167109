"""Ways to hand out yesterday's milk; every one of them fails, in the services and past them in the database."""

from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import insert_rows
from dispatch.demo.clock import connection, set_clock
from dispatch.errors import DispatchError
from dispatch.models.market import Goods, Lot, LotPart, Movement
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import Commodity, EntryKind, Purpose
from dispatch.rules.market.picking import NotEnough
from dispatch.rules.market.shelf import MoveKind, Spot
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import funds, market
from dispatch.services.market import KitDraft, MayNotBeGiven, Shift
from dispatch.services.market.writing import Piece, Step, write
from dispatch.transaction import ChangedAtCommit, transaction
from tests.conftest import Database
from tests.factories.market import ONE, Shop, hand_out, make_shop, milk_of, settle, take_in


@pytest.fixture
def milk(session: Session, shop: Shop) -> Lot:
    """Milk that was good until yesterday and still stands in the store: the house has not cleared it away yet."""
    lot = milk_of(session, shop, 6, 5)
    session.execute(update(Lot).where(Lot.id == lot.id).values(expires_on=shop.today - ONE))
    settle(session)
    session.refresh(lot)
    return lot


def force(session: Session, shop: Shop, *pieces: Piece, **changes: object) -> None:
    """Write a step as no service would, and have it judged as at commit."""
    values: dict[str, object] = {"kind": MoveKind.HAND_OUT, "entry": EntryKind.HAND_OUT, "facility": shop.facility}
    values |= {"pieces": pieces, "purpose": Purpose.LONE_ELDER}
    write(session, Step(**(values | changes)), actor=shop.keeper, now=clock.now(session))  # type: ignore[arg-type]
    settle(session)


def refused_by(work: Callable[[], object]) -> str | None:
    """Which fence of the database refuses."""
    with pytest.raises(DBAPIError) as caught:
        work()
    return caught.value.orig.diag.constraint_name  # type: ignore[union-attr]


def out(shop: Shop, lot: Lot, amount: int = -1, spot: Spot = Spot.STORE) -> Piece:
    """Some of a lot that leaves."""
    return Piece(lot.id, shop.facility.id, spot, amount)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (MoveKind.HAND_OUT, {}),
        (MoveKind.PARCEL, {"purpose": Purpose.YEARLY_ROUND}),
        (MoveKind.SALE, {"purpose": None}),
        (MoveKind.SHIPMENT, {"purpose": Purpose.RELIEF, "consumed_on": -2}),
    ],
)
def test_by_any_way_out(session: Session, shop: Shop, milk: Lot, kind: MoveKind, more: dict[str, object]) -> None:
    if "consumed_on" in more:
        more = more | {"consumed_on": shop.today - 2 * ONE}
    with pytest.raises(MayNotBeGiven):
        hand_out(session, shop, shop.milk, 1, kind=kind, lot_id=milk.id, **more)
    with pytest.raises(NotEnough):
        hand_out(session, shop, shop.milk, 1, kind=kind, **more)


def test_past_the_service(session: Session, shop: Shop, milk: Lot) -> None:
    assert refused_by(lambda: force(session, shop, out(shop, milk))) == "may_be_given"


def test_signed_for_yesterday(session: Session, shop: Shop, milk: Lot) -> None:
    yesterday = shop.today - ONE
    with pytest.raises(MayNotBeGiven):
        hand_out(session, shop, shop.milk, 1, lot_id=milk.id, signed_on=yesterday)
    assert refused_by(lambda: force(session, shop, out(shop, milk), signed_on=yesterday)) == "may_be_given"


def test_with_another_date_on_it(session: Session, shop: Shop, milk: Lot) -> None:
    later = update(Lot).where(Lot.id == milk.id).values(expires_on=shop.today + ONE)
    assert refused_by(lambda: session.execute(later)) == "dates_stand"


@pytest.mark.parametrize("column", ["produced_on", "life_amount", "received_on", "is_food", "goods_id"])
def test_with_another_past(session: Session, shop: Shop, milk: Lot, column: str) -> None:
    values = {"produced_on": shop.today, "life_amount": 30, "received_on": shop.today}
    values |= {"is_food": False, "goods_id": shop.coat.id}
    with pytest.raises(DBAPIError, match="permission denied"):
        session.execute(update(Lot).where(Lot.id == milk.id).values({column: values[column]}))


def test_as_something_that_is_no_food(session: Session, shop: Shop, milk: Lot) -> None:
    assert milk.goods_id == shop.milk.id
    disguise = update(Goods).where(Goods.id == shop.milk.id).values(is_food=False, category="daily")
    assert refused_by(lambda: session.execute(disguise)) == "fk_lots_goods_as_they_are"


def test_from_a_shelf_or_out_of_quarantine(session: Session, shop: Shop, milk: Lot) -> None:
    now = clock.now(session)
    shelved = [Shift(milk.id, 1, Spot.STORE, Spot.SHELF)]
    with pytest.raises(MayNotBeGiven):
        market.shift(session, shop.facility.id, MoveKind.SHELVE, shelved, actor=shop.keeper, now=now)
    apart = milk_of(session, shop, 2, -1)
    released = [Shift(apart.id, 1, Spot.QUARANTINE, Spot.SHELF)]
    with pytest.raises(MayNotBeGiven):
        market.shift(session, shop.facility.id, MoveKind.RELEASE, released, actor=shop.approver, now=now)
    pieces = (out(shop, apart, -1, Spot.QUARANTINE), out(shop, apart, 1, Spot.SHELF))
    release = {"kind": MoveKind.RELEASE, "entry": None, "purpose": None}
    assert refused_by(lambda: force(session, shop, *pieces, **release)) == "may_be_given"


def test_through_a_transfer_out_of_quarantine(session: Session, shop: Shop) -> None:
    apart = milk_of(session, shop, 2, -1)
    pieces = (
        out(shop, apart, -1, Spot.QUARANTINE),
        Piece(apart.id, shop.overseas.id, Spot.SHELF, 1),
    )
    changes = {"kind": MoveKind.TRANSFER, "entry": EntryKind.TRANSFER, "purpose": None}
    assert refused_by(lambda: force(session, shop, *pieces, **changes)) == "fits_its_step"


def test_called_something_else(session: Session, shop: Shop, milk: Lot) -> None:
    for kind in (MoveKind.ADJUST, MoveKind.RETURN, MoveKind.RECEIVE):
        with pytest.raises(DBAPIError), session.begin_nested():
            force(session, shop, out(shop, milk), kind=kind, approved_by=shop.approver.user_id)


def test_packed_into_a_kit(session: Session, shop: Shop, milk: Lot) -> None:
    bag = market.create_goods(
        session,
        milk.community_id,
        market.GoodsDraft("bag", "爱心包", "food", Commodity.PIECE, "份"),
        actor=shop.keeper,
        now=clock.now(session),
    )
    draft = KitDraft(shop.facility.id, bag.id, 1, ((shop.milk.id, 1),), shop.general.id)
    with pytest.raises(NotEnough):
        market.pack_kits(session, draft, actor=shop.keeper, now=clock.now(session))
    kit = Lot(
        community_id=milk.community_id,
        goods_id=bag.id,
        is_food=True,
        commodity="piece",
        fund_id=milk.fund_id,
        expires_on=shop.today + 30 * ONE,
        received_on=shop.today,
        is_kit=True,
    )
    session.add(kit)
    session.flush()
    part = {"kit_id": kit.id, "part_id": milk.id, "community_id": milk.community_id, "amount": 1}
    insert_rows(session, LotPart, [part])
    pieces = (out(shop, milk), Piece(kit.id, shop.facility.id, Spot.STORE, 1))
    changes = {"kind": MoveKind.KIT, "entry": EntryKind.KIT, "purpose": None}
    assert refused_by(lambda: force(session, shop, *pieces, **changes)) == "may_be_given"


def test_in_a_kit_that_says_nothing_of_it(session: Session, shop: Shop) -> None:
    tomorrow = milk_of(session, shop, 6, 1)
    kit = Lot(
        community_id=tomorrow.community_id,
        goods_id=shop.milk.id,
        is_food=True,
        commodity="piece",
        fund_id=tomorrow.fund_id,
        expires_on=shop.today + 30 * ONE,
        received_on=shop.today,
        is_kit=True,
    )
    session.add(kit)
    session.flush()
    pieces = (out(shop, tomorrow), Piece(kit.id, shop.facility.id, Spot.STORE, 1))
    changes = {"kind": MoveKind.KIT, "entry": None, "purpose": None}
    assert refused_by(lambda: force(session, shop, *pieces, **changes)) == "packed_as_listed"


def test_inside_a_kit_that_was_packed_while_it_was_good(session: Session, shop: Shop) -> None:
    bag = market.create_goods(
        session,
        shop.world.community.id,
        market.GoodsDraft("bag", "爱心包", "food", Commodity.PIECE, "份"),
        actor=shop.keeper,
        now=clock.now(session),
    )
    milk = milk_of(session, shop, 2, 3)
    draft = KitDraft(shop.facility.id, bag.id, 2, ((shop.milk.id, 1),), shop.general.id)
    packed = market.pack_kits(session, draft, actor=shop.keeper, now=clock.now(session))
    settle(session)
    session.execute(update(Lot).where(Lot.id == milk.id).values(expires_on=shop.today - ONE))
    with pytest.raises(MayNotBeGiven):
        hand_out(session, shop, bag, 1, lot_id=packed.lot.id)
    assert refused_by(lambda: force(session, shop, out(shop, packed.lot))) == "may_be_given"


def test_in_the_journal_alone(session: Session, shop: Shop, milk: Lot) -> None:
    dimension = Dimension(milk.fund_id, Commodity.PIECE)
    draft = Draft(
        milk.community_id,
        EntryKind.HAND_OUT,
        at(dimension, shop.facility.holding_id or 0, -1),
        purpose=Purpose.LONE_ELDER,
    )
    funds.post(session, draft, actor=shop.keeper, now=clock.now(session))
    assert refused_by(lambda: settle(session)) == "explained"


def test_added_to_a_hand_out_of_something_else(session: Session, shop: Shop, milk: Lot) -> None:
    take_in(session, shop, shop.coat, 2)
    given = hand_out(session, shop, shop.coat, 1)
    settle(session)
    row = {"community_id": milk.community_id, "move_id": given.move.id, "lot_id": milk.id}
    row |= {"facility_id": shop.facility.id, "spot": "store", "amount": -1}
    insert_rows(session, Movement, [row])
    assert refused_by(lambda: settle(session)) == "closed_step"


def test_by_taking_back_that_it_was_taken_back(session: Session, shop: Shop) -> None:
    lot = milk_of(session, shop, 2, 3)
    given = hand_out(session, shop, shop.milk, 1)
    now = clock.now(session)
    back = market.reverse(session, given.move.id, reason="写错", actor=shop.approver, now=now)
    session.execute(update(Lot).where(Lot.id == lot.id).values(expires_on=shop.today - ONE))
    with pytest.raises(DispatchError):
        market.reverse(session, back.id, reason="又写错", actor=shop.keeper, now=now)
    with pytest.raises(DispatchError):
        force(session, shop, out(shop, lot), kind=MoveKind.REVERSE, reverses=back, reason="又写错")


def test_as_a_new_lot_without_a_second_person(session: Session, shop: Shop, milk: Lot) -> None:
    with pytest.raises(DBAPIError, match="ck_lots_replacement"):
        milk_of(session, shop, 6, 5, replaces_id=milk.id)


def test_by_writing_down_the_balance_or_the_movement(session: Session, shop: Shop, milk: Lot) -> None:
    assert shop.milk.id == milk.goods_id
    for statement in (
        "UPDATE lot_balances SET amount = amount - 1",
        "UPDATE movements SET last_good_day = '2199-01-01'",
        "UPDATE stock_moves SET kind = 'adjust'",
        "DELETE FROM movements",
        "DELETE FROM lots",
    ):
        with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
            session.execute(text(statement))


def hand_out_until(database: Database, shop: Shop, instant: datetime) -> None:
    """Hand out in a transaction that commits when the clock shows an instant."""
    with transaction(EVERYTHING) as session:
        hand_out(session, shop, shop.milk, 1)
        set_clock(database.owner_url, instant, rate=0)


def test_while_the_clock_strikes_midnight(committed: Database) -> None:
    evening = datetime.combine(datetime(2026, 11, 24, tzinfo=SHANGHAI), time(23, 59, 59), tzinfo=SHANGHAI)
    set_clock(committed.owner_url, evening, rate=0)
    with transaction(EVERYTHING) as session:
        shop = make_shop(session)
        milk_of(session, shop, 3, 0)
    with transaction(EVERYTHING) as session:
        hand_out(session, shop, shop.milk, 1)
    with pytest.raises(ChangedAtCommit):
        hand_out_until(committed, shop, evening + timedelta(seconds=1))
    with transaction(EVERYTHING) as session, pytest.raises(NotEnough):
        hand_out(session, shop, shop.milk, 1)


def test_the_fence_itself_is_what_refuses(committed: Database) -> None:
    with transaction(EVERYTHING) as session:
        shop = make_shop(session)
        lot = milk_of(session, shop, 3, 3)
    with transaction(EVERYTHING) as session:
        session.execute(update(Lot).where(Lot.id == lot.id).values(expires_on=shop.today - ONE))
    step = Step(MoveKind.PARCEL, shop.facility, (out(shop, lot),), EntryKind.PARCEL, Purpose.LONE_ELDER)
    with pytest.raises(ChangedAtCommit), transaction(EVERYTHING) as session:
        write(session, step, actor=shop.keeper, now=clock.now(session))
    with connection(committed.owner_url) as owner:
        owner.exec_driver_sql("ALTER TABLE movements DISABLE TRIGGER market_judge")
    with transaction(EVERYTHING) as session:
        write(session, step, actor=shop.keeper, now=clock.now(session))

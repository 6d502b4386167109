"""Goods come in, stand somewhere, go out first out first, are packed, shipped, brought elsewhere and taken back."""

from datetime import date

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid, NotFound
from dispatch.models.funds import Entry
from dispatch.models.market import Inspection, Movement, StockMove
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import EntryKind, HoldingKind, Purpose
from dispatch.rules.market.keeping import SamePerson
from dispatch.rules.market.picking import NotEnough
from dispatch.rules.market.shelf import Commodity, MoveKind, Spot
from dispatch.services import funds, market
from dispatch.services.funds import NeedsAnother
from dispatch.services.market import KitDraft, LotDraft, NotKeeper, Outgoing, Receipt, Shift, Wish
from tests.factories.market import ONE, Shop, hand_out, left, milk_of, settle, shelve, take_in
from tests.statements import statements


def entry_of(session: Session, move: StockMove) -> Entry:
    """The entry of the journal behind a step."""
    return session.get_one(Entry, move.entry_id)


def custody(session: Session, shop: Shop) -> dict[tuple[int, str, int | None], int]:
    """What is owed, by fund, commodity and wish."""
    rows = session.execute(
        text(
            "SELECT accounts.fund_id, commodity, earmark_id, amount FROM accounts JOIN balances "
            "ON account_id = accounts.id WHERE side = 'custody' AND amount <> 0 AND accounts.community_id = :id"
        ),
        {"id": shop.world.community.id},
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def test_a_receipt_is_lots_movements_and_one_entry(session: Session, shop: Shop) -> None:
    lots = (
        LotDraft(shop.milk.id, 12, shop.general.id, produced_on=shop.today),
        LotDraft(shop.rice.id, 25_000, shop.general.id, shop.wish.id, produced_on=date(2026, 8, 31), life=None),
        LotDraft(shop.coat.id, 3, shop.general.id),
    )
    received = market.receive(session, Receipt(shop.facility.id, lots), actor=shop.keeper, now=clock.now(session))
    settle(session)
    milk, rice, coat = received.lots
    for lot in (milk, rice, coat):
        session.refresh(lot)
    assert milk.last_good_day == shop.today + 7 * ONE
    assert rice.last_good_day == date(2027, 8, 31)
    assert coat.last_good_day is None
    assert entry_of(session, received.move).kind == "gift"
    assert custody(session, shop) == {
        (shop.general.id, "piece", None): 15,
        (shop.general.id, "gram", shop.wish.id): 25_000,
    }
    assert left(session, coat) == {"store": 3}


def test_food_that_came_is_inspected_and_what_is_past_stands_apart_at_once(session: Session, shop: Shop) -> None:
    good, past = milk_of(session, shop, 5, 2), milk_of(session, shop, 5, -1)
    unknown = take_in(session, shop, shop.milk, 4)
    settle(session)
    assert [left(session, lot) for lot in (good, past, unknown)] == [
        {"store": 5},
        {"quarantine": 5},
        {"quarantine": 4},
    ]
    rounds = session.scalars(select(Inspection).order_by(Inspection.id)).all()
    assert [one.done_at is None for one in rounds] == [True, False, False]
    assert {one.due_on for one in rounds} == {shop.today + ONE}


def test_only_the_keeper_takes_in_by_hand_and_overseas_goods_go_to_the_overseas_market(
    session: Session, shop: Shop
) -> None:
    receipt = Receipt(shop.facility.id, (LotDraft(shop.coat.id, 1, shop.general.id),))
    with pytest.raises(NotKeeper):
        market.receive(session, receipt, actor=shop.approver, now=clock.now(session))
    with pytest.raises(Invalid) as caught:
        take_in(session, shop, shop.coat, 1, facility_id=shop.overseas.id)
    assert caught.value.field == "fund_id"
    take_in(session, shop, shop.coat, 1, facility_id=shop.overseas.id, fund_id=shop.overseas_fund.id)
    settle(session)


def test_the_earliest_goes_first_across_the_shelf_and_the_store(session: Session, shop: Shop) -> None:
    later, sooner = milk_of(session, shop, 5, 9), milk_of(session, shop, 2, 1)
    shelve(session, shop, later, 3)
    given = hand_out(session, shop, shop.milk, 4)
    settle(session)
    assert [(one.lot_id, one.amount) for one in given.taken] == [(later.id, 2), (sooner.id, 2)]
    assert left(session, sooner) == {}
    assert left(session, later) == {"store": 2, "shelf": 1}
    entry = entry_of(session, given.move)
    assert (entry.kind, entry.purpose) == ("parcel", "lone_elder")
    assert [piece[3] for piece in entry.facts["pieces"]] == [-2, -2]


def test_too_much_takes_nothing_and_says_what_is_left(session: Session, shop: Shop) -> None:
    lot = milk_of(session, shop, 5, 9)
    with pytest.raises(NotEnough) as caught:
        hand_out(session, shop, shop.milk, 6)
    assert caught.value.facts["left"] == 5
    assert left(session, lot) == {"store": 5}


def test_what_is_held_for_lone_elders_is_given_to_nobody_else(session: Session, shop: Shop) -> None:
    lot = milk_of(session, shop, 5, 9, earmark_id=shop.wish.id)
    with pytest.raises(NotEnough):
        hand_out(session, shop, shop.milk, 1, purpose=Purpose.SERIOUS_ILLNESS)
    hand_out(session, shop, shop.milk, 1)
    settle(session)
    assert left(session, lot) == {"store": 4}


def test_a_hand_out_happens_once_for_its_origin(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 5, 9)
    hand_out(session, shop, shop.milk, 1, origin="market.hand_out", origin_id=7)
    with pytest.raises(DBAPIError, match="uq_stock_moves_origin"):
        hand_out(session, shop, shop.milk, 1, origin="market.hand_out", origin_id=7)


def test_a_kit_ends_with_its_earliest_part_and_is_given_like_any_lot(session: Session, shop: Shop) -> None:
    bag = market.create_goods(
        session,
        shop.world.community.id,
        market.GoodsDraft("bag", "爱心包", "food", Commodity.PIECE, "份"),
        actor=SYSTEM,
        now=clock.now(session),
    )
    milk, rice = milk_of(session, shop, 4, 3), take_in(session, shop, shop.rice, 9_000, produced_on=shop.today)
    draft = KitDraft(shop.facility.id, bag.id, 2, ((shop.milk.id, 1), (shop.rice.id, 2_500)), shop.general.id)
    packed = market.pack_kits(session, draft, actor=shop.keeper, now=clock.now(session))
    settle(session)
    session.refresh(packed.lot)
    assert packed.lot.last_good_day == shop.today + 3 * ONE
    assert (left(session, milk), left(session, rice)) == ({"store": 2}, {"store": 4_000})
    assert entry_of(session, packed.move).kind == "kit"
    market.bring_forward(session, milk.id, shop.today + ONE, actor=shop.keeper)
    session.refresh(packed.lot)
    assert packed.lot.last_good_day == shop.today + ONE
    hand_out(session, shop, bag, 1, kind=MoveKind.PARCEL, purpose=Purpose.YEARLY_ROUND)
    settle(session)


def test_a_shipment_is_on_its_way_until_it_is_signed_for(session: Session, shop: Shop) -> None:
    way = funds.add_holding(
        session,
        shop.world.community.id,
        kind=HoldingKind.TRANSIT,
        code="way",
        name="在途",
        actor=SYSTEM,
        now=clock.now(session),
    )
    lot = take_in(session, shop, shop.coat, 10)
    sent = hand_out(
        session,
        shop,
        shop.coat,
        6,
        kind=MoveKind.SHIPMENT,
        purpose=Purpose.RELIEF,
        consumed_on=shop.today + 30 * ONE,
        transit_id=way.id,
    )
    settle(session)
    assert entry_of(session, sent.move).kind == "transfer"
    assert left(session, lot) == {"store": 4}
    assert custody(session, shop) == {(shop.general.id, "piece", None): 10}


def test_goods_go_to_another_facility_and_what_stands_apart_stays_apart(session: Session, shop: Shop) -> None:
    good, past = milk_of(session, shop, 5, 2), milk_of(session, shop, 5, -1)
    now = clock.now(session)
    lots = [(good.id, Spot.STORE, 2), (past.id, Spot.QUARANTINE, 3)]
    move = market.transfer(session, shop.facility.id, shop.overseas.id, lots, actor=shop.keeper, now=now)
    settle(session)
    rows = session.execute(
        select(Movement.lot_id, Movement.facility_id, Movement.spot, Movement.amount).where(Movement.move_id == move.id)
    )
    assert {tuple(row) for row in rows} == {
        (good.id, shop.facility.id, "store", -2),
        (good.id, shop.overseas.id, "store", 2),
        (past.id, shop.facility.id, "quarantine", -3),
        (past.id, shop.overseas.id, "quarantine", 3),
    }


def test_a_step_is_taken_back_once_and_whole(session: Session, shop: Shop) -> None:
    lot = milk_of(session, shop, 5, 9)
    given = hand_out(session, shop, shop.milk, 4)
    now = clock.now(session)
    with pytest.raises(NeedsAnother):
        market.reverse(session, given.move.id, reason="扫错了卡", actor=shop.keeper, now=now)
    back = market.reverse(session, given.move.id, reason="扫错了卡", actor=shop.approver, now=now)
    settle(session)
    assert left(session, lot) == {"store": 5}
    assert entry_of(session, back).kind == "reversal"
    for again in (given.move.id, back.id):
        with pytest.raises(market.AlreadyReversed):
            market.reverse(session, again, reason="再来", actor=shop.keeper, now=now)


def test_the_dates_come_forward_only_and_another_community_sees_nothing(session: Session, shop: Shop) -> None:
    lot = milk_of(session, shop, 5, 9)
    for day in (shop.today + 9 * ONE, shop.today + 10 * ONE):
        with pytest.raises(Invalid) as caught:
            market.bring_forward(session, lot.id, day, actor=shop.keeper)
        assert caught.value.field == "expires_on"
    assert market.bring_forward(session, lot.id, shop.today, actor=shop.keeper).last_good_day == shop.today
    stranger = type(shop.keeper)(kind=shop.keeper.kind, user_id=shop.keeper.user_id)
    with pytest.raises(NotFound):
        market.find_lot(session, lot.id, actor=stranger)
    assert market.stock_of(session, shop.facility.id, actor=stranger) == []


def test_the_stock_page_asks_one_query_however_many_lots(session: Session, shop: Shop) -> None:
    for ends_in in range(3, 9):
        milk_of(session, shop, 1, ends_in)
    with statements(session) as sent:
        found = market.stock_of(session, shop.facility.id, actor=shop.keeper)
    assert [one.shelf.last_good_day for one in found] == [shop.today + ends_in * ONE for ends_in in range(3, 9)]
    assert len(sent) == 1


def test_a_surplus_of_shelving_or_a_release_of_what_is_past_is_refused(session: Session, shop: Shop) -> None:
    good, past = milk_of(session, shop, 5, 2), milk_of(session, shop, 5, -1)
    now = clock.now(session)
    for kind, shifts in (
        (MoveKind.SHELVE, [Shift(good.id, 6, Spot.STORE, Spot.SHELF)]),
        (MoveKind.RELEASE, [Shift(past.id, 1, Spot.QUARANTINE, Spot.STORE)]),
        (MoveKind.HAND_OUT, [Shift(good.id, 1, Spot.STORE, Spot.SHELF)]),
    ):
        for actor in (shop.keeper, shop.approver):
            with pytest.raises(DispatchError):
                market.shift(session, shop.facility.id, kind, shifts, actor=actor, now=now)


def test_the_keeper_sets_apart_and_another_releases(session: Session, shop: Shop) -> None:
    lot, now = milk_of(session, shop, 5, 2), clock.now(session)
    apart, back = [Shift(lot.id, 2, Spot.STORE, Spot.QUARANTINE)], [Shift(lot.id, 2, Spot.QUARANTINE, Spot.SHELF)]
    market.shift(session, shop.facility.id, MoveKind.QUARANTINE, apart, actor=shop.keeper, now=now)
    with pytest.raises(SamePerson):
        market.shift(session, shop.facility.id, MoveKind.RELEASE, back, actor=shop.keeper, now=now)
    market.shift(session, shop.facility.id, MoveKind.RELEASE, back, actor=shop.approver, now=now)
    settle(session)
    assert left(session, lot) == {"store": 3, "shelf": 2}


def test_a_purchase_pays_for_what_comes_in_and_a_sale_brings_money(session: Session, shop: Shop) -> None:
    now, community_id = clock.now(session), shop.world.community.id
    till = funds.add_holding(
        session, community_id, kind=HoldingKind.TILL, code="till", name="钱箱", actor=SYSTEM, now=now
    )
    money = Dimension(shop.general.id)
    gift = Draft(community_id, EntryKind.GIFT, at(money, till.id, 5_000))
    funds.post(session, gift, actor=SYSTEM, now=now)
    bought = Receipt(
        shop.facility.id,
        (LotDraft(shop.coat.id, 2, shop.general.id),),
        entry=EntryKind.PURCHASE,
        lines=at(money, till.id, -3_000),
    )
    market.receive(session, bought, actor=shop.keeper, now=now)
    sold = Outgoing(MoveKind.SALE, shop.facility.id, (Wish(shop.coat.id, 1),), lines=at(money, till.id, 4_000))
    market.move_out(session, sold, actor=shop.keeper, now=now)
    settle(session)
    assert custody(session, shop) == {(shop.general.id, "fen", None): 6_000, (shop.general.id, "piece", None): 1}

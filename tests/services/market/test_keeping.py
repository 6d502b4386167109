"""Keepers and hand-overs, blind counts, rounds of inspection, disposals by two, recalls."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid
from dispatch.models.funds import Entry
from dispatch.models.market import Count, Disposal, Handover, Inspection, Keeper, Lot
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.queue import Job
from dispatch.rules.access.roles import SYSTEM, Right
from dispatch.rules.market.keeping import Finding, SamePerson
from dispatch.rules.market.shelf import MoveKind, Spot
from dispatch.services import market, orders
from dispatch.services.market import BeingCounted, CountedAlready, Disputed, NothingToTick, NotKeeper, NotSigned
from tests.factories.counter import card_of, reserve, sign
from tests.factories.market import ONE, Shop, hand_out, left, milk_of, settle, shelve, signature, take_in


def alarms(session: Session, kind: str) -> list[Alarm]:
    """The open alarms of a kind."""
    return list(session.scalars(select(Alarm).where(Alarm.kind == kind, Alarm.cleared_at.is_(None))))


def disposal_of(session: Session, lot: Lot) -> Disposal:
    """The newest disposal of a lot."""
    query = select(Disposal).where(Disposal.lot_id == lot.id).order_by(Disposal.id.desc()).limit(1)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def test_a_facility_is_handed_over_with_what_stands_in_it(session: Session, shop: Shop) -> None:
    now, taker = clock.now(session), shop.counters[0]
    lot = milk_of(session, shop, 5, 3)
    with pytest.raises(NotKeeper):
        market.start_handover(session, shop.facility.id, taker.user_id or 0, actor=taker, now=now)
    market.start_handover(session, shop.facility.id, taker.user_id or 0, actor=shop.keeper, now=now)
    with pytest.raises(market.NoHandover):
        market.take_over(session, shop.facility.id, actor=shop.counters[1], now=now)
    later = now + timedelta(seconds=1)
    market.take_over(session, shop.facility.id, actor=taker, now=later)
    record = session.scalars(select(Handover)).one()
    assert record.stock == [[lot.id, "store", 5]]
    keepers = session.scalars(select(Keeper).where(Keeper.facility_id == shop.facility.id).order_by(Keeper.id)).all()
    assert [(one.user_id, one.until is None) for one in keepers] == [
        (shop.keeper.user_id, False),
        (taker.user_id, True),
    ]


def test_two_keepers_of_one_facility_are_refused_by_the_database(session: Session, shop: Shop) -> None:
    second = {"facility_id": shop.facility.id, "user_id": shop.counters[0].user_id, "since": clock.now(session)}
    session.add(Keeper(community_id=shop.world.community.id, **second))
    with pytest.raises(DBAPIError, match="ex_keepers_one_at_a_time"):
        session.flush()


def test_rule_books_have_versions_and_the_newest_that_has_begun_holds(session: Session, shop: Shop) -> None:
    now, community_id = clock.now(session), shop.world.community.id
    for body, begins in (("第一版", 0), ("第二版", 0), ("第三版", 5)):
        market.write_rule_book(
            session, community_id, "daily", body, shop.today + begins * ONE, actor=shop.approver, now=now
        )
    found = market.rule_books(session, actor=shop.keeper, today=shop.today)
    assert [(one.version, one.body) for one in found] == [(2, "第二版")]


def counted(session: Session, shop: Shop, amounts: list[int], lot: Lot) -> Count:
    """A count in which two people found these amounts of a lot in the store."""
    now = clock.now(session)
    count = market.open_count(session, shop.facility.id, actor=shop.approver, now=now)
    for person, amount in zip(shop.counters, amounts, strict=True):
        market.submit_count(session, count.id, {(lot.id, "store"): amount}, actor=person, now=now)
    return count


def test_two_count_blind_a_third_books_the_difference(session: Session, shop: Shop) -> None:
    lot, now = milk_of(session, shop, 5, 3), clock.now(session)
    count = counted(session, shop, [4, 4], lot)
    with pytest.raises(BeingCounted):
        hand_out(session, shop, shop.milk, 1)
    for person in (shop.keeper, shop.counters[0]):
        with pytest.raises(SamePerson):
            market.close_count(session, count.id, reason="破损", actor=person, now=now)
    with pytest.raises(Invalid) as caught:
        market.close_count(session, count.id, reason=" ", actor=shop.approver, now=now)
    assert caught.value.field == "reason"
    market.close_count(session, count.id, reason="破损", actor=shop.approver, now=now)
    settle(session)
    assert left(session, lot) == {"store": 4}
    entry = session.scalars(select(Entry).order_by(Entry.id.desc()).limit(1)).one()
    assert (entry.kind, entry.approved_by) == ("shortage", None)
    hand_out(session, shop, shop.milk, 1)


def test_where_two_differ_they_count_again(session: Session, shop: Shop) -> None:
    lot, now = milk_of(session, shop, 5, 3), clock.now(session)
    count = counted(session, shop, [4, 6], lot)
    with pytest.raises(Disputed):
        market.close_count(session, count.id, reason="破损", actor=shop.approver, now=now)
    with pytest.raises(CountedAlready):
        market.submit_count(session, count.id, {(lot.id, "store"): 6}, actor=shop.approver, now=now)
    market.submit_count(session, count.id, {(lot.id, "store"): 6}, actor=shop.counters[0], now=now)
    market.close_count(session, count.id, reason="入库少写", actor=shop.approver, now=now)
    settle(session)
    assert left(session, lot) == {"store": 6}


def test_the_keeper_does_not_count_and_every_place_is_counted(session: Session, shop: Shop) -> None:
    lot, now = milk_of(session, shop, 5, 3), clock.now(session)
    count = market.open_count(session, shop.facility.id, actor=shop.approver, now=now)
    with pytest.raises(SamePerson):
        market.submit_count(session, count.id, {(lot.id, "store"): 5}, actor=shop.keeper, now=now)
    for wrong in ({}, {(lot.id, "shelf"): 5}, {(lot.id, "store"): -1}):
        with pytest.raises(Invalid) as caught:
            market.submit_count(session, count.id, wrong, actor=shop.counters[0], now=now)
        assert caught.value.field == "lines"
    with pytest.raises(DBAPIError, match="neither counts nor approves"):
        session.execute(update(Count).where(Count.id == count.id).values(first_by=shop.keeper.user_id, first_at=now))


def test_a_round_starts_by_itself_once_a_week_and_goes_lot_by_lot(session: Session, shop: Shop) -> None:
    good, soon = milk_of(session, shop, 5, 30), milk_of(session, shop, 4, 2)
    now = clock.now(session)
    take_in(session, shop, shop.coat, 2)
    shelve(session, shop, soon, 1)
    for _ in range(2):
        market.keep_facility(session, shop.facility.id, now=now)
    rounds = session.scalars(select(Inspection).where(Inspection.move_id.is_(None))).all()
    assert [one.occasion for one in rounds] == [f"round:{shop.today.isoformat()}"]
    wanted = {(one.lot_id, str(one.shelf.spot)) for one in market.to_tick(session, rounds[0])}
    assert wanted == {(good.id, "store"), (soon.id, "store"), (soon.id, "shelf")}
    with pytest.raises(NotKeeper):
        market.tick(session, rounds[0].id, good.id, Spot.STORE, Finding.GOOD, actor=shop.approver, now=now)
    market.tick(session, rounds[0].id, good.id, Spot.STORE, Finding.SPOILED, amount=2, actor=shop.keeper, now=now)
    market.tick(session, rounds[0].id, soon.id, Spot.STORE, Finding.NEAR, actor=shop.keeper, now=now)
    assert rounds[0].done_at is None
    market.tick(session, rounds[0].id, soon.id, Spot.SHELF, Finding.NEAR, actor=shop.keeper, now=now)
    settle(session)
    assert rounds[0].done_at == now
    assert left(session, good) == {"store": 3, "quarantine": 2}
    assert left(session, soon) == {"quarantine": 4}
    assert disposal_of(session, good).cause == "spoiled"
    assert session.scalars(select(Disposal).where(Disposal.lot_id == soon.id)).all() == []
    with pytest.raises(NothingToTick):
        market.tick(session, rounds[0].id, good.id, Spot.STORE, Finding.GOOD, actor=shop.keeper, now=now)


def test_a_missed_round_is_alarmed_once_until_it_is_done(session: Session, shop: Shop) -> None:
    lot, now = milk_of(session, shop, 5, 30), clock.now(session)
    missed = now + timedelta(days=2)
    for _ in range(2):
        market.keep_facility(session, shop.facility.id, now=missed)
    assert [one.community_id for one in alarms(session, "inspection_missed")] == [shop.world.community.id]
    receipt = session.scalars(select(Inspection).where(Inspection.move_id.is_not(None))).one()
    market.tick(session, receipt.id, lot.id, Spot.STORE, Finding.GOOD, actor=shop.keeper, now=missed)
    assert alarms(session, "inspection_missed") == []


def test_the_night_sets_apart_what_is_past_and_has_it_destroyed(session: Session, shop: Shop) -> None:
    lot, now = milk_of(session, shop, 5, 3), clock.now(session)
    session.execute(update(Lot).where(Lot.id == lot.id).values(expires_on=shop.today - ONE))
    for _ in range(2):
        market.keep_facility(session, shop.facility.id, now=now)
    settle(session)
    assert left(session, lot) == {"quarantine": 5}
    disposal = disposal_of(session, lot)
    assert (disposal.cause, disposal.amount) == ("expired", 5)
    order = session.get_one(Order, disposal.order_id)
    assert (order.origin, order.origin_id) == ("market.disposal", disposal.id)
    assert order.building_id == shop.facility.building_id


def test_what_came_past_its_day_is_destroyed_too_and_what_is_good_waits_for_a_decision(
    session: Session, shop: Shop
) -> None:
    past, unknown, near = (
        milk_of(session, shop, 2, -1),
        take_in(session, shop, shop.milk, 3),
        milk_of(session, shop, 4, 1),
    )
    now = clock.now(session)
    apart = [market.Shift(near.id, 4, Spot.STORE, Spot.QUARANTINE)]
    market.shift(session, shop.facility.id, MoveKind.QUARANTINE, apart, actor=shop.keeper, now=now)
    for _ in range(2):
        market.keep_facility(session, shop.facility.id, now=now)
    rows = session.execute(select(Disposal.lot_id, Disposal.amount).order_by(Disposal.lot_id))
    assert [tuple(row) for row in rows] == [(past.id, 2), (unknown.id, 3)]


def spoiled(session: Session, shop: Shop) -> tuple[Lot, Disposal]:
    """A lot that was found spoiled on receipt."""
    lot, now = milk_of(session, shop, 5, 3), clock.now(session)
    receipt = session.scalars(select(Inspection).order_by(Inspection.id.desc()).limit(1)).one()
    market.tick(session, receipt.id, lot.id, Spot.STORE, Finding.SPOILED, actor=shop.keeper, now=now)
    return lot, disposal_of(session, lot)


def test_two_sign_and_the_goods_leave_the_book(session: Session, shop: Shop) -> None:
    lot, disposal = spoiled(session, shop)
    now = clock.now(session)
    with pytest.raises(NotSigned):
        market.approve_disposal(session, disposal.id, signature(), actor=shop.approver, now=now)
    with pytest.raises(NotKeeper):
        market.sign_disposal(session, disposal.id, "bin", signature(), actor=shop.approver, now=now)
    market.sign_disposal(session, disposal.id, "bin", signature(), actor=shop.keeper, now=now)
    with pytest.raises(SamePerson):
        market.approve_disposal(session, disposal.id, signature(), actor=shop.keeper, now=now)
    market.approve_disposal(session, disposal.id, signature(), actor=shop.approver, now=now)
    settle(session)
    assert left(session, lot) == {}
    assert disposal_of(session, lot).state == "done"
    entry = session.scalars(select(Entry).order_by(Entry.id.desc()).limit(1)).one()
    assert entry.kind == "disposal"


def test_that_the_work_was_done_is_heard_once_after_both_have_signed(session: Session, shop: Shop) -> None:
    _, disposal = spoiled(session, shop)
    now = clock.now(session)
    market.sign_disposal(session, disposal.id, "bin", signature(), actor=shop.keeper, now=now)
    market.approve_disposal(session, disposal.id, signature(), actor=shop.approver, now=now)
    whole = update(Disposal).where(Disposal.id == disposal.id)
    session.execute(whole.values(work_done_at=now, order_version=disposal.order_version + 1))
    with pytest.raises(IntegrityError, match="is over"):
        session.execute(whole.values(work_done_at=now + ONE))


def test_one_person_cannot_sign_twice_past_the_services(session: Session, shop: Shop) -> None:
    _, disposal = spoiled(session, shop)
    now, one = clock.now(session), shop.approver.user_id
    signed = {"signed_by": one, "signed_at": now, "way": "bin", "approved_by": one, "approved_at": now}
    with pytest.raises(DBAPIError, match="two_signatures"):
        session.execute(update(Disposal).where(Disposal.id == disposal.id).values(signed))


def test_an_order_that_ends_without_the_work_is_placed_again(session: Session, shop: Shop) -> None:
    lot, disposal = spoiled(session, shop)
    now, first = clock.now(session), disposal.order_id or 0
    order = orders.lock(session, first)
    orders.void(session, order, reason="派错了", actor=SYSTEM, now=now)
    heard = session.scalars(select(Job).where(Job.kind == "market.order_changed", Job.reference == first)).one()
    version = int(heard.arguments["version"])
    assert market.disposal_order_changed(session, first, version, now=now)
    assert not market.disposal_order_changed(session, first, version, now=now)
    again = disposal_of(session, lot)
    assert again.order_id != first
    assert session.get_one(Order, again.order_id).occasion == "2"


def test_a_disposal_that_is_late_is_alarmed_until_both_have_signed(session: Session, shop: Shop) -> None:
    _, disposal = spoiled(session, shop)
    late = clock.now(session) + timedelta(days=4)
    market.keep_facility(session, shop.facility.id, now=late)
    assert [one.facts["disposal"] for one in alarms(session, "disposal_late")] == [disposal.id]
    now = clock.now(session)
    market.sign_disposal(session, disposal.id, "return", signature(), actor=shop.keeper, now=now)
    market.approve_disposal(session, disposal.id, signature(), actor=shop.approver, now=now)
    assert alarms(session, "disposal_late") == []


def test_a_withdrawn_disposal_leaves_the_goods_apart_and_its_order_void(session: Session, shop: Shop) -> None:
    lot, disposal = spoiled(session, shop)
    now = clock.now(session)
    with pytest.raises(SamePerson):
        market.withdraw_disposal(session, disposal.id, reason="看错", actor=shop.keeper, now=now)
    market.withdraw_disposal(session, disposal.id, reason="看错", actor=shop.approver, now=now)
    assert session.get_one(Order, disposal.order_id, populate_existing=True).state == "voided"
    assert left(session, lot) == {"quarantine": 5}
    with pytest.raises(IntegrityError, match="is over"):
        session.execute(update(Disposal).where(Disposal.id == disposal.id).values(cause="near"))


def test_a_recall_clears_every_shelf_and_lists_who_got_some(session: Session, shop: Shop) -> None:
    called_back = milk_of(session, shop, 5, 9, batch_number="B1")
    other = milk_of(session, shop, 5, 20, batch_number="B2")
    given = hand_out(session, shop, shop.milk, 2, origin="market.parcel", origin_id=7)
    undone = hand_out(session, shop, shop.milk, 1, origin="market.parcel", origin_id=8)
    settle(session)
    now = clock.now(session)
    market.reverse(session, undone.move.id, reason="扫错卡", actor=shop.approver, now=now)
    recall = market.recall(
        session, shop.milk.id, batch_number="B1", reason="厂家召回", source="市监局", actor=shop.approver, now=now
    )
    settle(session)
    assert left(session, called_back) == {"quarantine": 3}
    assert left(session, other) == {"store": 5}
    rows = market.given_of(session, recall.id, actor=shop.approver)
    assert [(one.move_id, one.origin_id, one.amount) for one in rows] == [(given.move.id, 7, 2)]
    assert disposal_of(session, called_back).cause == "recalled"
    with pytest.raises(DispatchError):
        hand_out(session, shop, shop.milk, 1, lot_id=called_back.id)
    hand_out(session, shop, shop.milk, 1)
    settle(session)


def test_what_comes_of_a_batch_after_its_recall_is_called_back_as_it_comes(session: Session, shop: Shop) -> None:
    milk_of(session, shop, 5, 9, batch_number="B1")
    said = {"batch_number": "B1", "reason": "厂家召回", "source": "市监局"}
    recall = market.recall(session, shop.milk.id, **said, actor=shop.approver, now=clock.now(session))
    late, other = milk_of(session, shop, 3, 9, batch_number="B1"), milk_of(session, shop, 3, 9, batch_number="B2")
    settle(session)
    assert (late.recall_id, other.recall_id) == (recall.id, None)
    assert (left(session, late), left(session, other)) == ({"quarantine": 3}, {"store": 3})


def test_a_recall_names_the_homes_of_those_who_got_some_to_whoever_may_read_the_register(
    session: Session, shop: Shop
) -> None:
    milk_of(session, shop, 5, 9, batch_number="B1")
    given = sign(session, shop, reserve(session, shop, card_of(session, shop), (shop.milk.id, 2)))
    settle(session)
    said = {"batch_number": "B1", "reason": "厂家召回", "source": "市监局"}
    recall = market.recall(session, shop.milk.id, **said, actor=shop.approver, now=clock.now(session))
    rows = market.given_of(session, recall.id, actor=shop.approver)
    homes = market.receivers_of(session, recall, rows, actor=shop.approver)
    assert list(homes) == [given.id]
    assert "单元" in homes[given.id]
    blind = replace(shop.approver, rights=frozenset({Right.MARKET_READ}))
    assert market.receivers_of(session, recall, rows, actor=blind) == {}

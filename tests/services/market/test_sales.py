"""Charity sales: on an agreement, counted blind by two people, banked whole, published; races with real commits."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid, NotAllowed, NotFound
from dispatch.models.funds import Entry, EntryLine
from dispatch.models.market import Sale
from dispatch.rules.access.roles import EVERYTHING, Scope
from dispatch.rules.market.picking import NotEnough
from dispatch.rules.market.sales import NotOverYet, SaleNotThere, SaleSource, SamePersonCounted
from dispatch.services import market
from dispatch.services.market import selling
from dispatch.services.reports.verify.stock import wrong_stock
from dispatch.transaction import transaction
from tests.conftest import Database
from tests.factories.gifts import Office, make_office, plan
from tests.factories.market import left, milk_of, settle, take_in


@pytest.fixture
def office(session: Session) -> Office:
    return make_office(session)


def count(session: Session, office: Office, sale: Sale, person: int, fen: int) -> Sale:
    """One of the two counters enters a figure."""
    return market.count_sale(session, sale.id, fen, actor=office.shop.counters[person], now=clock.now(session))


def counted(session: Session, office: Office, fen: int = 123_450) -> Sale:
    """A sale that two people counted alike."""
    sale = plan(session, office)
    for person in (0, 1):
        count(session, office, sale, person, fen)
    return sale


def test_a_sale_goes_from_its_agreement_to_the_public_and_all_of_it_into_the_fund(
    session: Session, office: Office
) -> None:
    sale, now = counted(session, office), clock.now(session)
    assert sale.state == "counted"
    with pytest.raises(Invalid) as refused:
        market.bank_sale(session, sale.id, 123_449, office.bank.id, actor=office.clerk, now=now)
    assert refused.value.field == "fen"
    with pytest.raises(Invalid) as refused:
        market.bank_sale(session, sale.id, 123_450, office.till.id, actor=office.clerk, now=now)
    assert refused.value.field == "holding_id"
    market.bank_sale(session, sale.id, 123_450, office.bank.id, actor=office.clerk, now=now)
    assert market.published_sales(session, sale.community_id) == []
    with pytest.raises(Invalid) as refused:
        market.publish_sale(session, sale.id, " ", actor=office.clerk, now=now)
    assert refused.value.field == "result"
    market.publish_sale(session, sale.id, "谢谢大家", actor=office.clerk, now=now)
    ((shown, fund),) = market.published_sales(session, sale.community_id)
    assert (shown.first_fen, shown.result, fund) == (123_450, "谢谢大家", "爱心基金")
    entry = session.get_one(Entry, sale.entry_id)
    assert (entry.kind, entry.origin, entry.origin_id) == ("gift", "market.sale", sale.id)
    assert set(session.scalars(select(EntryLine.amount).where(EntryLine.entry_id == entry.id))) == {123_450}


def test_without_a_standing_agreement_there_is_no_sale(session: Session, office: Office) -> None:
    before = office.shop.today - timedelta(days=1)
    with pytest.raises(Invalid) as refused:
        plan(session, office, held_on=before)
    assert refused.value.field == "held_on"
    with pytest.raises(Invalid) as refused:
        plan_on(session, office, 10**12)
    assert refused.value.field == "agreement_id"
    sale = plan(session, office)
    with pytest.raises(market.SaleKnown):
        plan(session, office)
    assert plan_on(session, office, sale.agreement_id).id != sale.id


def plan_on(session: Session, office: Office, agreement_id: int) -> Sale:
    """A sale on this agreement."""
    draft = market.SaleDraft("义卖", "广场", office.shop.today, agreement_id, office.shop.general.id)
    return market.plan_sale(session, draft, actor=office.clerk, now=clock.now(session))


def test_one_person_counts_once_and_a_key_never(session: Session, office: Office) -> None:
    sale = plan(session, office)
    count(session, office, sale, 0, 100)
    with pytest.raises(SamePersonCounted):
        count(session, office, sale, 0, 100)
    machine = replace(office.clerk, user_id=None, api_key_id=1)
    with pytest.raises(NotAllowed):
        market.count_sale(session, sale.id, 100, actor=machine, now=clock.now(session))
    assert sale.second_by is None


def test_two_who_differ_both_count_again(session: Session, office: Office) -> None:
    sale = plan(session, office)
    count(session, office, sale, 0, 100)
    count(session, office, sale, 1, 101)
    assert (sale.state, sale.first_fen, sale.recounts) == ("planned", None, 1)
    count(session, office, sale, 1, 101)
    count(session, office, sale, 0, 101)
    assert (sale.state, sale.first_fen, sale.second_fen) == ("counted", 101, 101)


def test_a_sale_of_tomorrow_is_not_counted_and_a_counted_one_not_called_off(session: Session, office: Office) -> None:
    tomorrow = plan(session, office, held_on=office.shop.today + timedelta(days=1))
    with pytest.raises(NotOverYet):
        count(session, office, tomorrow, 0, 100)
    market.cancel_sale(session, tomorrow.id, actor=office.clerk)
    assert tomorrow.state == "cancelled"


def test_what_somebody_counted_is_called_off_no_more(session: Session, office: Office) -> None:
    sale = plan(session, office)
    count(session, office, sale, 0, 100)
    with pytest.raises(SaleNotThere):
        market.cancel_sale(session, sale.id, actor=office.clerk)


def test_nothing_taken_is_banked_without_an_entry(session: Session, office: Office) -> None:
    sale = counted(session, office, 0)
    market.bank_sale(session, sale.id, 0, office.bank.id, actor=office.clerk, now=clock.now(session))
    assert (sale.state, sale.entry_id) == ("banked", None)


def test_another_s_sale_is_not_there(session: Session, office: Office) -> None:
    sale = plan(session, office)
    stranger = replace(office.clerk, scope=Scope(communities=frozenset({-1})))
    with pytest.raises(NotFound):
        market.find_sale(session, sale.id, actor=stranger)
    assert market.list_sales(session, actor=stranger) == []


def test_the_database_knows_two_people_and_all_of_it(session: Session, office: Office) -> None:
    sale = counted(session, office)
    for change in (
        "second_by = first_by",
        "second_fen = 1",
        "state = 'banked', banked_at = dispatch_now()",
        "state = 'published', published_at = dispatch_now()",
        "first_fen = 1, second_fen = 1",
        "held_on = agreed_on - 1",
    ):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(f"UPDATE sales SET {change} WHERE id = :id"), {"id": sale.id})  # noqa: S608 - words of this file


def test_many_who_count_at_once_are_two_different_people(committed: Database) -> None:
    with committed.session() as session:
        office = make_office(session)
        sale_id = plan(session, office).id
        session.commit()
    people = [office.shop.counters[place % 2] for place in range(6)]
    start = Barrier(len(people))

    def enter(place: int) -> bool:
        start.wait()
        try:
            with transaction(EVERYTHING) as session:
                market.count_sale(session, sale_id, 500, actor=people[place], now=clock.now(session))
        except DispatchError:
            return False
        return True

    with ThreadPoolExecutor(len(people)) as pool:
        assert sum(pool.map(enter, range(len(people)))) == 2
    with committed.session() as session:
        sale = session.get_one(Sale, sale_id)
        assert (sale.state, {sale.first_by, sale.second_by}) == (
            "counted",
            {one.user_id for one in office.shop.counters},
        )


def test_own_goods_wait_on_their_way_and_leave_the_books_for_what_was_taken(session: Session, office: Office) -> None:
    shop, now = office.shop, clock.now(session)
    soon, late = milk_of(session, shop, 4, 5), milk_of(session, shop, 6, 9)
    milk_of(session, shop, 9, 9, earmark_id=shop.wish.id)
    take_in(session, shop, shop.coat, 3)
    sale = plan(session, office)
    bring = {"actor": shop.keeper, "now": now}
    with pytest.raises(NotEnough):
        selling.bring_own(session, sale.id, shop.facility.id, shop.milk.id, 11, **bring)
    milk = selling.bring_own(session, sale.id, shop.facility.id, shop.milk.id, 10, **bring)
    coat = selling.bring_own(session, sale.id, shop.facility.id, shop.coat.id, 3, **bring)
    theirs = selling.bring_others(session, sale.id, SaleSource.PARTNER, "手套", 20, actor=office.clerk)
    settle(session)
    assert (left(session, soon), left(session, late)) == ({}, {})
    with pytest.raises(Invalid):
        market.cancel_sale(session, sale.id, actor=office.clerk)
    for person in (0, 1):
        count(session, office, sale, person, 9_900)
    with pytest.raises(Invalid) as refused, session.begin_nested():
        market.bank_sale(session, sale.id, 9_900, office.bank.id, actor=office.clerk, now=now)
    assert refused.value.field == "lines"
    for line, sold in ((milk, 8), (coat, 0), (theirs, 20)):
        selling.settle_line(session, line.id, sold, **bring)
    with pytest.raises(SaleNotThere):
        selling.settle_line(session, milk.id, 9, **bring)
    market.bank_sale(session, sale.id, 9_900, office.bank.id, actor=office.clerk, now=now)
    settle(session)
    assert left(session, soon) == {"quarantine": 2}
    entry = session.get_one(Entry, sale.entry_id)
    amounts = select(EntryLine.amount).where(EntryLine.entry_id == entry.id)
    assert (entry.kind, sorted(session.scalars(amounts))) == ("sale", [-8, -8, 9_900, 9_900])
    assert list(wrong_stock(session)) == []
    sold = [(line.words, line.sold) for line, _ in selling.sold_of_sales(session, [sale.id])[sale.id]]
    assert sold == [("牛奶", 8), ("手套", 20)]


def test_nothing_past_its_day_is_sold_and_the_database_knows_what_was_sold_once(
    session: Session, office: Office
) -> None:
    shop, now = office.shop, clock.now(session)
    milk_of(session, shop, 4, -1)
    sale = plan(session, office)
    with pytest.raises(NotEnough):
        selling.bring_own(session, sale.id, shop.facility.id, shop.milk.id, 1, actor=shop.keeper, now=now)
    line = selling.bring_others(session, sale.id, SaleSource.CONSIGNED, "毛衣", 5, actor=office.clerk)
    selling.settle_line(session, line.id, 2, actor=office.clerk, now=now)
    for statement in (
        "UPDATE sale_lines SET sold = 3 WHERE id = :id",
        "UPDATE sale_lines SET brought = 9 WHERE id = :id",
        "DELETE FROM sale_lines WHERE id = :id",
    ):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement), {"id": line.id})

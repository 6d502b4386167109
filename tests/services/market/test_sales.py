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
from dispatch.rules.market.sales import NotOverYet, SaleNotThere, SamePersonCounted
from dispatch.services import market
from dispatch.transaction import transaction
from tests.conftest import Database
from tests.factories.gifts import Office, make_office, plan


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

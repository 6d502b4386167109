"""Two keepers and the last fen: real commits, real threads, one winner, no circle."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from dispatch import clock
from dispatch.errors import DispatchError
from dispatch.models.access import Organisation
from dispatch.models.funds import Balance, BankOpenEntry, Entry
from dispatch.rules.access.roles import EVERYTHING, SYSTEM
from dispatch.rules.funds.booking import Booking
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.services import funds
from dispatch.services.funds import AlreadyPosted, AlreadyReversed, NotEnough, SpendingDecided
from dispatch.transaction import transaction
from tests.factories.access import make_organisation
from tests.factories.funds import Treasury, give, make_treasury, spend
from tests.factories.world import set_policies, user

KEEPERS = 8


@pytest.fixture
def treasury(committed: object) -> Treasury:
    """A treasury, committed for real."""
    assert committed
    with transaction(EVERYTHING) as session:
        district = make_organisation(session, "district", name="莲都区")
        return make_treasury(session, make_organisation(session, "community", district, name="后庆社区").id)


def at_once(work: Callable[[int], object], times: int = KEEPERS) -> list[object]:
    """Do the work at the same moment in threads; what each gives or raises."""
    barrier = Barrier(times)

    def one(number: int) -> object:
        barrier.wait()
        try:
            return work(number)
        except DispatchError as error:
            return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def balances() -> set[int]:
    """Every balance that there is."""
    with transaction(EVERYTHING) as session:
        return set(session.scalars(select(Balance.amount)))


def test_of_eight_keepers_who_spend_the_last_fen_one_does(treasury: Treasury) -> None:
    for _ in range(5):
        with transaction(EVERYTHING) as session:
            give(session, treasury, 1)

        def spend_it(_: int) -> int:
            with transaction(EVERYTHING) as session:
                return spend(session, treasury, 1).id

        answers = at_once(spend_it)
        assert sum(isinstance(answer, int) for answer in answers) == 1
        assert sum(isinstance(answer, NotEnough) for answer in answers) == KEEPERS - 1
        assert balances() == {0}


def test_postings_at_once_make_one_chain_without_a_gap_and_in_the_order_of_their_ids(treasury: Treasury) -> None:
    def give_twice(number: int) -> int:
        with transaction(EVERYTHING) as session:
            fund = (treasury.general, treasury.overseas)[number % 2]
            give(session, treasury, number + 1, fund=fund)
            return give(session, treasury, number + 1, fund=(treasury.overseas, treasury.general)[number % 2]).seq

    assert all(isinstance(answer, int) for answer in at_once(give_twice))
    with transaction(EVERYTHING) as session:
        rows = session.execute(select(Entry.seq, Entry.previous, Entry.digest).order_by(Entry.id)).all()
    assert [row.seq for row in rows] == list(range(1, 2 * KEEPERS + 1))
    assert [row.previous for row in rows[1:]] == [row.digest for row in rows[:-1]]


def test_one_origin_and_one_mistake_are_each_booked_once(treasury: Treasury) -> None:
    def book(_: int) -> int:
        with transaction(EVERYTHING) as session:
            return give(session, treasury, 100, origin="market.gift", origin_id=1).id

    answers = at_once(book)
    (entry_id,) = [answer for answer in answers if isinstance(answer, int)]
    assert sum(isinstance(answer, AlreadyPosted) for answer in answers) == KEEPERS - 1

    def take_back(_: int) -> int:
        with transaction(EVERYTHING) as session:
            return funds.reverse(session, entry_id, words="重复", actor=SYSTEM, now=clock.now(session)).id

    answers = at_once(take_back)
    assert sum(isinstance(answer, AlreadyReversed) for answer in answers) == KEEPERS - 1
    with transaction(EVERYTHING) as session:
        assert session.scalars(select(func.count(Entry.id))).one() == 2


def test_of_eight_who_approve_one_spending_one_does(treasury: Treasury) -> None:
    with transaction(EVERYTHING) as session:
        give(session, treasury, 100)
        set_policies(session, session.get_one(Organisation, treasury.community_id))
        people = [replace(SYSTEM, user_id=user(session).id) for _ in range(KEEPERS)]
        booking = Booking(EntryKind.SPEND, treasury.general.id, treasury.till.id, 10, purpose=Purpose.RUNNING)
        asked = funds.ask_spending(session, booking, actor=SYSTEM, now=clock.now(session)).id

    def approve(number: int) -> int:
        with transaction(EVERYTHING) as session:
            return funds.approve_spending(session, asked, actor=people[number], now=clock.now(session)).id

    results = at_once(approve)
    assert results.count(asked) == 1
    assert sum(isinstance(one, SpendingDecided) for one in results) == KEEPERS - 1
    assert balances() == {90}


def test_an_entry_that_is_matched_while_it_is_taken_back_is_one_or_the_other(treasury: Treasury) -> None:
    month = (clock.today(datetime.now(UTC)).replace(day=1) - timedelta(days=1)).replace(day=1)
    with transaction(EVERYTHING) as session:
        set_policies(session, session.get_one(Organisation, treasury.community_id))
        new = funds.NewStatement(treasury.bank.id, month, 0, 500, f"日期,金额\n{month},5.00".encode())
        made = funds.import_statement(session, new, actor=SYSTEM, now=clock.now(session))
        line = funds.view_statement(session, made.id, actor=SYSTEM).lines[0].line.id
        gift = give(session, treasury, 500, holding=treasury.bank, happened_on=month).id

    def either(number: int) -> object:
        with transaction(EVERYTHING) as session:
            now = clock.now(session)
            if number % 2:
                return funds.match_entries(session, line, [gift], actor=SYSTEM, now=now).id
            return funds.reverse(session, gift, words="写错", actor=SYSTEM, now=now).id

    results = at_once(either, 4)
    with transaction(EVERYTHING) as session:
        view = funds.view_statement(session, made.id, actor=SYSTEM)
        undone = session.scalars(select(Entry.id).where(Entry.reverses_id == gift)).all()
        open_now = session.scalars(select(BankOpenEntry.entry_id)).all()
    matched = bool(view.lines[0].entries)
    assert open_now == (undone if matched else [])
    assert len(undone) == 1, results

"""Two keepers and the last fen: real commits, real threads, one winner, no circle."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from dispatch import clock
from dispatch.errors import DispatchError
from dispatch.models.funds import Balance, Entry
from dispatch.rules.access.roles import EVERYTHING, SYSTEM
from dispatch.services import funds
from dispatch.services.funds import AlreadyPosted, AlreadyReversed, NotEnough
from dispatch.transaction import transaction
from tests.factories.access import make_organisation
from tests.factories.funds import Treasury, give, make_treasury, spend

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

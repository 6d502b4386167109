"""Races with real commits: two keepers and the last piece, many and a few, a count and whoever still takes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError
from dispatch.models.market import Movement, StockMove
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.market.picking import NotEnough
from dispatch.services import market
from dispatch.services.market import BeingCounted
from dispatch.transaction import ChangedAtCommit, transaction
from tests.conftest import Database
from tests.factories.market import Shop, hand_out, left, make_shop, milk_of


@pytest.fixture
def open_shop(committed: Database) -> Shop:
    """A supermarket that is committed for real."""
    assert committed.name
    with transaction(EVERYTHING) as session:
        return make_shop(session)


def at_once(works: list[Callable[[Session], object]]) -> list[object]:
    """Run all works at the same moment, each in a thread and a transaction of its own; what each gives or raises."""
    barrier = Barrier(len(works))

    def one(work: Callable[[Session], object]) -> object:
        barrier.wait()
        try:
            with transaction(EVERYTHING) as session:
                return work(session)
        except DispatchError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def test_two_keepers_take_the_last_piece(open_shop: Shop) -> None:
    with transaction(EVERYTHING) as session:
        lot = milk_of(session, open_shop, 1, 3)
    results = at_once([lambda session: hand_out(session, open_shop, open_shop.milk, 1)] * 2)
    assert sorted(type(one).__name__ for one in results) == ["MovedOut", "NotEnough"]
    with transaction(EVERYTHING) as session:
        assert left(session, lot) == {}
        assert session.scalar(select(func.count()).where(StockMove.kind == "parcel")) == 1


def test_many_take_a_few_and_none_is_taken_twice_or_left(open_shop: Shop) -> None:
    with transaction(EVERYTHING) as session:
        first, second = milk_of(session, open_shop, 3, 1), milk_of(session, open_shop, 4, 5)
    results = at_once([lambda session: hand_out(session, open_shop, open_shop.milk, 2)] * 6)
    taken = [one for one in results if isinstance(one, market.MovedOut)]
    assert len(taken) == 3
    assert all(isinstance(one, NotEnough) for one in results if one not in taken)
    with transaction(EVERYTHING) as session:
        assert (left(session, first), left(session, second)) == ({}, {"store": 1})
        out = session.scalar(select(func.sum(Movement.amount)).where(Movement.amount < 0))
        assert out == -6


def test_whoever_takes_while_a_count_begins_is_counted_or_refused(open_shop: Shop) -> None:
    with transaction(EVERYTHING) as session:
        lot = milk_of(session, open_shop, 5, 3)

    def begin(session: Session) -> object:
        return market.open_count(session, open_shop.facility.id, actor=open_shop.approver, now=clock.now(session))

    results = at_once([begin, *[lambda session: hand_out(session, open_shop, open_shop.milk, 1)] * 4])
    gone = sum(isinstance(one, market.MovedOut) for one in results)
    assert all(isinstance(one, market.MovedOut | BeingCounted | ChangedAtCommit) for one in results[1:])
    with transaction(EVERYTHING) as session:
        count = market.open_count_of(session, open_shop.facility.id)
        assert count is not None
        assert left(session, lot) == {"store": 5 - gone}
        assert [line.book for line in market.lines_of(session, count.id)] == [5 - gone]

"""Races about pledges with real commits: fetched once, kept once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from dispatch import clock
from dispatch.errors import DispatchError
from dispatch.models.market import Pledge
from dispatch.models.orders import Order
from dispatch.rules.access.roles import EVERYTHING, Role
from dispatch.services import market
from dispatch.transaction import transaction
from tests.conftest import Database
from tests.factories.giving import fetch_kind, goods_promise, make_pledge, pledge_draft
from tests.factories.world import make_world, staff

AT_ONCE = 6


def test_many_who_fetch_at_once_place_one_order(committed: Database) -> None:
    with committed.session() as session:
        world = make_world(session)
        fetch_kind(session, world)
        pledge_id = make_pledge(session, world, now=clock.now(session)).id
        actors = [staff(session, world, Role.OPERATOR) for _ in range(AT_ONCE)]
        session.commit()
    start = Barrier(AT_ONCE)

    def fetch(place: int) -> bool:
        start.wait()
        try:
            with transaction(EVERYTHING) as session:
                market.fetch_pledge(session, pledge_id, actor=actors[place], now=clock.now(session))
        except DispatchError:
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(fetch, range(AT_ONCE))) == 1
    with committed.session() as session:
        assert session.scalars(select(func.count()).where(Order.origin == "market.pledge")).one() == 1
        assert session.get_one(Pledge, pledge_id).state == "fetching"


@pytest.mark.parametrize("key", ["desk:0123456789abcdef"])
def test_one_form_sent_many_times_at_once_is_one_pledge(committed: Database, key: str) -> None:
    with committed.session() as session:
        world = make_world(session)
        said = goods_promise(world, form_key=key)
        session.commit()
    start = Barrier(AT_ONCE)

    def take(_place: int) -> int:
        start.wait()
        with transaction(EVERYTHING) as session:
            actor = staff(session, world, Role.OPERATOR)
            return market.take_pledge(
                session, world.community.id, pledge_draft(said), actor=actor, now=clock.now(session)
            ).id

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert len(set(pool.map(take, range(AT_ONCE)))) == 1
    with committed.session() as session:
        assert session.scalars(select(func.count(Pledge.id))).one() == 1

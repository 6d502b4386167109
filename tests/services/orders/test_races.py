"""Races with real commits and threads: many accept at once, accept against lapse, two routers, one key twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from dispatch.errors import DispatchError
from dispatch.models.notify import Notice
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.rules.access.roles import EVERYTHING, Role
from dispatch.services import orders
from dispatch.services.access import vault
from dispatch.services.orders import OrderDraft
from dispatch.transaction import transaction
from tests.conftest import Database
from tests.factories.world import World, make_world, staff

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PHONES = 20


def offered(given: str, firms: int) -> tuple[Order, list[str]]:
    """An order that is offered, committed for real, and the tokens of its open round."""
    with transaction(EVERYTHING) as session:
        world = make_world(session, firms=firms)
        world.plumbing.given = given
    order = place(world)
    with transaction(EVERYTHING) as session:
        orders.route(session, order.id, now=NOW)
    with transaction(EVERYTHING) as session:
        rows = session.execute(
            select(Notice.dedupe, Notice.secret).where(Notice.order_id == order.id, Notice.template == "offer")
        ).all()
        return order, [vault.open_sealed(f"notices.secret.{dedupe}", secret) for dedupe, secret in rows]


def place(world: World) -> Order:
    """A placed order of a world, committed."""
    with transaction(EVERYTHING) as session:
        draft = OrderDraft("堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id)
        return orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=NOW)


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Run all works at the same moment in threads; what each gives or raises."""
    barrier = Barrier(len(works))

    def one(work: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return work()
        except DispatchError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def accepting(token: str) -> Callable[[], object]:
    """An accept in a transaction of its own."""

    def work() -> object:
        with transaction(EVERYTHING) as session:
            return orders.accept(session, token, now=NOW).number

    return work


@pytest.mark.usefixtures("committed")
def test_of_twenty_phones_that_accept_at_once_one_gets_the_order() -> None:
    order, tokens = offered("offer_all", firms=PHONES)
    assert len(tokens) == PHONES
    answers = at_once([accepting(token) for token in tokens])
    assert answers.count(order.number) == 1
    assert sum(isinstance(answer, orders.OfferTaken) for answer in answers) == PHONES - 1
    with transaction(EVERYTHING) as session:
        accepted = session.scalars(select(OfferRecipient).where(OfferRecipient.outcome == "accepted")).all()
        assert len(accepted) == 1
        assert session.get_one(Order, order.id).performer_id == accepted[0].performer_id


@pytest.mark.usefixtures("committed")
def test_accept_against_lapse_has_one_winner() -> None:
    for _ in range(10):
        order, (token,) = offered("offer_one", firms=1)
        with transaction(EVERYTHING) as session:
            offer = session.scalars(select(Offer).where(Offer.order_id == order.id)).one()

        def lapse(offer: Offer = offer) -> object:
            with transaction(EVERYTHING) as session:
                orders.lapse(session, offer.id, now=NOW + timedelta(minutes=10))
            return None

        at_once([accepting(token), lapse])
        with transaction(EVERYTHING) as session:
            fresh = session.get_one(Offer, offer.id)
            state = session.get_one(Order, order.id).state
            assert (fresh.outcome, state) in {("accepted", "accepted"), ("lapsed", "offered")}


@pytest.mark.usefixtures("committed")
def test_two_routers_open_one_round() -> None:
    with transaction(EVERYTHING) as session:
        world = make_world(session)
    order = place(world)

    def route() -> object:
        with transaction(EVERYTHING) as session:
            orders.route(session, order.id, now=NOW)
        return None

    at_once([route] * 4)
    with transaction(EVERYTHING) as session:
        assert session.scalar(select(func.count()).select_from(Offer).where(Offer.order_id == order.id)) == 1


def test_the_committed_fixture_is_a_database_of_its_own(committed: Database) -> None:
    with transaction(EVERYTHING) as session:
        assert session.scalar(select(func.current_database())) == committed.name

"""Papers that do not hold on the day wanted: nothing is offered, by the router or by hand, and nothing accepted."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.catalogue import Paper
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.queue import Job
from dispatch.rules.access.roles import Role
from dispatch.rules.catalogue.papers import days_wanted
from dispatch.services import orders
from tests.factories.world import World, bump, make_world, set_policies, staff
from tests.rules.catalogue.test_papers import MOMENTS, PAPERS, fit
from tests.services.orders.test_life import NOW, Links, draft, routed

FIRMS = 5
MODES = ("offer_one", "offer_first_three", "offer_all")
WINDOWS = st.none() | st.tuples(st.integers(1, 60), st.integers(1, 48))


def with_papers(session: Session, world: World, held: list[list[tuple[str, date, date]]]) -> None:
    """Give the firms these papers instead of those they have."""
    session.execute(delete(Paper).where(Paper.performer_id.in_([one.id for one in world.firms])))
    rows = [
        {"performer_id": one.id, "kind": kind, "number": str(place), "valid_from": first, "valid_until": last}
        for one, papers in zip(world.firms, held, strict=True)
        for place, (kind, first, last) in enumerate(papers)
    ]
    if rows:
        session.execute(insert(Paper), rows)
    bump(session, world.community)


def asked(session: Session, order: Order) -> set[int]:
    """Everybody who was offered the order in any round."""
    query = select(OfferRecipient.performer_id).join(Offer, Offer.id == OfferRecipient.offer_id)
    return set(session.scalars(query.where(Offer.order_id == order.id)))


def lapse_all(session: Session, order: Order, at: datetime) -> datetime:
    """Let rounds lapse and follow each other until the desk has the order; the moment of the end."""
    while order.state == "offered":
        offer = session.scalars(select(Offer).where(Offer.order_id == order.id, Offer.closed_at.is_(None))).one()
        at = offer.hold_until
        orders.lapse(session, offer.id, now=at)
        session.flush()
        orders.route(session, order.id, now=at)
        session.refresh(order)
    return at


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(PAPERS, min_size=FIRMS, max_size=FIRMS),
    needed=st.sets(st.sampled_from(["营业执照", "电工证"])),
    at=MOMENTS,
    how=st.tuples(WINDOWS, st.sampled_from(MODES)),
)
def test_whoever_lacks_a_valid_paper_is_asked_in_no_round_and_not_by_hand(
    session: Session,
    held: list[list[tuple[str, date, date]]],
    needed: set[str],
    at: datetime,
    how: tuple[tuple[int, int] | None, str],
) -> None:
    window, mode = how
    world = make_world(session, firms=FIRMS)
    world.plumbing.papers, world.plumbing.given = sorted(needed), mode
    with_papers(session, world, held)
    wanted = {} if window is None else {"wanted_from": at + timedelta(hours=window[0])}
    if window is not None:
        wanted["wanted_until"] = wanted["wanted_from"] + timedelta(hours=window[1])
    order = orders.place(session, draft(world, **wanted), actor=staff(session, world, Role.OPERATOR), now=at)

    orders.route(session, order.id, now=at)
    session.refresh(order)
    end = lapse_all(session, order, at)

    latest, first = (days_wanted(order.wanted_from, order.wanted_until, moment) for moment in (end, at))
    kinds = frozenset(needed)
    at_first = {one.id for one, papers in zip(world.firms, held, strict=True) if fit(papers, kinds, *first)}
    at_last = {one.id for one, papers in zip(world.firms, held, strict=True) if fit(papers, kinds, *latest)}
    assert asked(session, order) <= at_first | at_last
    if mode == "offer_all":
        assert asked(session, order) >= at_first
    dispatcher = staff(session, world, Role.DISPATCHER)
    for one in world.firms:
        if one.id not in at_last:
            with pytest.raises(Invalid):
                orders.dispatch_by_hand(session, order, performer_id=one.id, reason="熟悉", actor=dispatcher, now=end)


def test_a_paper_that_ends_between_offer_and_acceptance_refuses_it_and_the_next_round_follows(
    session: Session, world: World, links: Links
) -> None:
    order = routed(session, world)
    ((first, token),) = links(order).items()
    session.execute(update(Paper).where(Paper.performer_id == first).values(valid_until=date(2026, 11, 22)))
    bump(session, world.community)

    with pytest.raises(orders.PapersEnded):
        orders.accept(session, token, now=NOW)
    orders.step_aside(session, token, now=NOW)
    orders.step_aside(session, token, now=NOW)

    assert order.state == "offered"
    assert [
        job.kind
        for job in session.scalars(
            select(Job).where(Job.reference == order.id, Job.kind == "orders.route", Job.dedupe.contains(":after:"))
        )
    ] == ["orders.route"]
    orders.route(session, order.id, now=NOW)
    assert set(links(order)) - {first} == set(links(order)) != set()
    with pytest.raises(orders.PapersEnded):
        orders.accept(session, token, now=NOW)


def test_at_midnight_an_offer_of_the_evening_is_refused_where_the_paper_ended_with_the_day(
    session: Session, world: World, links: Links
) -> None:
    session.execute(text("UPDATE papers SET valid_until = '2026-11-23'"))
    bump(session, world.community)
    evening = datetime(2026, 11, 23, 15, 55, tzinfo=UTC)
    order = orders.place(session, draft(world), actor=staff(session, world, Role.OPERATOR), now=evening)
    orders.route(session, order.id, now=evening)
    (token,) = links(order).values()
    midnight = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)

    with pytest.raises(orders.PapersEnded):
        orders.accept(session, token, now=midnight)
    assert orders.accept(session, token, now=midnight - timedelta(microseconds=1)).state == "accepted"


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_the_first_few_are_as_many_as_the_policy_says_and_those_ranked_first(session: Session, most: int) -> None:
    world = make_world(session, firms=5)
    for place, one in enumerate(world.firms):
        one.satisfaction_permille = 500 + 100 * place
    world.plumbing.given = "offer_first_three"
    set_policies(session, world.community, routing__first_offers=most)
    bump(session, world.community)
    order = orders.place(session, draft(world), actor=staff(session, world, Role.OPERATOR), now=NOW)
    order.organisation_id = world.community.id
    session.flush()
    orders.route(session, order.id, now=NOW)
    best = [one.id for one in reversed(world.firms)]
    assert asked(session, order) == set(best[:most])

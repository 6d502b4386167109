"""What routing is told of performers: each hard filter's fact, work of now and reserved work, few queries."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Performer
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.catalogue.papers import NEVER
from dispatch.rules.orders.decision import Considered, Filter, PerformerClass, RoutingRequest, Weights
from dispatch.rules.orders.panel import Panel
from dispatch.rules.orders.routing import decide_among
from dispatch.rules.orders.urgency import Urgency
from dispatch.services import catalogue
from tests.conftest import Database
from tests.factories.world import World, firm, make_world
from tests.statements import statements

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PACE = catalogue.Pace(minutes_per_job=60, metres_per_minute=250)


def request(world: World, **changes: object) -> RoutingRequest:
    """An order of the first stairwell, wanted now."""
    place = world.buildings[0]
    plain = RoutingRequest(
        order_id=1,
        kind_id=world.plumbing.id,
        kind_code=world.plumbing.code,
        urgency=Urgency.SAME_DAY,
        community_id=world.community.id,
        area_id=world.area.id,
        building_id=place.id,
        stairwell_id=world.stairwells[0].id,
        latitude=place.latitude,
        longitude=place.longitude,
        wanted_from=None,
        wanted_until=None,
        excluded=frozenset(),
        refused=frozenset(),
        performer_class=PerformerClass.FIRM,
        speciality_team_id=world.line.id,
        block_team_id=world.block.id,
        named_performer_id=None,
        round_number=1,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def panel(session: Session, asked: RoutingRequest) -> Panel:
    """The performers for one order."""
    return catalogue.performer_panels(session, [asked], now=NOW, pace=PACE)[asked.order_id]


def facts(session: Session, asked: RoutingRequest) -> dict[int, Considered]:
    """What is told for one order, by performer, with the filters that fail."""
    decision = decide_among(asked, panel(session, asked), Weights(), NOW)
    return {one.performer_id: one for one in decision.considered}


def test_a_firm_that_fits_has_all_facts(session: Session) -> None:
    world = make_world(session, firms=1)

    told = facts(session, request(world))[world.firms[0].id]

    assert told.failed == 0
    assert told.papers_valid_until == date(2099, 12, 31)
    assert (told.open_work, told.queue_minutes, told.capacity) == (0, 0, 5)
    assert told.travel_minutes == 1


def test_who_serves_another_kind_or_covers_another_community_is_told_as_such(session: Session) -> None:
    world = make_world(session, firms=1)
    other = firm(session, world.district, world.community, [world.gossip])
    elsewhere = make_world(session, firms=1)

    told = panel(session, request(world))

    assert told.standing.ids == (world.firms[0].id,)
    assert told.out == 1
    assert {other.id, elsewhere.firms[0].id}.isdisjoint(told.standing.ids)


def test_cover_of_one_area_or_one_kind_covers_only_that(session: Session) -> None:
    world = make_world(session, firms=1)
    only_gossip = firm(session, world.district, world.community, [world.plumbing, world.gossip])
    catalogue.set_coverage(
        session, only_gossip.id, world.community.id, [(world.area.id, world.gossip.id)], actor=SYSTEM
    )

    assert only_gossip.id not in facts(session, request(world))
    assert facts(session, request(world, kind_id=world.gossip.id))[only_gossip.id].failed == 0


def test_the_earliest_of_the_papers_held_counts_and_a_renewal_takes_its_place(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    short = catalogue.NewPaper(kind="电工证", number="1", valid_from=date(2026, 1, 1), valid_until=date(2026, 12, 1))
    catalogue.add_paper(session, it.id, short, actor=SYSTEM)
    assert facts(session, request(world))[it.id].papers_valid_until == date(2026, 12, 1)

    longer = catalogue.NewPaper(kind="电工证", number="2", valid_from=date(2026, 11, 1), valid_until=date(2028, 12, 1))
    catalogue.add_paper(session, it.id, longer, actor=SYSTEM)
    assert facts(session, request(world))[it.id].papers_valid_until == date(2028, 12, 1)


def test_a_paper_that_begins_later_is_not_valid_yet(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    later = catalogue.NewPaper(kind="电工证", number="1", valid_from=date(2026, 12, 24), valid_until=date(2028, 12, 1))
    catalogue.add_paper(session, it.id, later, actor=SYSTEM)

    assert facts(session, request(world))[it.id].papers_valid_until == NEVER
    assert facts(session, request(world))[it.id].failed == Filter.PAPERS_VALID
    tomorrow = {"wanted_from": NOW + timedelta(days=40), "wanted_until": NOW + timedelta(days=40, hours=2)}
    assert facts(session, request(world, **tomorrow))[it.id].papers_valid_until == date(2028, 12, 1)


def test_the_shift_counts_at_the_time_that_is_wanted(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    catalogue.set_shifts(session, it.id, {"1": ["08:00-12:00"]}, actor=SYSTEM)

    evening = NOW + timedelta(hours=10)
    assert facts(session, request(world))[it.id].failed == 0
    booked = request(world, wanted_from=evening, wanted_until=evening + timedelta(hours=2))
    assert facts(session, booked)[it.id].failed == Filter.ON_SHIFT


def test_a_suspension_counts_until_it_ends(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    catalogue.suspend(session, it.id, NOW + timedelta(hours=3), reason="两次投诉", actor=SYSTEM, now=NOW)
    later = NOW + timedelta(hours=4)

    assert facts(session, request(world))[it.id].failed == Filter.NOT_SUSPENDED
    booked = request(world, wanted_from=later, wanted_until=later + timedelta(hours=1))
    assert facts(session, booked)[it.id].failed == 0
    catalogue.end_suspension(session, it.id, reason="整改好了", actor=SYSTEM, now=NOW)
    assert facts(session, request(world))[it.id].failed == 0


def test_each_change_gives_performer_and_catalogue_a_new_version(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    before = catalogue.versions(session, [world.community.id])[world.community.id]

    catalogue.set_capacity(session, it.id, 1, version=it.version, actor=SYSTEM)

    assert facts(session, request(world))[it.id].version == 2
    assert catalogue.versions(session, [world.community.id])[world.community.id] > before
    with pytest.raises(catalogue.PerformerChanged):
        catalogue.set_capacity(session, it.id, 3, version=1, actor=SYSTEM)


def test_a_teams_worker_works_for_the_teams_of_the_order_only(session: Session) -> None:
    world = make_world(session, firms=0)
    own = worker(session, world, world.line.id)
    stranger = worker(session, world, make_line(session, world))

    told = facts(session, request(world, performer_class=PerformerClass.TEAM_WORKER))

    assert own.id in told
    assert stranger.id not in told


def test_a_named_performer_is_told_alone(session: Session) -> None:
    world = make_world(session, firms=3)
    named = request(world, performer_class=PerformerClass.NAMED, named_performer_id=world.firms[1].id)

    assert [*facts(session, named)] == [world.firms[1].id]


def test_open_work_makes_busy_and_reserved_work_does_not(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    tomorrow = NOW + timedelta(days=1)
    insert_order(session, world, it.id, None)
    insert_order(session, world, it.id, tomorrow)

    now = facts(session, request(world))[it.id]
    assert (now.open_work, now.queue_minutes) == (1, 60)
    booked = request(world, wanted_from=tomorrow, wanted_until=tomorrow + timedelta(hours=1))
    then = facts(session, booked)[it.id]
    assert (then.open_work, then.queue_minutes) == (1, 60)
    quiet = request(world, wanted_from=tomorrow + timedelta(hours=5), wanted_until=tomorrow + timedelta(hours=6))
    assert facts(session, quiet)[it.id].open_work == 0


@pytest.mark.parametrize("firms", [1, 40])
def test_three_queries_do_for_any_number_of_performers_and_orders(session: Session, firms: int) -> None:
    world = make_world(session, firms=firms)
    orders = [request(world, order_id=number) for number in range(30)]

    with statements(session) as cold:
        catalogue.performer_panels(session, orders, now=NOW, pace=PACE)
    with statements(session) as warm:
        told = catalogue.performer_panels(session, orders, now=NOW, pace=PACE)

    assert len(cold) == 3
    assert len(warm) == 2
    assert {len(one.standing.ids) for one in told.values()} == {firms}


def test_a_hundred_orders_by_two_hundred_performers_are_told_of_each(session: Session) -> None:
    world = make_world(session, firms=0)
    for number in range(200):
        firm(session, world.district, world.community, [world.plumbing if number % 4 == 0 else world.gossip])
    orders = [request(world, order_id=number) for number in range(100)]
    catalogue.performer_panels(session, orders, now=NOW, pace=PACE)

    told = catalogue.performer_panels(session, orders, now=NOW, pace=PACE)

    assert sum(len(one.standing.ids) for one in told.values()) == 5_000
    assert sum(one.out for one in told.values()) == 15_000


def test_a_rolled_back_change_is_not_kept(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    facts(session, request(world))
    undone = session.begin_nested()
    catalogue.set_capacity(session, it.id, 1, actor=SYSTEM)
    assert facts(session, request(world))[it.id].capacity == 1
    undone.rollback()
    assert facts(session, request(world))[it.id].capacity == 5
    catalogue.set_shifts(session, it.id, {}, actor=SYSTEM)

    told = facts(session, request(world))[it.id]

    assert (told.capacity, told.failed) == (5, Filter.ON_SHIFT)


def test_a_change_committed_by_another_process_is_seen_at_once(committed: Database) -> None:
    with committed.session() as first, committed.session() as second:
        world = make_world(first, firms=1)
        first.commit()
        it = world.firms[0]
        assert facts(first, request(world))[it.id].failed == 0
        first.commit()
        catalogue.suspend(second, it.id, NOW + timedelta(hours=3), reason="投诉", actor=SYSTEM, now=NOW)
        assert facts(first, request(world))[it.id].failed == 0
        second.commit()

        assert facts(first, request(world))[it.id].failed == Filter.NOT_SUSPENDED


def test_open_offers_count_as_work_until_they_are_answered(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    order = insert_order(session, world, None, None, state="offered")
    offer = session.execute(
        insert(Offer)
        .values(
            community_id=world.community.id,
            order_id=order,
            round=1,
            cycle=1,
            mode="offer_one",
            opened_at=NOW,
            hold_until=NOW + timedelta(minutes=10),
        )
        .returning(Offer.id)
    ).scalar_one()
    session.execute(
        insert(OfferRecipient).values(
            community_id=world.community.id, offer_id=offer, performer_id=it.id, link_hash=uuid4().bytes
        )
    )
    assert facts(session, request(world))[it.id].open_work == 1

    session.execute(update(OfferRecipient).where(OfferRecipient.offer_id == offer).values(outcome="declined"))
    assert facts(session, request(world))[it.id].open_work == 0


def test_the_time_since_the_last_offer_is_told_in_minutes(session: Session) -> None:
    world = make_world(session, firms=1)
    it = world.firms[0]
    assert facts(session, request(world))[it.id].last_offered_minutes_ago == 365 * 24 * 60

    session.execute(update(Performer).where(Performer.id == it.id).values(last_offered_at=NOW - timedelta(minutes=7)))

    assert facts(session, request(world))[it.id].last_offered_minutes_ago == 7


def worker(session: Session, world: World, team_id: int) -> Performer:
    """A team's worker who serves the first kind everywhere in the community."""
    return firm(
        session,
        world.district,
        world.community,
        [world.plumbing],
        kind="team_worker",
        community_id=world.community.id,
        team_id=team_id,
        channel="app",
    )


def make_line(session: Session, world: World) -> int:
    """Another line team of the community."""
    return session.execute(
        text(
            "INSERT INTO teams (community_id, kind, code, name, speciality, head_name) "
            "VALUES (:community, 'line', :code, '另一队', :code, '队长') RETURNING id"
        ),
        {"community": world.community.id, "code": uuid4().hex},
    ).scalar_one()


def insert_order(
    session: Session, world: World, performer_id: int | None, wanted_from: datetime | None, state: str = "accepted"
) -> int:
    """An order in a state; its history's keys are checked at the commit that never comes."""
    return session.execute(
        insert(Order)
        .values(
            number=uuid4().hex,
            organisation_id=world.district.id,
            community_id=world.community.id,
            service_id=world.plumbing.id,
            state=state,
            urgency="same_day",
            source="hotline",
            description="漏水",
            address_text="",
            place_outcome="area",
            area_id=world.area.id,
            performer_id=performer_id,
            wanted_from=wanted_from,
            wanted_until=wanted_from + timedelta(hours=1) if wanted_from else None,
            chain_head=b"\0" * 32,
        )
        .returning(Order.id)
    ).scalar_one()

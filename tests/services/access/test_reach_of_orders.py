"""Which orders each role sees, on real rows: the own community, and the narrower parts of it."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.grid import Area
from dispatch.models.orders import Assignment, Order
from dispatch.rules.access.roles import NOTHING, Actor, ActorKind, Role, Scope
from dispatch.services import orders
from dispatch.services.access import reach
from dispatch.services.orders import OrderDraft
from dispatch.transaction import begin
from tests.factories.world import World, make_world, staff, team


def place(session: Session, world: World, **changes: object) -> Order:
    draft = OrderDraft(
        service_id=world.gossip.id,
        service_code=None,
        description="楼道里吵架",
        stairwell_id=world.stairwells[0].id,
    )
    operator = staff(session, world, Role.OPERATOR)
    made = orders.place(session, draft, actor=operator, now=clock.now(session))
    for name, value in changes.items():
        setattr(made, name, value)
    session.flush()
    return made


@pytest.fixture
def world(session: Session) -> World:
    return make_world(session)


def second_area(session: Session, world: World) -> Area:
    made = Area(community_id=world.community.id, number=2, name="二片区", latitude=28.46, longitude=119.92)
    session.add(made)
    session.flush()
    return made


def scope_of(world: World) -> Scope:
    return Scope(organisations=frozenset({world.community.id}), communities=frozenset({world.community.id}))


def narrow(world: World, **part: object) -> Actor:
    actor = Actor(kind=ActorKind.TEAM, organisation_id=world.community.id, scope=scope_of(world), narrowed=True)
    return replace(actor, **part)  # type: ignore[arg-type]


def seen(session: Session, actor: Actor) -> set[int]:
    return set(session.scalars(select(Order.id).where(reach.visible_orders(actor))))


def test_another_community_s_orders_are_out_of_reach(session: Session, world: World) -> None:
    mine, theirs = place(session, world), place(session, make_world(session))
    assert seen(session, staff(session, world, Role.DISPATCHER)) == {mine.id}
    assert theirs.id not in seen(session, narrow(world, narrowed=False))
    assert seen(session, Actor(kind=ActorKind.OPERATOR, scope=NOTHING)) == set()


def test_the_fence_of_the_database_hides_them_even_from_a_query_without_a_condition(
    session: Session, world: World
) -> None:
    mine = place(session, world)
    place(session, make_world(session))
    begin(session, scope_of(world))
    assert session.scalars(select(Order.id)).all() == [mine.id]
    begin(session, NOTHING)
    assert session.scalars(select(Order.id)).all() == []


def test_an_order_without_a_place_is_its_desk_s_only(session: Session, world: World) -> None:
    draft = OrderDraft(service_id=world.gossip.id, service_code=None, description="吵架", address_text="说不清的地方")
    operator = staff(session, world, Role.OPERATOR)
    made = orders.place(session, draft, actor=operator, now=clock.now(session))
    assert made.community_id is None
    assert made.id in seen(session, operator)
    assert made.id not in seen(session, narrow(world, narrowed=False))


def test_an_area_chief_sees_the_own_area_only(session: Session, world: World) -> None:
    mine = place(session, world)
    other = place(session, world, area_id=second_area(session, world).id, stairwell_id=None, building_id=None)
    assert seen(session, narrow(world, areas=frozenset({world.area.id}))) == {mine.id}
    assert seen(session, narrow(world, areas=frozenset({world.area.id, other.area_id}))) == {mine.id, other.id}


def test_a_team_head_sees_what_the_team_leads_assists_or_is_accountable_for(session: Session, world: World) -> None:
    leads = place(session, world, lead_team_id=world.line.id, accountable_team_id=world.block.id)
    assists = place(session, world, lead_team_id=world.block.id, accountable_team_id=world.block.id)
    stranger = team(session, world.community, "line", speciality="other")
    place(session, world, lead_team_id=stranger.id, accountable_team_id=stranger.id)
    session.add(
        Assignment(community_id=world.community.id, order_id=assists.id, team_id=world.line.id, role="assist", cycle=1)
    )
    session.flush()
    assert seen(session, narrow(world, teams=frozenset({world.line.id}))) == {leads.id, assists.id}
    assert seen(session, narrow(world, teams=frozenset({world.block.id}))) == {leads.id, assists.id}


def test_a_performer_sees_the_own_work_only(session: Session, world: World) -> None:
    firm, other = world.firms[:2]
    mine = place(session, world, performer_id=firm.id)
    place(session, world, performer_id=other.id)
    place(session, world)
    assert seen(session, narrow(world, performer_id=firm.id)) == {mine.id}

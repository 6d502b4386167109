"""Which rows an actor may see: subtrees, the desk's own, the narrower view of area, team and performer."""

from dataclasses import replace

import pytest
from sqlalchemy import Select, column, select, table
from sqlalchemy.orm import Session

from dispatch.db import Base
from dispatch.models.access import AuditEntry
from dispatch.models.catalogue import Performer
from dispatch.models.grid import Area
from dispatch.models.orders import Order
from dispatch.rules.access.roles import EVERYTHING, NOTHING, Actor, ActorKind, Role, Scope
from dispatch.services.access import audit, reach
from tests.factories.access import make_actor, make_organisation

ONE_PLACE = Scope(organisations=frozenset({1}), communities=frozenset({1}))


def test_a_role_reaches_the_subtree_of_its_organisation_and_no_more(session: Session) -> None:
    district = make_organisation(session, "district")
    street = make_organisation(session, "street", district)
    one, two = (make_organisation(session, "community", parent) for parent in (street, district))
    branch = make_organisation(session, "branch", one)
    assert reach.communities_of(session, [district.id]) == {one.id, two.id}
    assert reach.communities_of(session, [street.id]) == {one.id}
    assert reach.scope_at(session, [one.id]) == Scope(
        organisations=frozenset({one.id, branch.id}), communities=frozenset({one.id})
    )
    assert reach.communities_of(session, [branch.id]) == frozenset()


def test_the_centre_stands_for_its_district(session: Session) -> None:
    district = make_organisation(session, "district")
    centre = make_organisation(session, "centre", district)
    community = make_organisation(session, "community", district)
    elsewhere = make_organisation(session, "community", make_organisation(session, "district"))
    scope = reach.scope_at(session, [centre.id])
    assert scope.communities == {community.id}
    assert scope.organisations == {district.id, centre.id, community.id}
    assert elsewhere.id not in scope.communities


def test_the_canary_s_hidden_community_is_in_nobody_s_reach(session: Session) -> None:
    district = make_organisation(session, "district")
    hidden = make_organisation(session, "community", district, hidden=True)
    assert reach.scope_at(session, [district.id]).communities == frozenset()
    assert reach.scope_at(session, [hidden.id]) == NOTHING


def test_a_row_without_a_community_is_seen_by_its_desk_only(session: Session) -> None:
    centre, other = make_organisation(session, "centre"), make_organisation(session, "centre")
    community = make_organisation(session, "community")
    system = make_actor(Role.ADMIN, EVERYTHING)
    audit.record(session, "a.a", "x", 1, actor=system, organisation_id=centre.id)
    audit.record(session, "a.a", "x", 2, actor=system, organisation_id=centre.id, community_id=community.id)
    audit.record(session, "a.a", "x", 3, actor=system, organisation_id=other.id)

    def seen(scope: Scope) -> list[int | None]:
        actor = make_actor(Role.ADMIN, scope)
        query = select(AuditEntry.subject_id).where(AuditEntry.subject == "x").order_by(AuditEntry.id)
        return list(session.scalars(query.where(reach.visible(AuditEntry, actor))))

    assert seen(Scope(organisations=frozenset({centre.id}))) == [1]
    assert seen(Scope(communities=frozenset({community.id}))) == [2]
    assert seen(NOTHING) == []
    assert seen(EVERYTHING) == [1, 2, 3]


@pytest.mark.parametrize("model", [Area, Order, Performer, AuditEntry])
def test_a_table_s_condition_is_the_same_as_the_database_s_fence(session: Session, model: type[Base]) -> None:
    policies = table("pg_policies", column("tablename"), column("qual"))
    fence = session.execute(select(policies.c.qual).where(policies.c.tablename == model.__tablename__))
    wording = fence.scalar_one()
    condition = str(reach.visible(model, make_actor(Role.OPERATOR, ONE_PLACE)))
    for part in ("community_id IS NULL", "organisation_id"):
        assert (part in wording) == (part in condition)


def narrow(**fields: object) -> Actor:
    return replace(Actor(kind=ActorKind.TEAM, scope=ONE_PLACE, narrowed=True), **fields)  # type: ignore[arg-type]


def compiled(actor: Actor) -> str:
    query: Select[tuple[int]] = select(Order.id).where(reach.visible_orders(actor))
    return str(query)


@pytest.mark.parametrize(
    ("actor", "parts"),
    [
        (narrow(areas=frozenset({4})), ["orders.area_id = ANY"]),
        (
            narrow(teams=frozenset({5})),
            ["orders.lead_team_id = ANY", "orders.accountable_team_id = ANY", "assignments.team_id = ANY"],
        ),
        (narrow(performer_id=6), ["orders.performer_id ="]),
    ],
)
def test_narrow_roles_see_their_own_part_within_their_reach(actor: Actor, parts: list[str]) -> None:
    sql = compiled(actor)
    assert "orders.community_id = ANY" in sql
    for part in parts:
        assert part in sql


def test_a_narrow_actor_without_area_team_or_performer_sees_no_order(session: Session) -> None:
    assert session.scalars(select(Order.id).where(reach.visible_orders(narrow()))).all() == []
    assert "false" in compiled(narrow())

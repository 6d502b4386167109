"""Which rows an actor may see, as conditions for queries; row-level security is the second fence."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, any_, false, literal, or_, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.orm import Session

from dispatch.db import Base
from dispatch.models.orders import Assignment, Order
from dispatch.rules.access.roles import Actor, Right, Scope

# A 96345 centre is the district's: whoever stands at it reaches what the organisation above it holds.
# The hidden community of the canary is in nobody's reach.
SUBTREE = """
    SELECT coalesce(array_agg(reached.id), '{}') AS organisations,
           coalesce(array_agg(reached.id) FILTER (WHERE reached.kind = 'community'), '{}') AS communities
    FROM organisations AS reached
    WHERE NOT reached.is_hidden AND reached.path && ARRAY(
        SELECT CASE WHEN stand.kind = 'centre' THEN coalesce(stand.parent_id, stand.id) ELSE stand.id END
        FROM organisations AS stand WHERE stand.id = ANY (%s))
"""
SUBTREE_OF_IDS = text(SUBTREE % "CAST(:organisation_ids AS bigint[])")


def scope_at(session: Session, organisation_ids: Iterable[int]) -> Scope:
    """The reach of a role at these organisations: their subtrees (rules.md §1), without hidden ones."""
    row = session.execute(SUBTREE_OF_IDS, {"organisation_ids": list(organisation_ids)}).one()
    return Scope(organisations=frozenset(row.organisations), communities=frozenset(row.communities))


def communities_of(session: Session, organisation_ids: Iterable[int]) -> frozenset[int]:
    """The communities in the subtrees of these organisations, by their path."""
    return scope_at(session, organisation_ids).communities


def among(column: ColumnElement[Any], ids: frozenset[int]) -> ColumnElement[bool]:
    """column = ANY (ids), false for none; one parameter however many ids there are."""
    if not ids:
        return false()
    return column == any_(literal(sorted(ids), ARRAY(BIGINT)))


def visible(model: type[Base], actor: Actor) -> ColumnElement[bool]:
    """The rows of a table with `community_id` that the actor may see.

    A row without a community is its organisation's (the desk's); where the table knows no organisation it is
    everybody's, as a firm of the district is. The same rule stands in the database's fences.
    """
    if actor.scope.everything:
        return true()
    columns = model.__table__.c
    within = among(columns.community_id, actor.scope.communities)
    if "organisation_id" in columns:
        desk = among(columns.organisation_id, actor.scope.organisations)
        return or_(within, and_(columns.community_id.is_(None), desk))
    return or_(within, columns.community_id.is_(None)) if columns.community_id.nullable else within


def visible_orders(actor: Actor) -> ColumnElement[bool]:
    """The orders that the actor may see.

    Within the reach: an area chief the orders of the area, a team head those that the team leads, assists or
    is accountable for, a performer their own; everybody else all of it (issue “Access”).
    """
    reached = visible(Order, actor)
    return and_(reached, own_part(actor)) if actor.narrowed else reached


def opened(actor: Actor) -> ColumnElement[bool]:
    """The orders of which nothing is hidden from the actor: rules/orders/confidential.py as a condition.

    Whatever a query compares, counts or filters by a hidden part asks this first, else the answer tells it.
    """
    columns = Order.__table__.c
    if actor.user_id is None:
        return ~columns.confidential
    if actor.may(Right.ORDERS_CONFIDENTIAL):
        return true()
    return or_(~columns.confidential, columns.created_by == actor.user_id)


def own_part(actor: Actor) -> ColumnElement[bool]:
    """The orders of a narrowed actor's areas and teams, and those that the actor performs."""
    parts = []
    if actor.areas:
        parts.append(among(Order.__table__.c.area_id, actor.areas))
    if actor.teams:
        assisted = select(Assignment.order_id).where(among(Assignment.__table__.c.team_id, actor.teams))
        parts.append(among(Order.__table__.c.lead_team_id, actor.teams))
        parts.append(among(Order.__table__.c.accountable_team_id, actor.teams))
        parts.append(Order.id.in_(assisted))
    if actor.performer_id is not None:
        parts.append(Order.performer_id == actor.performer_id)
    return or_(false(), *parts)

"""Organisations in the database, and actors without a user behind them."""

from itertools import count
from uuid import uuid4

from sqlalchemy.orm import Session

from dispatch.models.access import Organisation
from dispatch.rules.access.capacity import kind_of
from dispatch.rules.access.roles import Actor, Role, Scope, rights_of

numbers = count(1)


def make_organisation(
    session: Session, kind: str, parent: Organisation | None = None, *, name: str | None = None, hidden: bool = False
) -> Organisation:
    """An organisation under its parent, with its path."""
    made = Organisation(
        parent_id=parent.id if parent else None,
        kind=kind,
        code=f"{kind}-{uuid4().hex[:12]}",
        name=name or f"{kind}{next(numbers)}",
        path=[],
        is_hidden=hidden,
    )
    session.add(made)
    session.flush()
    made.path = [*(parent.path if parent else []), made.id]
    session.flush()
    return made


def make_actor(role: Role, scope: Scope, organisation_id: int | None = None, user_id: int | None = None) -> Actor:
    """An actor of one role without a user behind it."""
    return Actor(
        kind=kind_of([role]),
        user_id=user_id,
        organisation_id=organisation_id,
        roles=frozenset({role}),
        rights=rights_of([role]),
        scope=scope,
    )

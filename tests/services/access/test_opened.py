"""The condition `reach.opened` and the pure rule of confidential orders agree on every order for every actor."""

from itertools import product

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.orders import Order
from dispatch.rules.access.roles import CLOCK, RIGHTS, ROUTER, SYSTEM, Actor, ActorKind, Right, Role
from dispatch.rules.orders.confidential import is_open_to
from dispatch.services.access import reach
from tests.factories.world import make_world, user
from tests.services.orders.test_life import placed


def test_the_condition_opens_exactly_what_the_rule_opens(session: Session) -> None:
    world = make_world(session)
    people = [user(session).id for _ in range(2)]
    firms = [firm.id for firm in world.firms[:2]]
    for confidential, taker, performer in product((False, True), (None, *people), (None, *firms)):
        order = placed(session, world)
        order.confidential, order.created_by, order.performer_id = confidential, taker, performer
    session.flush()
    found = session.scalars(select(Order)).all()
    rights = [frozenset[Right](), frozenset(Right), *(RIGHTS[role] for role in Role)]
    actors = [SYSTEM, ROUTER, CLOCK]
    for held, person, machine in product(rights, (None, *people), (None, 7)):
        actors.append(Actor(ActorKind.OPERATOR, user_id=person, api_key_id=machine, rights=held))
    assert len(found) == 18
    for actor in actors:
        opened = set(session.scalars(select(Order.id).where(reach.opened(actor))))
        assert opened == {order.id for order in found if is_open_to(order, actor)}, actor
    assert {order.id for order in found if is_open_to(order, actors[-1])} != {order.id for order in found}

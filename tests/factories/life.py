"""People of 三访: a community with its groups and switches, a kind and a person for visits, a member of a group."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import CareGroup
from dispatch.models.catalogue import Performer, Service
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import SYSTEM
from dispatch.services.care import groups, visiting
from tests.factories.visits import helper, resident
from tests.factories.world import World, service


@dataclass(frozen=True, slots=True)
class Life:
    """What tests of 三访 speak of."""

    world: World
    resident: Resident
    visitor: Performer


def visit_kind_of(session: Session, world: World) -> Service:
    """登门慰问 of the district, once."""
    known = select(Service).where(Service.organisation_id == world.district.id, Service.code == visiting.KIND)
    found = session.scalars(known).one_or_none()
    plain = {"offered": ["programme"], "performer": "named", "given": "named", "urgency": "booked"}
    more = {"callback": False, "in_figures": False, "confidential": True}
    return found or service(session, world.district, visiting.KIND, **plain, **more)


def group(session: Session, world: World, code: str = "retired") -> CareGroup:
    """A seeded group of the community."""
    groups.begin_groups(session, world.community.id, actor=SYSTEM)
    query = select(CareGroup).where(CareGroup.community_id == world.community.id, CareGroup.code == code)
    return session.scalars(query).one()


def make_life(session: Session, world: World) -> Life:
    """A retired resident at home, and somebody who visits."""
    found = resident(session, world)
    visitor = helper(session, world, [visit_kind_of(session, world)])
    retired = group(session, world)
    groups.add_member(session, retired.id, found.id, actor=SYSTEM, now=clock.now(session))
    return Life(world, found, visitor)

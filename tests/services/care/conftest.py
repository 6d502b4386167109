"""A small world with a resident, a helper and a kind for visits."""

from dataclasses import dataclass

import pytest
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Performer, Service
from dispatch.models.grid import Resident
from tests.factories.visits import helper, resident, visit_service
from tests.factories.world import World, make_world


@dataclass(frozen=True, slots=True)
class Care:
    """What tests of visits speak of."""

    world: World
    resident: Resident
    service: Service
    helper: Performer


@pytest.fixture
def care_world(session: Session) -> Care:
    """A small world in the test's own transaction."""
    world = make_world(session)
    kind = visit_service(session, world)
    return Care(world, resident(session, world), kind, helper(session, world, [kind]))

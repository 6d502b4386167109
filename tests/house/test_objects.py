"""Role × route × object, with bodies that are right: another's object answers exactly like one that does not exist.

And nothing has changed afterwards; with one's own object the same body does what the route is for. Short by default:
the roles that are let in take turns at a route; with DISPATCH_TEST_WHOLE=1 (`make attacks`) each of them asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from dispatch import clock
from dispatch.rules.access.roles import NARROW_ROLES, NOTHING, RIGHTS, Right, Role
from dispatch.rules.orders.number import make_number
from dispatch.transaction import scope_of_request
from tests.conftest import Database, Servers, database_of_its_own, the_app
from tests.depth import is_turn
from tests.factories.world import World
from tests.house.askers import NO_ID, Asker, is_api, machine, person, state_of, two_worlds
from tests.house.deeds import DEEDS, Deed
from tests.house.rights import Route, routes_of

TURNS = 3


@pytest.fixture
def application(committed: Database) -> Iterator[Flask]:
    assert committed.url
    yield the_app()
    scope_of_request.set(NOTHING)


@pytest.fixture
def mine(committed: Database) -> World:
    """The world in which the right bodies are sent."""
    return two_worlds(committed)[0]


def about_objects(application: Flask) -> list[Route]:
    return [route for route in routes_of(application) if "<" in route.rule and route.reason is None]


def deed_of(route: Route) -> Deed:
    return DEEDS[route.method, route.rule]


def made(database: Database, world: World, deed: Deed, user_id: int = 0) -> str:
    """The name of a new object for the deed."""
    with database.session() as session:
        name = deed.make(session, world, user_id)
        session.commit()
        return name


def missing(database: Database, name: str) -> str:
    """A name of the same shape that nobody has."""
    if name.isdigit():
        return NO_ID
    with database.session() as session:
        return make_number(clock.today(clock.now(session)), 7) if name.startswith("HQ") else "kind_of_nobody"


def refuse_alike(database: Database, asker: Asker, route: Route, theirs: str, world: World) -> None:
    """The other's object and a missing one get the same 404, and nothing is written."""
    body = deed_of(route).body(world)
    got = asker.answer(route, theirs, body)
    assert got[0] == 404, (route, got)
    assert got == asker.answer(route, missing(database, theirs), body), route


def test_every_route_about_an_object_has_a_body_that_is_right(application: Flask) -> None:
    assert {(route.method, route.rule) for route in about_objects(application)} == set(DEEDS)


@dataclass(frozen=True, slots=True)
class Refusing:
    """Two worlds with an object of each route: kept for all roles, since whoever is refused changes nothing."""

    application: Flask
    database: Database
    mine: World
    other: World
    names: dict[tuple[int, str, str], str]

    def routes(self, role: Role) -> list[Route]:
        """The routes about an object that let this role in."""
        return [route for route in about_objects(self.application) if route.lets_in(role)]

    def due(self, role: Role) -> list[Route]:
        """Those of them at which the role has its turn among all that are let in."""
        return [route for route in self.routes(role) if has_its_turn(role, route)]

    def name(self, world: World, route: Route) -> str:
        """The object of this world for this route."""
        key = (world.community.id, route.method, route.rule)
        if key not in self.names:
            self.names[key] = made(self.database, world, deed_of(route))
        return self.names[key]

    def refuse(self, asker: Asker, world: World, routes: list[Route]) -> None:
        """All of the world's objects are refused like missing ones, and nothing is written."""
        names = [self.name(world, route) for route in routes]
        before = state_of(self.database)
        for route, name in zip(routes, names, strict=True):
            refuse_alike(self.database, asker, route, name, world)
        assert state_of(self.database) == before


def has_its_turn(role: Role, route: Route) -> bool:
    """Whether a role asks this route: of those that are let in one of three, and one at least."""
    let_in = [one for one in Role if route.lets_in(one)]
    return is_turn(let_in.index(role), min(TURNS, len(let_in)), f"{route.method} {route.rule}")


@pytest.fixture(scope="module")
def refusing(servers: Servers) -> Iterator[Refusing]:
    with database_of_its_own(servers) as database:
        mine, other = two_worlds(database)
        yield Refusing(the_app(), database, mine, other, {})
        scope_of_request.set(NOTHING)


@pytest.mark.parametrize("role", list(Role))
def test_a_person_cannot_tell_another_community_s_object_from_none(refusing: Refusing, role: Role) -> None:
    asker = person(refusing.application, refusing.database, role, refusing.mine.community.id)
    refusing.refuse(asker, refusing.other, [one for one in refusing.due(role) if not is_api(one)])


@pytest.mark.parametrize("role", list(Role))
def test_a_key_cannot_tell_another_community_s_object_from_none(refusing: Refusing, role: Role) -> None:
    asker = machine(refusing.application, refusing.database, refusing.mine.community.id, RIGHTS[role])
    refusing.refuse(asker, refusing.other, [one for one in refusing.due(role) if is_api(one)])


def test_whoever_lacks_the_right_is_refused_at_the_very_object_and_changes_nothing(refusing: Refusing) -> None:
    place, database = refusing.mine.community.id, refusing.database
    people = {role: person(refusing.application, database, role, place) for role in Role}
    keys = {role: machine(refusing.application, database, place, RIGHTS[role]) for role in Role}
    lacking = [
        (route, next(role for role in Role if not route.lets_in(role)))
        for route in about_objects(refusing.application)
        if not all(map(route.lets_in, Role))
    ]
    names = [refusing.name(refusing.mine, route) for route, _ in lacking]
    before = state_of(database)
    for (route, role), name in zip(lacking, names, strict=True):
        asker = (keys if is_api(route) else people)[role]
        assert asker.ask(route, name, deed_of(route).body(refusing.mine)).status_code == 403, (route, role)
    assert state_of(database) == before


@pytest.mark.parametrize("role", sorted(NARROW_ROLES))
def test_who_sees_a_part_of_the_community_cannot_tell_the_other_parts_orders_from_none(
    refusing: Refusing, role: Role
) -> None:
    asker = person(refusing.application, refusing.database, role, refusing.mine.community.id, belongs=10**9)
    about_orders = [one for one in refusing.routes(role) if not is_api(one) and "<number>" in one.rule]
    refusing.refuse(asker, refusing.mine, about_orders)


def test_with_one_s_own_object_the_same_body_does_what_the_page_is_for(
    application: Flask, committed: Database, mine: World
) -> None:
    wide = (Role.DISPATCHER, Role.CALLBACK_CLERK, Role.OPERATOR, Role.CENTRE)
    wide += (Role.WELFARE, Role.ACCOUNTANT, Role.KEEPER, Role.COUNSELLOR)
    askers = {role: person(application, committed, role, mine.district.id) for role in wide}
    for route in about_objects(application):
        if not is_api(route):
            asker = next(askers[role] for role in wide if route.lets_in(role))
            name = made(committed, mine, deed_of(route), asker.user_id)
            got = asker.ask(route, name, deed_of(route).body(mine))
            assert got.status_code == deed_of(route).status, (route, got.text)


def test_with_one_s_own_object_the_same_body_does_what_the_api_is_for_and_no_field_more(
    application: Flask, committed: Database, mine: World
) -> None:
    asker = machine(application, committed, mine.district.id, frozenset(Right))
    for route in about_objects(application):
        if is_api(route):
            deed = deed_of(route)
            name = made(committed, mine, deed)
            if route.method != "GET":
                refused = asker.ask(route, name, deed.body(mine) | {"community_id": mine.community.id})
                assert refused.status_code == 422, route
                assert "community_id" in refused.text, route
            got = asker.ask(route, name, deed.body(mine))
            assert got.status_code == deed.status, (route, got.text)

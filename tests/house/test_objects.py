"""Role × route × object: an order of another community answers exactly like one that does not exist."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dispatch import clock
from dispatch.app import create_app
from dispatch.rules.access.roles import NOTHING, RIGHTS, SYSTEM, Role
from dispatch.rules.orders.number import make_number
from dispatch.services import orders
from dispatch.services.access import keys, sessions, users, vault
from dispatch.services.orders import OrderDraft
from dispatch.transaction import scope_of_request
from tests.conftest import Database
from tests.factories.world import make_world, staff
from tests.house.rights import Route, routes_of

BELONGS = {Role.TEAM_HEAD: "team_id", Role.AREA_CHIEF: "area_id", Role.PERFORMER: "performer_id"}
VARYING = re.compile(r"[0-9a-f]{64}|[\w-]{12}(?=</code>|\")|\d{4}-\d\d-\d\dT[\d:.+]+")


@pytest.fixture
def application(committed: Database) -> Iterator[Flask]:
    assert committed.url
    yield create_app()
    scope_of_request.set(NOTHING)


@pytest.fixture
def numbers(committed: Database) -> tuple[int, str, str]:
    """The community of whoever asks, the number of another community's order, and one that nobody has."""
    with committed.session() as session:
        mine, other = make_world(session), make_world(session)
        draft = OrderDraft(
            service_id=other.gossip.id,
            service_code=None,
            description="楼道里吵架",
            stairwell_id=other.stairwells[0].id,
            caller_name="陈桂花",
            caller_phone="17400000001",
        )
        now = clock.now(session)
        placed = orders.place(session, draft, actor=staff(session, other, Role.OPERATOR), now=now)
        session.commit()
        return mine.community.id, placed.number, make_number(clock.today(now), 7)


def about_an_order(application: Flask, role: Role, *, api: bool) -> list[Route]:
    return [
        route
        for route in routes_of(application)
        if "<number>" in route.rule
        and route.reason is None
        and route.lets_in(role)
        and route.rule.startswith("/api/") == api
    ]


def answer(client: FlaskClient, route: Route, number: str, headers: dict[str, str]) -> tuple[int, str]:
    body = {"json": {}} if route.rule.startswith("/api/") and route.method == "POST" else {}
    got = client.open(route.rule.replace("<number>", number), method=route.method, headers=headers, **body)
    text = got.text.replace(number, "NUMBER").replace(got.headers.get("X-Request-ID", ""), "REQUEST")
    return got.status_code, VARYING.sub("", text)


@pytest.mark.parametrize("role", list(Role))
def test_a_person_cannot_tell_another_community_s_order_from_none(
    application: Flask, committed: Database, numbers: tuple[int, str, str], role: Role
) -> None:
    community, theirs, missing = numbers
    with committed.session() as session:
        now = clock.now(session)
        user = users.create_user(
            session, login="somebody", name="某", password="correct horse battery", actor=SYSTEM, now=now
        )
        belongs = {BELONGS[role]: 1} if role in BELONGS else {}
        users.add_role(session, user.id, role, organisation_id=community, actor=SYSTEM, now=now, **belongs)
        token = sessions.open_session(session, user.id, is_complete=True, now=now)
        session.commit()
    client = application.test_client()
    client.set_cookie("session", token)
    header = {"X-CSRF-Token": vault.sign("csrf", token.encode()).hex()}
    for route in about_an_order(application, role, api=False):
        got = answer(client, route, theirs, header)
        assert got == answer(client, route, missing, header), route
        assert got[0] in ({404} if route.method == "GET" else {404, 422}), route


@pytest.mark.parametrize("role", list(Role))
def test_a_key_cannot_tell_another_community_s_order_from_none(
    application: Flask, committed: Database, numbers: tuple[int, str, str], role: Role
) -> None:
    community, theirs, missing = numbers
    with committed.session() as session:
        _, plain = keys.create_key(
            session,
            name="k",
            organisation_id=community,
            scopes=RIGHTS[role],
            actor=SYSTEM,
            now=clock.now(session),
        )
        session.commit()
    client, header = application.test_client(), {"Authorization": f"Bearer {plain}"}
    for route in about_an_order(application, role, api=True):
        got = answer(client, route, theirs, header)
        assert got == answer(client, route, missing, header), route
        assert got[0] in ({404} if route.method == "GET" else {404, 422}), route


def test_the_order_is_there_for_those_who_may_see_it(
    application: Flask, committed: Database, numbers: tuple[int, str, str]
) -> None:
    _, theirs, missing = numbers
    with committed.session() as session:
        placed = orders.find(session, theirs, actor=SYSTEM)
        _, plain = keys.create_key(
            session,
            name="k",
            organisation_id=placed.organisation_id,
            scopes=RIGHTS[Role.OPERATOR],
            actor=SYSTEM,
            now=clock.now(session),
        )
        session.commit()
    client, header = application.test_client(), {"Authorization": f"Bearer {plain}"}
    assert client.get(f"/api/orders/{theirs}", headers=header).status_code == 200
    assert client.get(f"/api/orders/{missing}", headers=header).status_code == 404

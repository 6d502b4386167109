"""Every route says who may: the matrix role × route, held by real requests and written down in docs/rights.md."""

import os
import re
import secrets
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dispatch import clock
from dispatch.models.access import Organisation
from dispatch.rules.access.roles import NOTHING, RIGHTS, SYSTEM, Role
from dispatch.services.access import keys, sessions, users, vault
from dispatch.transaction import scope_of_request
from tests.conftest import Database, Servers, database_of_its_own, the_app
from tests.factories.access import make_organisation
from tests.house.rights import Route, page_of, routes_of

PAGE = Path(__file__).parents[2] / "docs" / "rights.md"
PLACE_HOLDER = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>")
PASSWORD = "correct horse battery"
BELONGS = {Role.TEAM_HEAD: "team_id", Role.AREA_CHIEF: "area_id", Role.PERFORMER: "performer_id"}


@pytest.fixture(scope="module")
def database(servers: Servers) -> Iterator[Database]:
    """One database for all roles: whoever is refused changes nothing."""
    with database_of_its_own(servers) as opened:
        yield opened


@pytest.fixture
def application(database: Database) -> Iterator[Flask]:
    assert database.url
    yield the_app()
    scope_of_request.set(NOTHING)


@pytest.fixture(scope="module")
def place(database: Database) -> int:
    with database.session() as session:
        made = make_organisation(session, "community")
        session.commit()
        return made.id


@cache
def address(rule: str) -> str:
    """An address of the rule that names no existing object."""
    return PLACE_HOLDER.sub(lambda found: "999999" if found[1] == "int" else "HQ999", rule)


def guarded(application: Flask) -> list[Route]:
    return [route for route in routes_of(application) if route.reason is None]


def ask(client: FlaskClient, route: Route, headers: dict[str, str] | None = None) -> TestResponse:
    return client.open(address(route.rule), method=route.method, headers=headers or {})


def test_every_route_says_who_may_or_why_it_is_open(application: Flask) -> None:
    silent = [f"{route.method} {route.rule}" for route in guarded(application) if route.right is None]
    assert silent == []
    vague = [route.rule for route in routes_of(application) if route.reason is not None and len(route.reason) < 15]
    assert vague == []


def test_every_right_is_held_by_some_role(application: Flask) -> None:
    for route in guarded(application):
        assert any(route.lets_in(role) for role in Role), route


def test_the_page_of_rights_is_that_of_the_url_map(application: Flask) -> None:
    page = page_of(routes_of(application))
    if os.environ.get("DISPATCH_TEST_WRITE"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def test_without_a_log_in_nothing_guarded_opens(application: Flask) -> None:
    client = application.test_client()
    for route in guarded(application):
        answer = ask(client, route)
        if route.rule.startswith("/api/"):
            assert answer.status_code == 401, route
        else:
            assert (answer.status_code, answer.location.split("?")[0]) == (303, "/login"), route


@pytest.mark.parametrize("role", list(Role))
def test_a_key_with_the_rights_of_a_role_is_refused_everything_else(
    application: Flask, database: Database, place: int, role: Role
) -> None:
    with database.session() as session:
        now = clock.now(session)
        _, plain = keys.create_key(session, name="k", organisation_id=place, scopes=RIGHTS[role], actor=SYSTEM, now=now)
        session.commit()
    client, header = application.test_client(), {"Authorization": f"Bearer {plain}"}
    for route in guarded(application):
        if route.rule.startswith("/api/") and not route.lets_in(role):
            assert ask(client, route, header).status_code == 403, route


@pytest.mark.parametrize("role", list(Role))
def test_a_person_of_a_role_is_refused_every_other_page(
    application: Flask, database: Database, place: int, role: Role
) -> None:
    token = signed_in(database, place, role)
    client = application.test_client()
    client.set_cookie("session", token)
    header = {"X-CSRF-Token": vault.sign("csrf", token.encode()).hex()}
    refused = 0
    for route in guarded(application):
        if not route.rule.startswith("/api/") and not route.lets_in(role):
            assert ask(client, route, header).status_code == 403, route
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.CENTRE])
def test_every_changing_page_is_refused_without_the_form_s_token(
    application: Flask, database: Database, place: int, role: Role
) -> None:
    client = application.test_client()
    client.set_cookie("session", signed_in(database, place, role))
    for route in guarded(application):
        if route.method != "GET" and not route.rule.startswith("/api/"):
            assert ask(client, route).status_code == 403, route


def signed_in(database: Database, place: int, role: Role) -> str:
    """The token of a session of a user of this role."""
    with database.session() as session:
        now = clock.now(session)
        assert session.get(Organisation, place) is not None
        user = users.create_user(
            session,
            login=f"{role}-{secrets.token_hex(4)}".replace("_", "-"),
            name="某",
            password=PASSWORD,
            actor=SYSTEM,
            now=now,
        )
        belongs = {BELONGS[role]: 1} if role in BELONGS else {}
        users.add_role(session, user.id, role, organisation_id=place, actor=SYSTEM, now=now, **belongs)
        token = sessions.open_session(session, user.id, is_complete=True, now=now)
        session.commit()
        return token


def test_nobody_uses_flask_s_own_session_whose_cookie_is_ours() -> None:
    users_of_it = re.compile(r"from flask import [^\n]*\b(session|flash)\b|flask\.(session|flash)\b")
    sources = (Path(__file__).parents[2] / "dispatch").rglob("*.py")
    assert [path.name for path in sources if users_of_it.search(path.read_text(encoding="utf-8"))] == []

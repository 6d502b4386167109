"""Keys at the API's door: 401 with the way in, 403 without the right, cookies not looked at, reach set."""

from collections.abc import Iterator
from functools import cache

import pytest
from flask import Flask, jsonify
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue

from dispatch import clock
from dispatch.api.auth import allow, open_to_all
from dispatch.app import create_app
from dispatch.rules.access.roles import NOTHING, SYSTEM, Right
from dispatch.services.access import keys
from dispatch.transaction import scope_of_request
from tests.conftest import Database
from tests.factories.access import make_organisation


@allow(Right.ORDERS_READ)
def reading() -> ResponseReturnValue:
    scope = scope_of_request.get()
    return jsonify(communities=sorted(scope.communities), everything=scope.everything)


@allow(Right.ORDERS_READ, limit="2 per minute")
def counting() -> ResponseReturnValue:
    return jsonify(ok=True)


@open_to_all("a probe")
def probing() -> ResponseReturnValue:
    return jsonify(nothing=scope_of_request.get() == NOTHING)


@cache
def probed() -> Flask:
    """An application with three calls more, made once for this file."""
    app = create_app()
    app.add_url_rule("/api/reading", view_func=reading)
    app.add_url_rule("/api/counting", view_func=counting)
    app.add_url_rule("/api/probing", view_func=probing)
    return app


@pytest.fixture
def application(committed: Database) -> Iterator[Flask]:
    assert committed.url
    yield probed()
    scope_of_request.set(NOTHING)


@pytest.fixture
def client(application: Flask) -> FlaskClient:
    return application.test_client()


@pytest.fixture
def place(committed: Database) -> int:
    with committed.session() as session:
        community = make_organisation(session, "community")
        session.commit()
        return community.id


def key(committed: Database, place: int, *scopes: Right) -> tuple[int, dict[str, str]]:
    with committed.session() as session:
        made, plain = keys.create_key(
            session,
            name="test",
            organisation_id=place,
            scopes=scopes,
            actor=SYSTEM,
            now=clock.now(session),
        )
        session.commit()
        return made.id, {"Authorization": f"Bearer {plain}"}


def test_a_key_with_the_right_is_let_in_with_its_reach(client: FlaskClient, committed: Database, place: int) -> None:
    _, header = key(committed, place, Right.ORDERS_READ)
    for _ in range(2):
        answer = client.get("/api/reading", headers=header)
        assert answer.status_code == 200
        assert answer.json == {"communities": [place], "everything": False}


def test_a_key_without_the_right_gets_403(client: FlaskClient, committed: Database, place: int) -> None:
    _, header = key(committed, place, Right.ORDERS_PLACE)
    answer = client.get("/api/reading", headers=header)
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer hq_"},
        {"Authorization": "Bearer hq_" + "a" * 43},
        {"Authorization": "Basic aHE6aHE="},
        {"Authorization": "Bearer " + "x" * 46},
        {"Authorization": "Bearer hq_" + "é" * 43},
    ],
)
def test_without_a_valid_key_it_is_401_and_says_how_to_come_in(client: FlaskClient, header: dict[str, str]) -> None:
    answer = client.get("/api/reading", headers=header)
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer ")
    assert 'realm="Houqing Dispatch"' in answer.headers["WWW-Authenticate"]


def test_a_revoked_key_is_refused(client: FlaskClient, committed: Database, place: int) -> None:
    key_id, header = key(committed, place, Right.ORDERS_READ)
    assert client.get("/api/reading", headers=header).status_code == 200
    with committed.session() as session:
        keys.revoke_key(session, key_id, actor=SYSTEM, now=clock.now(session))
        session.commit()
    answer = client.get("/api/reading", headers=header)
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]


def test_a_cookie_opens_nothing(client: FlaskClient, committed: Database, place: int) -> None:
    _, header = key(committed, place, Right.ORDERS_READ)
    client.set_cookie("session", header["Authorization"].removeprefix("Bearer "))
    assert client.get("/api/reading").status_code == 401


def test_what_one_request_reached_is_out_of_reach_in_the_next(
    client: FlaskClient, committed: Database, place: int
) -> None:
    _, header = key(committed, place, Right.ORDERS_READ)
    client.get("/api/reading", headers=header)
    assert client.get("/api/probing").json == {"nothing": True}
    client.get("/api/reading", headers=header)
    assert client.get("/api/no-such-route").status_code == 404
    assert scope_of_request.get() == NOTHING


def test_a_limit_counts_by_key_and_answers_429_with_the_time_to_wait(
    client: FlaskClient, committed: Database, place: int
) -> None:
    (_, one), (_, other) = (key(committed, place, Right.ORDERS_READ) for _ in range(2))
    answers = [client.get("/api/counting", headers=one) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].content_type == "application/problem+json"
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert client.get("/api/counting", headers=other).status_code == 200
    assert client.get("/api/reading", headers=one).status_code == 200

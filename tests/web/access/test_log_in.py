"""Log-in through the pages: token of every form, new id, second factor, ways back, limits, the cookie's flags."""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache

import pyotp
import pytest
from flask import Flask, jsonify
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from werkzeug.test import TestResponse

from dispatch import clock
from dispatch.app import create_app
from dispatch.demo.clock import set_clock
from dispatch.gateways.limits import limiter
from dispatch.rules.access.roles import NOTHING, SYSTEM, Right, Role
from dispatch.services.access import sessions, users
from dispatch.transaction import scope_of_request
from dispatch.web.access import allow, current_actor
from tests.conftest import Database
from tests.factories.access import make_organisation

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')


@allow(Right.ORDERS_PLACE)
def desk() -> ResponseReturnValue:
    return jsonify(user=current_actor().user_id)


@allow(Right.USERS_EDIT)
def staff() -> ResponseReturnValue:
    return jsonify(ok=True)


@cache
def probed() -> Flask:
    """An application with two pages more, made once for this file."""
    app = create_app()
    app.add_url_rule("/probe/desk", view_func=desk, methods=["GET", "POST"])
    app.add_url_rule("/probe/staff", view_func=staff)
    return app


@pytest.fixture
def application(committed: Database) -> Iterator[Flask]:
    assert committed.url
    app = probed()
    with app.app_context():
        limiter.reset()
    yield app
    scope_of_request.set(NOTHING)


@pytest.fixture
def client(application: Flask) -> FlaskClient:
    return application.test_client()


@pytest.fixture
def user(committed: Database) -> int:
    return make(committed, "operator1", None)


def make(committed: Database, login: str, secret: str | None) -> int:
    with committed.session() as session:
        now = clock.now(session)
        made = users.create_user(
            session, login=login, name="林芳", password=PASSWORD, totp_secret=secret, actor=SYSTEM, now=now
        )
        place = make_organisation(session, "centre")
        users.add_role(session, made.id, Role.OPERATOR, organisation_id=place.id, actor=SYSTEM, now=now)
        session.commit()
        return made.id


def token_of(answer: TestResponse) -> str:
    found = TOKEN.search(answer.text)
    assert found is not None, answer.text[:2000]
    return found[1]


def log_in(
    client: FlaskClient, login: str = "operator1", password: str = PASSWORD, page: str = "/probe/desk"
) -> TestResponse:
    token = token_of(client.get("/login", query_string={"next": page}))
    return client.post("/login", data={"csrf_token": token, "login": login, "password": password, "next": page})


def cookie(client: FlaskClient) -> str:
    held = client.get_cookie("session")
    assert held is not None
    return held.value


def test_who_is_not_logged_in_comes_to_the_log_in_and_back(client: FlaskClient, user: int) -> None:
    asked = client.get("/probe/desk?day=1")
    assert asked.status_code == 303
    assert asked.location == "/login?next=/probe/desk%3Fday%3D1"
    done = log_in(client, page="/probe/desk?day=1")
    assert (done.status_code, done.location) == (303, "/probe/desk?day=1")
    assert client.get("/probe/desk").json == {"user": user}


@pytest.mark.usefixtures("user")
def test_a_fragment_without_a_session_loads_the_log_in_as_a_whole_page(client: FlaskClient) -> None:
    answer = client.get("/probe/desk", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login?next=/")


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("page", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_nobody_is_sent_to_another_site(client: FlaskClient, page: str) -> None:
    assert log_in(client, page=page).location == "/"


@pytest.mark.usefixtures("user")
def test_refusals_look_the_same_and_keep_the_name(client: FlaskClient) -> None:
    wrong, unknown = log_in(client, password="wrong"), log_in(client, login="operator2")
    assert wrong.status_code == unknown.status_code == 422
    assert "登录名或密码不正确" in wrong.text
    assert 'value="operator1"' in wrong.text
    assert TOKEN.sub("", wrong.text) == TOKEN.sub("", unknown.text).replace("operator2", "operator1")
    assert client.get_cookie("session") is None


@pytest.mark.usefixtures("user")
def test_a_log_in_without_the_token_of_the_visit_is_refused(client: FlaskClient) -> None:
    client.get("/login")
    for token in ("", "0" * 64):
        answer = client.post("/login", data={"csrf_token": token, "login": "operator1", "password": PASSWORD})
        assert answer.status_code == 403
        assert client.get_cookie("session") is None


@pytest.mark.usefixtures("user")
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: FlaskClient) -> None:
    header = next(value for value in log_in(client).headers.getlist("Set-Cookie") if value.startswith("session="))
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header


@pytest.mark.usefixtures("user")
def test_every_log_in_has_a_new_id_and_the_old_one_is_dead(client: FlaskClient, committed: Database) -> None:
    log_in(client)
    first = cookie(client)
    log_in(client)
    assert cookie(client) != first
    with committed.session() as session:
        assert sessions.authenticate_session(session, first, clock.now(session)) is None


@pytest.mark.usefixtures("user")
def test_a_post_needs_the_token_of_its_own_session(client: FlaskClient, application: Flask) -> None:
    log_in(client)
    mine = token_of(client.get("/account"))
    assert client.post("/probe/desk").status_code == 403
    assert client.post("/probe/desk", data={"csrf_token": mine}).status_code == 200
    assert client.post("/probe/desk", headers={"X-CSRF-Token": mine}).status_code == 200
    other = application.test_client()
    log_in(other)
    assert other.post("/probe/desk", data={"csrf_token": mine}).status_code == 403


@pytest.mark.usefixtures("user")
def test_a_page_for_another_right_is_refused(client: FlaskClient) -> None:
    log_in(client)
    assert client.get("/probe/staff").status_code == 403


@pytest.mark.usefixtures("user")
def test_log_out_kills_the_session(client: FlaskClient) -> None:
    log_in(client)
    token, held = token_of(client.get("/account")), cookie(client)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout", data={"csrf_token": token}).location == "/login"
    client.set_cookie("session", held)
    assert client.get("/probe/desk").status_code == 303


@pytest.mark.usefixtures("user")
def test_a_changed_password_logs_out_everywhere(client: FlaskClient, application: Flask) -> None:
    other = application.test_client()
    log_in(other)
    log_in(client)
    form = {"csrf_token": token_of(client.get("/account")), "old_password": PASSWORD}
    refused = client.post("/account/password", data=form | {"password": "short"})
    assert refused.status_code == 422
    assert "密码需要 12 到 128 个字符" in refused.text
    done = client.post("/account/password", data=form | {"password": "another long password"})
    assert done.location == "/login"
    assert other.get("/probe/desk").status_code == 303
    assert log_in(client, password="another long password").status_code == 303


def test_who_has_a_second_factor_gives_the_code_before_anything_opens(client: FlaskClient, committed: Database) -> None:
    user = make(committed, "centre1", SECRET)
    first = log_in(client, login="centre1")
    assert first.location == "/login/code?next=/probe/desk"
    assert client.get("/probe/desk").status_code == 303
    page = client.get(first.location)
    form = {"csrf_token": token_of(page), "next": "/probe/desk"}
    assert client.post("/login/code", data=form | {"code": "000000"}).status_code == 422
    pending = cookie(client)
    done = client.post("/login/code", data=form | {"code": pyotp.TOTP(SECRET).now()})
    assert (done.status_code, done.location) == (303, "/probe/desk")
    assert cookie(client) != pending
    assert client.get("/probe/desk").json == {"user": user}


def test_a_phone_s_code_fits_when_the_demo_s_clock_stands_elsewhere(client: FlaskClient, committed: Database) -> None:
    with committed.session() as session:
        real = clock.real(session)
    set_clock(committed.owner_url, real + timedelta(days=3))
    make(committed, "centre1", SECRET)
    form = {"csrf_token": token_of(client.get(log_in(client, login="centre1").location)), "next": "/probe/desk"}
    assert client.post("/login/code", data=form | {"code": pyotp.TOTP(SECRET).now()}).status_code == 303
    assert client.get("/probe/desk").status_code == 200


@pytest.mark.usefixtures("user")
def test_a_phone_is_enrolled_on_the_account_page_by_picture_or_by_hand(client: FlaskClient) -> None:
    log_in(client)
    page = client.get("/account/second-factor")
    assert 'src="data:image/svg+xml' in page.text
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert found is not None
    form = {"csrf_token": token_of(page)}
    assert client.post("/account/second-factor", data=form | {"code": "1"}).status_code == 422
    code = pyotp.TOTP(found[1].replace(" ", "")).now()
    assert client.post("/account/second-factor", data=form | {"code": code}).location == "/account"
    assert "已启用" in client.get("/account").text
    assert log_in(client).location.startswith("/login/code")


@pytest.mark.usefixtures("user")
def test_many_tries_for_one_name_are_stopped_before_they_reach_the_database(client: FlaskClient) -> None:
    token = token_of(client.get("/login"))
    answers = [
        client.post("/login", data={"csrf_token": token, "login": "nobody", "password": "x"}).status_code
        for _ in range(11)
    ]
    assert answers == [422] * 10 + [429]

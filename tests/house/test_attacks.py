"""What an attacker sends: numbers, nesting and texts that break, marks forged, rights stretched, scripts stored."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from dispatch import clock
from dispatch.errors import NotAllowed
from dispatch.gateways.limits import limiter
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.rules.access.roles import NOTHING, RIGHTS, SYSTEM, Actor, ActorKind, Right, Role
from dispatch.services import notify, orders
from dispatch.services.access import keys, sessions, users, vault
from dispatch.services.orders import OrderDraft
from dispatch.transaction import scope_of_request
from tests.conftest import Database, the_app
from tests.factories.world import staff
from tests.web.phone_world import Offered, offer

BEYOND_BIGINT = "9999999999999999999"
SCRIPT = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""
DEEP = b"[" * 60_000
SECRET_MATTER = "丈夫打我不敢报警"
PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Target:
    """An application with one offered order in a committed world, and ways in."""

    app: Flask
    database: Database
    offered: Offered

    @property
    def number(self) -> str:
        """The order's number."""
        return self.offered.number

    def staff(self, *roles: Role, **belongs: int) -> FlaskClient:
        """A browser logged in as somebody of these roles, which sends the token of its forms."""
        with self.database.session() as session:
            now = clock.now(session)
            login = "-".join(("x", *roles)).replace("_", "-")
            made = users.create_user(session, login=login, name="某", password=PASSWORD, actor=SYSTEM, now=now)
            place = self.offered.world.district.id
            for role in roles:
                users.add_role(session, made.id, role, organisation_id=place, actor=SYSTEM, now=now, **belongs)
            token = sessions.open_session(session, made.id, is_complete=True, now=now)
            session.commit()
        client = self.app.test_client()
        client.set_cookie("session", token)
        client.environ_base["HTTP_X_CSRF_TOKEN"] = vault.sign("csrf", token.encode()).hex()
        return client

    def machine(self, *rights: Right) -> FlaskClient:
        """A caller with a key of these rights (all, when none is named)."""
        with self.database.session() as session:
            place, now = self.offered.world.district.id, clock.now(session)
            scopes = rights or tuple(Right)
            _, plain = keys.create_key(session, name="x", organisation_id=place, scopes=scopes, actor=SYSTEM, now=now)
            session.commit()
        client = self.app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {plain}"
        return client

    def place(self, **changes: Any) -> str:
        """Another order by somebody else; its number."""
        world = self.offered.world
        draft = OrderDraft(description="漏水", service_id=world.plumbing.id, stairwell_id=world.stairwells[0].id)
        with self.database.session() as session:
            actor = staff(session, world, Role.OPERATOR)
            order = orders.place(session, replace(draft, **changes), actor=actor, now=clock.now(session))
            orders.route(session, order.id, now=clock.now(session))
            session.commit()
            return order.number


@pytest.fixture
def target(committed: Database) -> Iterator[Target]:
    offered = offer(committed)
    app = the_app()
    with app.app_context():
        limiter.reset()
    yield Target(app, committed, offered)
    scope_of_request.set(NOTHING)


def mark(plain: str) -> str:
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


FORGED = [
    '["2020-01-01T00:00:00+00:00", Infinity]',
    '["2020-01-01T00:00:00+00:00", 1e400]',
    f'["2020-01-01T00:00:00+00:00", {"9" * 30}]',
    '["2020-01-01T00:00:00+00:00", -1]',
    '["2020-01-01T00:00:00", 1]',
    '["2020-01-01T00:00:00+00:00", [1]]',
    "[" * 5_000,
    "{}",
    "",
]


def test_a_forged_page_mark_is_refused_by_name(target: Target) -> None:
    desk, machine = target.staff(Role.OPERATOR), target.machine()
    for forged in map(mark, filter(None, FORGED)):
        assert desk.get("/orders", query_string={"cursor": forged}).status_code == 422
        for path in ("/api/orders", "/api/visit-schedules", "/api/statements", "/api/teams"):
            assert machine.get(path, query_string={"cursor": forged}).status_code == 422, (path, forged)


def test_numbers_beyond_the_database_s_are_refused_on_every_page(target: Target) -> None:
    desk = target.staff(Role.OPERATOR, Role.DISPATCHER, Role.CENTRE)
    for name in ("area", "service", "performer"):
        assert desk.get("/orders", query_string={name: BEYOND_BIGINT}).status_code == 422
    for path in ("/inbox?before=", "/desk/questions?service_id="):
        assert desk.get(path + BEYOND_BIGINT).status_code == 422
    for path in ("/inbox/{}/read", "/alarms/{}/seen"):
        assert desk.post(path.format(BEYOND_BIGINT)).status_code == 404
    for cell in ("building:²", f"building:{BEYOND_BIGINT}", "area:1", "x"):
        assert desk.post(f"/orders/{target.number}/place", data={"cell": cell}).status_code == 422, cell
    for path, name in (("dispatch", "performer_id"), ("team", "team_id")):
        data = {name: BEYOND_BIGINT, "reason": "x"}
        assert desk.post(f"/orders/{target.number}/{path}", data=data).status_code == 422
    for name in ("service_id", "stairwell_id", "building_id", "caller_resident_id"):
        data = {"service_id": "1", "description": "x", "form_key": "k" * 20, name: BEYOND_BIGINT}
        assert desk.post("/desk/preview", data=data).status_code == 200
        assert desk.post("/desk", data=data).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        b'{"a":' * 30_000,
        b"9" * 5_000,
        b'{"description":' + b"9" * 5_000 + b"}",
        b'{"\\ud800": 1}',
        b'{"description": "\\ud800"}',
        b'{"answers": {"\\ud800": "1"}}',
        b'{"reason": "\\ud800", "result": "done", "note": "\\ud800"}',
        b'{"reason": "\\u0000", "note": "\\u0000"}',
        b'{"description": NaN}',
        b"\xff",
        b"[]",
        b"null",
        b"",
    ],
    ids=range(14),
)
def test_json_that_cannot_be_read_or_kept_is_the_sender_s_fault(target: Target, body: bytes) -> None:
    machine = target.machine()
    paths = ["/api/orders", "/api/orders/preview", f"/api/orders/{target.number}/remarks", "/api/visit-schedules"]
    for path in paths:
        for key in ({}, {"Idempotency-Key": "k"}):
            answer = machine.post(path, data=body, content_type="application/json", headers=key)
            assert answer.status_code in {400, 422}, (path, answer.text)
            assert answer.content_type == "application/problem+json"
    for act in ("decline", "finish", "give-back"):
        path = f"/w/{target.offered.token}/{act}"
        answer = machine.post(path, data=body, content_type="application/json", headers={"Accept": "application/json"})
        assert answer.status_code in {400, 409, 422}, (act, answer.text)


def test_a_very_long_number_in_an_address_is_refused_with_a_key_as_without(target: Target) -> None:
    machine = target.machine()
    long = "".join(f"{number:x}g" for number in range(2_500))
    for key in ({}, {"Idempotency-Key": "k"}):
        assert machine.post(f"/api/orders/{long}/remarks", json={"text": "x"}, headers=key).status_code == 422


def test_yes_and_no_are_booleans_and_nothing_else(target: Target) -> None:
    machine = target.machine()
    for said in (0, 1, "yes", "off", "true", None):
        answer = machine.post(f"/api/orders/{target.number}/void", json={"reason": "x", "by_resident": said})
        assert answer.status_code == 422, said
    assert target.offered.order().state == "offered"


def test_unknown_filters_and_fields_are_refused(target: Target) -> None:
    machine = target.machine()
    for path in ("/api/orders", "/api/visit-schedules", "/api/statements", "/api/teams", "/api/services"):
        assert machine.get(path, query_string={"caller_phone": "1"}).status_code == 422, path
    draft = {"service_code": "drain_clearing", "description": "x"}
    for name in ("state", "number", "created_by", "organisation_id", "origin", "community_id", "version"):
        assert machine.post("/api/orders", json=draft | {name: 1}).status_code == 422, name


def test_a_key_of_another_caller_is_another_key(target: Target) -> None:
    draft = {"service_code": "drain_clearing", "description": "x"}
    first = target.machine().post("/api/orders", json=draft, headers={"Idempotency-Key": "same"})
    other = target.machine().post("/api/orders", json=draft, headers={"Idempotency-Key": "same"})
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.headers["Location"] != other.headers["Location"]


def test_nothing_stored_becomes_markup_on_any_page(target: Target) -> None:
    number = target.place(description=SCRIPT, caller_name=SCRIPT[:60], stairwell_id=None, address_text=SCRIPT)
    desk = target.staff(Role.OPERATOR, Role.DISPATCHER, Role.CENTRE, Role.CALLBACK_CLERK)
    assert desk.post(f"/orders/{number}/remark", data={"reason": SCRIPT}).status_code == 303
    desk.post(f"/orders/{target.number}/remark", data={"reason": SCRIPT})
    with target.database.session() as session:
        session.execute(update(Order).values(description=SCRIPT, caller_name=SCRIPT[:60], feedback=SCRIPT, room=SCRIPT))
        session.commit()
    links = target.app.test_client()
    link = f"/w/{target.offered.token}"
    pages = [
        desk.get(path)
        for one in (number, target.number)
        for path in (f"/orders/{one}", f"/orders/{one}/slip", f"/orders/{one}/now", f"/desk/placed/{one}")
    ]
    pages += [desk.get(path) for path in ("/orders", "/board", "/board/now", "/callbacks", "/my", "/alarms", "/inbox")]
    pages.append(desk.get("/desk", query_string={"phone": SCRIPT}))
    pages.append(desk.get("/orders", query_string={"number": SCRIPT}))
    pages.append(desk.post("/desk/preview", data={"description": SCRIPT, "address_text": SCRIPT, "service_id": "1"}))
    pages.append(desk.post("/desk/caller", data={"caller_phone": SCRIPT}))
    pages.append(desk.get("/desk/places", query_string={"text": SCRIPT}))
    pages.append(desk.post(f"/orders/{target.number}/dispatch", data={"reason": SCRIPT, "performer_id": SCRIPT}))
    pages += [links.post(f"{link}/accept"), links.get(link), links.post(f"{link}/finish", data={"note": SCRIPT})]
    pages.append(links.post("/login", data={"login": SCRIPT, "next": SCRIPT}))
    for page in pages:
        assert page.status_code < 500
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
    assert sum("&lt;script&gt;alert" in page.text for page in pages) > len(pages) // 2


def test_a_confidential_order_tells_its_matter_to_no_list_and_no_machine(target: Target) -> None:
    number = target.place(description=SECRET_MATTER, confidential=True, room="东厢908室", caller_name="陈桂花")
    desk, machine = target.staff(Role.OPERATOR), target.machine()
    with target.database.session() as session:
        order = orders.find(session, number, actor=SYSTEM, locked=True)
        orders.remark(session, order, text=f"又来电：{SECRET_MATTER}", actor=SYSTEM, now=clock.now(session))
        session.commit()
    same = {"service_code": "drain_clearing", "description": SECRET_MATTER, "stairwell_id": order.stairwell_id}
    answers = [desk.get(path) for path in ("/orders", "/board", f"/orders/{number}", f"/orders/{number}/slip")]
    answers += [desk.get(f"/orders/{number}/now"), desk.get(f"/desk/placed/{number}")]
    answers += [machine.get(path) for path in ("/api/orders", "/api/board", f"/api/orders/{number}")]
    answers += [machine.get(f"/api/orders/{number}/{part}") for part in ("history", "offers", "decisions")]
    answers.append(machine.post("/api/orders/preview", json=same))
    for answer in answers:
        assert answer.status_code == 200
        for word in (SECRET_MATTER, "东厢908", "陈桂花"):
            assert word not in answer.text
    assert number not in answers[-1].text
    assert SECRET_MATTER in target.staff(Role.DISPATCHER).get(f"/orders/{number}").text


def test_a_performer_at_the_console_sees_neither_the_order_s_page_nor_others_alarms(target: Target) -> None:
    recipient = target.offered.recipient()
    links = target.app.test_client()
    for act in ("accept", "arrive", "finish"):
        data = {"result": "done"} if act == "finish" else {}
        assert links.post(f"/w/{target.offered.token}/{act}", data=data).status_code == 303
    with target.database.session() as session:
        world = target.offered.world
        for kind in ("papers_expiring", "order_waits"):
            facts = {"performer_id": world.firms[0].id, "until": "2026-12-01"}
            notify.raise_alarm(
                session, kind=kind, subject=f"x:{kind}", level="warning", organisation_id=world.district.id, facts=facts
            )
        session.commit()
    client = target.staff(Role.PERFORMER, performer_id=recipient.performer_id)
    assert target.number in client.get("/my").text
    assert "安心维修" not in client.get("/alarms").text
    for act, data in (("feedback", {"answer": "我说好了"}), ("sign", {}), ("team", {"team_id": "1", "reason": "x"})):
        answer = client.post(f"/orders/{target.number}/{act}", data=data)
        assert answer.status_code == 403
        assert "13905781234"[-4:] not in answer.text
        assert "询单" not in answer.text
    assert target.offered.order().state == "finished"


@pytest.mark.parametrize(
    ("role", "belongs"), [(Role.TEAM_HEAD, "team_id"), (Role.AREA_CHIEF, "area_id"), (Role.PERFORMER, "performer_id")]
)
def test_a_narrowed_role_reads_nothing_of_others_by_any_way(target: Target, role: Role, belongs: str) -> None:
    with target.database.session() as session:
        order = session.scalars(select(Order).where(Order.number == target.number)).one()
        place = order.community_id
        notify.raise_alarm(
            session, kind="order_late", subject="x", level="warning", community_id=place, order_id=order.id
        )
        alarm = session.scalars(select(Alarm.id)).one()
        session.commit()
    client = target.staff(role, **{belongs: 999_999})
    for path in ("/orders", "/orders?show=open", "/board", "/board/now", "/my", "/alarms", "/inbox", "/callbacks"):
        answer = client.get(path)
        assert answer.status_code in {200, 403}, path
        assert not any(word in answer.text for word in (target.number, "厨房下水道", "王秀英")), path
    assert "订单已超时" not in client.get("/alarms").text
    assert client.post(f"/alarms/{alarm}/seen").status_code == 404
    for part in ("", "/now", "/slip"):
        assert client.get(f"/orders/{target.number}{part}").status_code in {403, 404}
    for act in ("remark", "sign", "feedback", "team", "phone", "callback", "void", "dispatch", "retry", "place"):
        data = {"reason": "x", "answer": "x", "team_id": "1"}
        answer = client.post(f"/orders/{target.number}/{act}", data=data)
        assert answer.status_code in {403, 404}, act
    for path in ("/desk/preview", "/desk/caller", "/desk"):
        answer = client.post(path, data={"caller_phone": "13905781234", "description": "厨房下水道堵了"})
        assert answer.status_code == 403


def test_a_machine_is_nobody_s_second_person(target: Target) -> None:
    desk, machine = target.staff(Role.DISPATCHER), target.machine()
    assert desk.post(f"/orders/{target.number}/void", data={"reason": "重复"}).status_code == 303
    assert machine.post(f"/api/orders/{target.number}/void", json={"reason": "重复"}).status_code == 403
    assert target.offered.order().state == "offered"


def test_a_link_is_dead_after_re_assignment_and_another_firm_s_link_opens_nothing_of_it(target: Target) -> None:
    recipient, links = target.offered.recipient(), target.app.test_client()
    assert links.post(f"/w/{target.offered.token}/accept").status_code == 303
    other = next(one for one in target.offered.world.firms if one.id != recipient.performer_id)
    desk = target.staff(Role.DISPATCHER)
    data = {"performer_id": str(other.id), "reason": "居民点名"}
    assert desk.post(f"/orders/{target.number}/dispatch", data=data).status_code == 303
    before = target.offered.picture()
    page = links.get(f"/w/{target.offered.token}")
    assert page.status_code in {404, 410}
    assert not any(word in page.text for word in ("13905781234", "王秀英", "502"))
    for act in ("accept", "decline", "set-out", "arrive", "finish", "give-back", "card", "redeem"):
        answer = links.post(f"/w/{target.offered.token}/{act}", data={"reason": "busy", "result": "done"})
        assert answer.status_code in {404, 409}, act
    assert target.offered.picture() == before


@pytest.mark.parametrize("act", ["accept", "decline", "set-out", "arrive", "finish", "give-back", "card", "redeem"])
def test_looking_never_acts(target: Target, act: str) -> None:
    before, links = target.offered.picture(), target.app.test_client()
    assert links.get(f"/w/{target.offered.token}/{act}").status_code == 405
    assert links.head(f"/w/{target.offered.token}/{act}").status_code == 405
    assert target.offered.picture() == before


def test_a_session_cookie_opens_no_route_of_the_api_and_a_key_no_page(target: Target) -> None:
    desk, machine = target.staff(Role.DISPATCHER), target.machine()
    assert desk.get("/api/orders").status_code == 401
    assert machine.get("/orders").status_code == 303


def test_a_form_without_its_token_changes_nothing(target: Target) -> None:
    desk = target.staff(Role.DISPATCHER, Role.OPERATOR)
    del desk.environ_base["HTTP_X_CSRF_TOKEN"]
    for token in ("", "0" * 64, "é"):
        answer = desk.post(f"/orders/{target.number}/void", data={"reason": "x", "csrf_token": token})
        assert answer.status_code == 403
    assert target.offered.order().void_asked_by is None


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/x\r\nA: b", "/\t/e"],
)
def test_after_the_log_in_nobody_is_sent_elsewhere(target: Target, wanted: str) -> None:
    target.staff(Role.OPERATOR)
    client = target.app.test_client()
    client.get("/login")
    visit = client.get_cookie("visit")
    assert visit is not None
    token = vault.sign("csrf", visit.value.encode()).hex()
    data = {"csrf_token": token, "login": "x-operator", "password": PASSWORD, "next": wanted}
    answer = client.post("/login", data=data)
    assert (answer.status_code, answer.location) == (303, "/")


@pytest.mark.parametrize("path", ["%0d%0aX-Evil: 1", "%00", "%ff", "%ED%A0%80", "..%2f..%2fetc%2fpasswd", "😀"])
def test_odd_addresses_are_refused_without_a_header_of_their_own(target: Target, path: str) -> None:
    machine, desk = target.machine(), target.staff(Role.OPERATOR)
    odd = path if path.startswith(("%", ".")) else quote(path)
    for client, base in ((machine, "/api/orders/"), (desk, "/orders/"), (desk, "/w/"), (desk, "/vendor/")):
        answer = client.get(base + odd)
        assert answer.status_code in {400, 404, 422}, (base, path)
        assert "X-Evil" not in answer.headers


@pytest.mark.parametrize("act", [orders.sign, orders.feed_back, orders.choose_team], ids=lambda act: act.__name__)
def test_a_performer_does_not_act_for_the_team(target: Target, act: Callable[..., None]) -> None:
    more: dict[str, dict[str, Any]] = {
        "sign": {},
        "feed_back": {"answer": "好了"},
        "choose_team": {"team_id": 1, "reason": "x"},
    }
    actor = Actor(kind=ActorKind.PERFORMER, performer_id=1, rights=RIGHTS[Role.PERFORMER])
    with target.database.session() as session:
        order = session.scalars(select(Order).where(Order.number == target.number)).one()
        with pytest.raises(NotAllowed):
            act(session, order, actor=actor, now=clock.now(session), **more[act.__name__])

"""Marked data through a small life of an order: no log line, job, audit row, metric, notice or error holds a mark."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import inspect, select, text
from werkzeug.test import TestResponse

from config.settings import Settings
from dispatch import clock
from dispatch.app import create_app
from dispatch.gateways.limits import limiter
from dispatch.models.notify import Notice
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Right, Role
from dispatch.services import orders
from dispatch.services.access import keys, vault
from tests.conftest import Database, the_app
from tests.factories.world import World, make_world, staff

PHONE = "17498765432"
OTHER_PHONE = "17412348765"
NAME = "印记甲乙丙"
IDENTITY = "331102194903071239"
ILLNESS = "印记心肌梗死"
ROOM = "印记903"
TOKEN = "printed-secret-of-a-link-0123456789"
MARKS = (PHONE, OTHER_PHONE, NAME, IDENTITY, ILLNESS, ROOM, TOKEN)
MATTER = f"{ILLNESS}，身份证{IDENTITY}"
HOLDS_THE_ORDER = frozenset({"orders", "order_events", "callbacks", "order_callers"})
"""What people wrote about an order stands here and nowhere else."""


def key_of(database: Database, world: World) -> str:
    with database.session() as session:
        _, plain = keys.create_key(
            session,
            name="marks",
            organisation_id=world.district.id,
            scopes=tuple(Right),
            actor=SYSTEM,
            now=clock.now(session),
        )
        session.commit()
        return plain


def live(database: Database, client: FlaskClient, world: World) -> list[TestResponse]:
    """Place, route, accept, finish, answer, call back: through the API, the link and the services."""
    body = {
        "service_code": "drain_clearing",
        "description": MATTER,
        "caller_name": NAME,
        "caller_phone": PHONE,
        "stairwell_id": world.stairwells[0].id,
        "room": ROOM,
    }
    placed = client.post("/api/orders", json=body, headers={"Idempotency-Key": "one"})
    assert placed.status_code == 201, placed.text
    assert client.post("/api/orders", json=body, headers={"Idempotency-Key": "one"}).data == placed.data
    number = json.loads(placed.data)["number"]
    with database.session() as session:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        orders.route(session, order.id, now=clock.now(session))
        session.commit()
        sealed = session.execute(select(Notice.dedupe, Notice.secret).where(Notice.order_id == order.id)).one()
        link = vault.open_sealed(f"notices.secret.{sealed.dedupe}", sealed.secret)
    assert client.post(f"/w/{link}/accept").status_code == 303
    assert NAME in client.get(f"/w/{link}").text
    report = {"result": "partly", "note": MATTER}
    assert client.post(f"/w/{link}/finish", data=report).status_code == 303
    with database.session() as session:
        order = orders.find(session, number, actor=SYSTEM, locked=True)
        head, clerk = staff(session, world, Role.TEAM_HEAD), staff(session, world, Role.CALLBACK_CLERK)
        now = clock.now(session)
        orders.feed_back(session, order, answer=MATTER, actor=head, now=now)
        orders.record_callback(session, order, reached=False, remark=MATTER, actor=clerk, now=now)
        session.commit()
    call_again(client, number, body)
    return wrong(client, number, link)


def call_again(client: FlaskClient, number: str, body: dict[str, object]) -> None:
    """Somebody else calls about it too, and an order of theirs is merged into it and taken out again."""
    again = {"caller_name": NAME, "caller_phone": OTHER_PHONE, "words": MATTER, "urged": True}
    assert (
        client.post(f"/api/orders/{number}/repeat-calls", json=again, headers={"Idempotency-Key": "2"}).status_code
        == 200
    )
    other = client.post("/api/orders", json=body | {"caller_phone": OTHER_PHONE}).json["number"]
    assert client.post(f"/api/orders/{other}/merge", json={"into": number}).status_code == 200
    told = client.get(f"/api/orders/{number}/callers")
    assert told.json["calls"] == 3
    assert OTHER_PHONE not in told.text
    assert client.post(f"/api/orders/{other}/unmerge", json={"reason": "看错了"}).status_code == 200


def wrong(client: FlaskClient, number: str, link: str) -> list[TestResponse]:
    """Everything refused, with marks in every place where a caller can put them."""
    draft = {"service_code": "drain_clearing", "description": MATTER, "caller_name": NAME, "caller_phone": PHONE}
    return [
        client.post("/api/orders", json=draft | {"caller_phone": f"{PHONE}99"}),
        client.post("/api/orders", json=draft | {"urgency": ILLNESS, "room": ROOM * 9, "caller_name": NAME * 20}),
        client.post("/api/orders", json=draft | {"answers": {"x": MATTER}}),
        client.post("/api/orders", json=draft | {"stairwell_id": 999_999}),
        client.post("/api/orders", data=f'{{"description": "{MATTER}'.encode(), content_type="application/json"),
        client.post("/api/orders", json=draft, headers={"Idempotency-Key": NAME.encode().decode("latin-1")}),
        client.post(f"/api/orders/{number}/callbacks", json={"reached": MATTER, "remark": PHONE}),
        client.post(f"/api/orders/{number}/signature", json={}),
        client.post(f"/api/orders/{number}/repeat-calls", json={"caller_phone": f"{PHONE}99", "words": MATTER}),
        client.post(f"/api/orders/{number}/merge", json={"into": PHONE, "reason": MATTER}),
        client.get("/api/orders", query_string={"cursor": MATTER}),
        client.post(f"/w/{link}/decline", json={"reason": MATTER}, headers={"Accept": "application/json"}),
        client.post(f"/w/{TOKEN}/accept", data={"note": MATTER}, headers={"Referer": f"http://localhost/w/{link}"}),
        client.get(f"/w/{TOKEN}"),
        client.post("/login", data={"login": PHONE, "password": IDENTITY}),
    ]


def rows_with_marks(database: Database) -> dict[str, list[str]]:
    """Tables beside those of the order that hold a mark, with the marks."""
    found: dict[str, list[str]] = {}
    with database.session() as session:
        for table in set(inspect(database.engine).get_table_names()) - HOLDS_THE_ORDER:
            whole = session.scalars(text(f'SELECT row::text FROM "{table}" AS row')).all()  # noqa: S608 - a table's name
            marks = [mark for mark in MARKS if any(mark in one for one in whole)]
            if marks:
                found[table] = marks
    return found


def test_a_life_with_marked_data_leaves_marks_only_in_the_order_itself(committed: Database, lines: StringIO) -> None:
    with committed.session() as session:
        world = make_world(session)
        session.commit()
    app = the_app()
    with app.app_context():
        limiter.reset()
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key_of(committed, world)}"
    refused = live(committed, client, world)
    for answer in refused:
        assert 400 <= answer.status_code < 500, (answer.request.path, answer.text)
        assert [mark for mark in MARKS if mark in answer.text] == []
    assert rows_with_marks(committed) == {}
    written = lines.getvalue() + client.get("/metrics").text
    assert "request" in written
    assert [mark for mark in MARKS if mark in written] == []
    with committed.session() as session:
        sealed = session.execute(text("SELECT caller_phone::text FROM orders")).scalars().all()
        sealed += session.execute(text("SELECT phone::text FROM order_callers")).scalars().all()
        assert len(sealed) > 2
        assert [one for one in sealed if PHONE in one or OTHER_PHONE in one] == []


def test_a_failure_inside_writes_no_marks_either(
    committed: Database, lines: StringIO, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    app = create_app()

    def fail(statement: str) -> Callable[[], str]:
        def view() -> str:
            with committed.session() as session:
                session.execute(text(statement), {"value": NAME})
            return ""

        return view

    insert = "INSERT INTO services (organisation_id, code, name) VALUES (NULL, 'x', :value)"
    broken = {"cast": "SELECT CAST(:value AS bigint)", "row": insert}
    for name, statement in broken.items():
        app.add_url_rule(f"/{name}", endpoint=name, view_func=fail(statement))
    for name in broken:
        answer = app.test_client().get(f"/{name}", query_string={"phone": PHONE})
        assert answer.status_code == 500
        assert [mark for mark in MARKS if mark in answer.text] == []
    written = lines.getvalue() + "".join(capsys.readouterr()) + (settings.home / "logs" / "postgres.log").read_text()
    assert "InvalidTextRepresentation 22P02" in written
    assert "NotNullViolation 23502 services organisation_id" in written
    assert [mark for mark in MARKS if mark in written] == []


def test_an_unknown_method_is_counted_under_one_name(committed: Database) -> None:
    assert committed.url
    client = the_app().test_client()
    for method in ("BREW", NAME.encode().hex()[:18].upper()):
        client.open("/healthz", method=method)
    measured = client.get("/metrics").text
    assert 'method="other"' in measured
    assert "BREW" not in measured

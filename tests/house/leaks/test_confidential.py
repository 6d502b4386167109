"""Marks of confidential orders and of what else is private leave only to whom the rule allows.

Every route, everybody, every store, every message and the dump of the database's owner are searched. A new route is
walked by itself, because the routes come from the URL map. Short by default: whoever lacks the right of a route, and
everybody at what is open to all, take turns at it; with DISPATCH_TEST_WHOLE=1 (`make attacks`) each of them asks.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.pool import NullPool

from config.settings import Settings
from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.models.access import AuditEntry
from dispatch.models.notify import Notice
from dispatch.rules.access.roles import NOTHING, RIGHTS, SYSTEM, Actor, ActorKind, Right, Role, Scope
from dispatch.rules.notify.texts import subject_of, text_of
from dispatch.services import reports
from dispatch.services.access import keys, sessions, users, vault
from dispatch.services.orders import told
from dispatch.transaction import scope_of_request
from tests.conftest import Database, Servers, the_app
from tests.depth import is_turn
from tests.factories.world import World, make_world
from tests.house.leaks.private import ALIAS, DIFFICULTY, HOLDS, TOPIC, private_leaks, read_in_dump, tell_private, unread
from tests.house.leaks.private import MARKS as PRIVATE
from tests.house.leaks.secret import KIND, MARK, PHONE, Secrets, tell
from tests.house.leaks.walk import Asker, Output, with_data
from tests.house.rights import Route, routes_of

TOOK_THE_CALL = "operator who took the call"
READERS: tuple[str, ...] = (TOOK_THE_CALL, Role.DISPATCHER, Role.CENTRE, Role.CALLBACK_CLERK)
PAGES_THAT_OPEN = (
    "/orders/<number>",
    "/requests/<int",
    "/complaints/<int",
    "/board/dispatch/<number>",
    "/desk/answered/<number>",
)
THE_HOLDER_S_PAGE = "/w/<token>"
REFUSED = (303, 401, 403)
"""Sent to the log-in, asked for a key, told of the missing right."""
DATABASES_OF_REDIS = 16
TURNS = 3
NEEDED_TO_COME = {MARK, PHONE}
"""The room and the telephone; never the kind."""
HOLDS_THE_ORDER = frozenset(
    {
        "orders",
        "order_events",
        "callbacks",
        "complaints",
        "order_requests",
        "assignments",
        "supervisions",
        "offer_recipients",
    }
)
"""Where people's words about an order stand, and where its kind is named."""


@dataclass(slots=True)
class House:
    """The application, its world, the secrets and everybody who asks."""

    app: Flask
    database: Database
    world: World
    secrets: Secrets
    askers: list[Asker]

    def routes(self, *methods: str) -> list[Route]:
        """The routes of these methods, leaving out who would log out."""
        found = with_data(routes_of(self.app))
        return [route for route in found if route.method in methods and route.rule != "/logout"]

    def walk(self, *methods: str) -> Iterator[Output]:
        """Everybody asks every route that is theirs to ask about every order.

        Where something is done to an order on a page that its readers may read whole, they share the orders among
        them: the answer is that page again, and what must not be kept of it is the same whoever of them asked.
        Who lacks the right of a route is refused before an order is looked for, and asks about one.
        """
        for asker in self.askers:
            with self.app.app_context():
                limiter.reset()
            for route in self.due(asker, *methods):
                yield from asker.outputs([route], self.secrets, part_of(asker, route))

    def due(self, asker: Asker, *methods: str) -> list[Route]:
        """What somebody asks: all that their rights open, and the rest in turn with the others."""
        number = self.askers.index(asker)
        return [
            route
            for route in self.routes(*methods)
            if (route.reason is None and asker.may(route)) or is_turn(number, TURNS, f"{route.method} {route.rule}")
        ]


@pytest.fixture
def house(committed: Database) -> Iterator[House]:
    with committed.session() as session:
        world = make_world(session)
        session.commit()
    app = the_app()
    operator, actor = person(app, committed, world, Role.OPERATOR, TOOK_THE_CALL)
    people = {role: person(app, committed, world, role, role) for role in Role}
    with committed.session() as session:
        secrets = tell(session, world, actor)
        private = tell_private(session, world, people[Role.COUNSELLOR][1].user_id or 0)
        secrets = replace(secrets, ids=private.ids, tokens=private.tokens)
        session.commit()
        while reports.count_changes(session, now=clock.now(session)):
            session.commit()
    askers = [operator, *(asker for asker, _ in people.values())]
    askers += [machine(app, committed, world), Asker("anybody", app.test_client())]
    yield House(app, committed, world, secrets, askers)
    scope_of_request.set(NOTHING)


def person(app: Flask, database: Database, world: World, role: Role, who: str) -> tuple[Asker, Actor]:
    """Somebody of a role, logged in, whom the world's orders concern."""
    belongs = {
        Role.TEAM_HEAD: {"team_id": world.block.id},
        Role.AREA_CHIEF: {"area_id": world.area.id},
        Role.PERFORMER: {"performer_id": world.firms[0].id},
    }
    with database.session() as session:
        now = clock.now(session)
        made = users.create_user(
            session, login=who.replace(" ", ""), name="某", password="correct horse battery", actor=SYSTEM, now=now
        )
        place = world.district.id
        users.add_role(session, made.id, role, organisation_id=place, actor=SYSTEM, now=now, **belongs.get(role, {}))
        token = sessions.open_session(session, made.id, is_complete=True, now=now)
        session.commit()
        scope = Scope(organisations=frozenset({place, world.community.id}), communities=frozenset({world.community.id}))
        rights = RIGHTS[role] | {Right.ORDERS_PLACE}
        actor = Actor(ActorKind.OPERATOR, user_id=made.id, organisation_id=place, rights=rights, scope=scope)
    client = app.test_client()
    client.set_cookie("session", token)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = vault.sign("csrf", token.encode()).hex()
    return Asker(who, client, RIGHTS[role]), actor


def machine(app: Flask, database: Database, world: World) -> Asker:
    """A key with every right there is."""
    with database.session() as session:
        place, now = world.district.id, clock.now(session)
        scopes = frozenset(Right)
        _, plain = keys.create_key(session, name="k", organisation_id=place, scopes=scopes, actor=SYSTEM, now=now)
        session.commit()
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {plain}"
    return Asker("key", client, scopes, is_key=True)


def part_of(asker: Asker, route: Route) -> slice:
    """About which of the orders somebody asks a route."""
    if not asker.may(route):
        return slice(1)
    is_shared = route.method != "GET" and reads(asker.who, route)
    return slice(READERS.index(asker.who), None, len(READERS)) if is_shared else slice(None)


def reads(who: str, route: Route) -> bool:
    """Whether they may read all that this page shows of an order."""
    return who in READERS and route.rule.startswith(PAGES_THAT_OPEN)


def allowed(output: Output) -> frozenset[str]:
    """The marks that this answer may hold."""
    if output.route.rule.startswith(THE_HOLDER_S_PAGE):
        return frozenset(NEEDED_TO_COME)
    if reads(output.who, output.route):
        return frozenset({MARK, PHONE, KIND})
    return frozenset()


def leaks(outputs: list[Output]) -> str:
    """What left to whom it should not, a line each."""
    found = {
        f"{one.who}: {one.route.method} {one.route.rule} {sorted(one.marks - allowed(one))}"
        for one in outputs
        if one.marks - allowed(one)
    }
    return "\n".join(sorted(found))


def test_no_route_no_store_and_no_message_tells_a_confidential_order_to_whom_the_rule_hides_it(
    house: House, settings: Settings, lines: StringIO, servers: Servers
) -> None:
    assert read_in_dump(servers.postgres.binaries, house.database.owner_url) == sorted((ALIAS, DIFFICULTY, TOPIC))
    outputs = [*house.walk("GET")]
    assert (leaks(outputs), private_leaks(outputs)) == ("", "")
    assert unread(outputs) == set()
    assert_everything_was_asked(outputs, house)
    assert_the_rule_opens(outputs)
    done = [*house.walk("POST", "PUT", "PATCH", "DELETE")]
    assert (leaks(done), private_leaks(done)) == ("", "")
    assert let_in_without_the_right(outputs + done, house) == set()
    assert {one.route.rule for one in done} == {route.rule for route in house.routes("POST", "PUT", "PATCH", "DELETE")}
    assert_nothing_is_kept(house, settings, lines.getvalue())


def let_in_without_the_right(outputs: list[Output], house: House) -> set[tuple[str, str, int]]:
    """Who came further than the door where they were asked about one order only, because they lack the right."""
    of = {asker.who: asker for asker in house.askers}
    shut = [one for one in outputs if not of[one.who].may(one.route)]
    assert len(shut) > len(outputs) / 3
    return {(one.who, one.route.rule, one.status) for one in shut if one.status not in REFUSED}


def assert_everything_was_asked(outputs: list[Output], house: House) -> None:
    """Each kind of output was had, by name; each GET of the map was asked by all whose turn it was."""
    had = {one.kind for one in outputs if one.status == 200}
    assert {"text/html", "application/json", "image/svg+xml", "image/jpeg", "text/event-stream", "text/plain"} <= had
    assert {one for one in had if "spreadsheet" in one or one in {"text/csv", "application/pdf"}} >= {"text/csv"}
    assert {(one.who, one.route.rule) for one in outputs} == {
        (asker.who, route.rule) for asker in house.askers for route in house.due(asker, "GET")
    }
    assert {one.route.rule for one in outputs} == {route.rule for route in house.routes("GET")}
    opened = {one.route.rule for one in outputs if one.status == 200}
    listed = {"/orders", "/board", "/callbacks", "/requests", "/escalations", "/my", "/inbox", "/alarms", "/desk"}
    asked = {"/orders/<number>", "/orders/<number>/now", "/orders/<number>/slip", "/orders/<number>/ledger.svg"}
    by_key = {"/api/orders", "/api/board", "/api/requests", "/api/orders/<number>/history", "/metrics", "/healthz"}
    assert listed | asked | by_key | {THE_HOLDER_S_PAGE, "/live", "/reports/orders"} <= opened


def assert_the_rule_opens(outputs: list[Output]) -> None:
    """Who may read does: the test does not pass because nothing is shown at all."""
    for reader in READERS:
        page = [one for one in outputs if one.who == reader and one.route.rule == "/orders/<number>"]
        assert any({MARK, KIND} <= one.marks for one in page), reader
    words = "".join(one.text for one in outputs if one.who == Role.CENTRE and one.route.rule == "/orders/<number>")
    told_words = (
        "来电内容",
        "姓名",
        "回答",
        "不接",
        "备注",
        "协办任务",
        "协办结果",
        "核查",
        "说明",
        "答复",
        "回访",
        "投诉",
        "辩解",
    )
    assert [word for word in told_words if f"{MARK}{word}" not in words] == []
    link = [one for one in outputs if one.route.rule == THE_HOLDER_S_PAGE and one.status == 200]
    assert any(MARK in one.marks for one in link)


def test_each_reading_by_a_person_is_noted_once_and_no_other_is(house: House) -> None:
    rule = [route for route in house.routes("GET") if route.rule == "/orders/<number>"]
    for asker in house.askers:
        before = readings(house.database)
        shown = [one for one in asker.outputs(rule, house.secrets) if MARK in one.marks]
        assert readings(house.database) - before == len(shown)
        assert bool(shown) == (asker.who in READERS)


def readings(database: Database) -> int:
    """How often the audit trail says that somebody read a confidential order."""
    with database.session() as session:
        query = select(AuditEntry.id).where(AuditEntry.action == "orders.read_confidential")
        return len(session.scalars(query).all())


def test_the_caller_card_and_the_counts_do_not_tell_that_there_is_one(house: House) -> None:
    for asker in house.askers[:5]:
        card = asker.client.post("/desk/caller", data={"caller_phone": PHONE})
        knows = [number for number in house.secrets.numbers.values() if number in card.text]
        assert bool(knows) == (asker.who in READERS), asker.who
    near = f"/orders/{house.secrets.numbers['going']}/near"
    for asker in house.askers[:3]:
        found = asker.client.get(near, query_string={"text": MARK}).text
        assert (house.secrets.numbers["waiting"] in found) == (asker.who in READERS), asker.who
    kind = {"service": str(kind_id(house.database))}
    for asker in house.askers[:3]:
        found = asker.client.get("/orders", query_string=kind).text
        assert any(number in found for number in house.secrets.numbers.values()) == (asker.who in READERS), asker.who


def kind_id(database: Database) -> int:
    """The id of the confidential kind."""
    with database.session() as session:
        return session.execute(text("SELECT id FROM services WHERE code = 'secret_kind'")).scalar_one()


def assert_nothing_is_kept(house: House, settings: Settings, written: str) -> None:
    """After all that was asked no table beside the order, no message, no log and nothing in Redis holds a mark."""
    words = (MARK, PHONE, KIND, *PRIVATE)
    assert "request" in written
    assert [word for word in words if word in written] == []
    found: dict[str, list[str]] = {}
    with create_engine(house.database.owner_url, poolclass=NullPool).connect() as owner:
        for table in set(inspect(owner).get_table_names()) - {"services"}:
            words_here = PRIVATE if table in HOLDS_THE_ORDER else words
            whole = "".join(owner.execute(text(f'SELECT row::text FROM "{table}" AS row')).scalars())  # noqa: S608
            if marks := [word for word in words_here if word in whole and word not in HOLDS.get(table, ())]:
                found[table] = marks
    assert found == {}
    assert [word for word in words if word in messages_of(house.database)] == []
    kept = redis_of(settings)
    assert [word for word in words if word in kept] == []
    assert [word for word in words for path in logs_of(settings) if word in path.read_text("utf-8", "replace")] == []


def messages_of(database: Database) -> str:
    """Everything that any notice would send, subject, text and facts."""
    said = []
    with database.session() as session:
        now = clock.now(session)
        for notice in session.scalars(select(Notice)).all():
            facts = dict(told.facts_for(session, notice, now=now) or {}) | dict(notice.facts)
            said.append(json.dumps(facts, ensure_ascii=False, default=str))
            said.append(text_of(notice.template, facts, "https://example.com/w/x") + subject_of(notice.template, facts))
            said.append(told.inbox_text(session, notice))
    assert len(said) > 10
    return "\n".join(said)


def redis_of(settings: Settings) -> str:
    """Every key and value in Redis, of every database: hints of Celery, limits, what is kept for a while."""
    kept = []
    client = Redis.from_url(settings.redis_url, single_connection_client=True)
    for number in range(DATABASES_OF_REDIS):
        client.execute_command("SELECT", number)
        for key in client.scan_iter():
            kept += [key, client.dump(key) or b""]
    client.close()
    return b"".join(kept).decode("utf-8", "replace")


def logs_of(settings: Settings) -> list[Path]:
    """The log files of this home."""
    return sorted((settings.home / "logs").glob("*.log"))

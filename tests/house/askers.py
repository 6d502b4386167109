"""Who asks in tests of objects: people and keys of two worlds; what a request changed, whatever its answer says."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from itertools import count

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from werkzeug.test import TestResponse

from dispatch import clock
from dispatch.db import Base
from dispatch.rules.access.roles import SYSTEM, Right, Role
from dispatch.services.access import keys, sessions, users, vault
from tests.conftest import Database
from tests.factories.world import World, make_world
from tests.house.deeds import Body
from tests.house.rights import Route

BELONGS = {Role.TEAM_HEAD: "team_id", Role.AREA_CHIEF: "area_id", Role.PERFORMER: "performer_id"}
PLACE = re.compile(r"<[^>]*\bposition>")
PLACE_HOLDER = re.compile(r"<[^>]+>")
NUMBERS = count(1)
VARYING = re.compile(r"[0-9a-f]{64}|[\w-]{12}(?=</code>|\")|\d{4}-\d\d-\d\dT[\d:.+]+")
ENOUGH = 1_000
"""What a firm can do at once: one world has an order for each route."""

NO_ID = str(10**15)
NOTED_BY_EVERY_REQUEST = frozenset({"user_sessions", "api_keys"})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a client with what lets it in, the user's id (0: a key)."""

    client: FlaskClient
    headers: dict[str, str]
    user_id: int = 0

    def ask(self, route: Route, name: str, body: Body) -> TestResponse:
        """One request about the object of this name."""
        address = PLACE_HOLDER.sub(name, PLACE.sub("1", route.rule))
        asked = {"query_string": body} if route.method == "GET" else None
        sent = asked or ({"json": body} if is_api(route) else {"data": as_form(body)})
        return self.client.open(address, method=route.method, headers=self.headers, **sent)

    def answer(self, route: Route, name: str, body: Body) -> tuple[int, str]:
        """The answer without what differs between any two requests."""
        got = self.ask(route, name, body)
        told = got.text.replace(got.headers.get("X-Request-ID", ""), "REQUEST")
        told = told.replace(f"编号 {got.status_code}", "编号 STATUS")  # an object may have the number 404
        return got.status_code, VARYING.sub("", re.sub(rf"(?<=[/ ]){name}\b", "NAME", told))


def as_form(body: Body) -> Body:
    """The fields of a form; bytes are a file."""
    return {name: (BytesIO(one), f"{name}.png") if isinstance(one, bytes) else one for name, one in body.items()}


def is_api(route: Route) -> bool:
    return route.rule.startswith("/api/")


def person(
    application: Flask, database: Database, role: Role, place: int, *, belongs: int = 1, others: Iterable[Role] = ()
) -> Asker:
    """Somebody of this role, and of others, at an organisation, logged in."""
    with database.session() as session:
        now = clock.now(session)
        user = users.create_user(
            session,
            login=f"{role}{place}-{next(NUMBERS)}",
            name="某",
            password="correct horse battery",
            actor=SYSTEM,
            now=now,
        )
        for one in (role, *others):
            more = {BELONGS[one]: belongs} if one in BELONGS else {}
            users.add_role(session, user.id, one, organisation_id=place, actor=SYSTEM, now=now, **more)
        token = sessions.open_session(session, user.id, is_complete=True, now=now)
        session.commit()
    client = application.test_client()
    client.set_cookie("session", token)
    return Asker(client, {"X-CSRF-Token": vault.sign("csrf", token.encode()).hex()}, user.id)


def machine(application: Flask, database: Database, place: int, scopes: frozenset[Right]) -> Asker:
    """A key of an organisation."""
    with database.session() as session:
        now = clock.now(session)
        _, plain = keys.create_key(session, name="k", organisation_id=place, scopes=scopes, actor=SYSTEM, now=now)
        session.commit()
    return Asker(application.test_client(), {"Authorization": f"Bearer {plain}"})


def two_worlds(database: Database) -> tuple[World, World]:
    """Mine and another's."""
    with database.session() as session:
        made = make_world(session), make_world(session)
        for firm in (*made[0].firms, *made[1].firms):
            firm.capacity = ENOUGH
        session.commit()
        return made


def state_of(database: Database) -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a digest of them, past every fence; but for what any request notes."""
    read = "SELECT '{0}', count(*), md5(coalesce(string_agg(one::text, '' ORDER BY one::text), '')) FROM {0} AS one"
    tables = sorted(set(Base.metadata.tables) - NOTED_BY_EVERY_REQUEST)
    with create_engine(database.owner_url, poolclass=NullPool).connect() as owner:
        found = owner.execute(text(" UNION ALL ".join(map(read.format, tables))))
        return {table: (rows, digest) for table, rows, digest in found}

"""The exact keys that leave by role, written down in docs/fields.md; what is hidden is not asked for either."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.models.catalogue import KnowledgeItem, Performer
from dispatch.models.grid import Resident
from dispatch.models.market import AidApplication
from dispatch.models.orders import Order, OrderCaller
from dispatch.rules.access.roles import NOTHING, RIGHTS, SYSTEM, Right, Role
from dispatch.services import orders
from dispatch.services.access import keys, sessions, users, vault
from dispatch.services.orders import NamedRound, OrderDraft, WorkReport
from dispatch.transaction import scope_of_request
from tests.conftest import Database, the_app
from tests.factories.aid import approved
from tests.factories.knowledge import make_knowledge
from tests.factories.visits import resident
from tests.factories.world import World, make_world, staff
from tests.house.fields import EMPTY, FULL, HEAD, MASKED, Thing, facts, lines_of, table

PAGE = Path(__file__).parents[2] / "docs" / "fields.md"
PHONE = "17400000001"
PLACE = {"room", "building_id", "stairwell_id", "address_text", "place_candidates"}
MATTER = {"service_id", "description", "caller_name", "caller_phone"}
ANY_ORDER = ("sort", "order", "order_by", "sort_by", "filter", "fields", "-caller_phone")
PUBLISHED = "/api/statements"
"""What everybody may read, without anything of a person."""
BELONGS = {Role.TEAM_HEAD: "team_id", Role.AREA_CHIEF: "area_id", Role.PERFORMER: "performer_id"}


@dataclass(frozen=True, slots=True)
class House:
    """The application and what it knows: an order, the same confidential, and whom to ask about."""

    app: Flask
    database: Database
    world: World
    open: str
    secret: str
    application: int

    def things(self) -> list[Thing]:
        """What leaves by the API."""
        found = []
        for number, word in ((self.open, "order"), (self.secret, "confidential order")):
            place = 0 if number == self.secret else 1
            about = f"/api/orders/{number}"
            found += [
                Thing(f"{word}, in the list", "/api/orders", f"items.{place}"),
                Thing(f"{word}", about),
                Thing(f"{word}: step of the history", f"{about}/history", "items.-1"),
                Thing(f"{word}: caller", f"{about}/callers", "items.0"),
                Thing(f"{word}: offer", f"{about}/offers", "items.0"),
                Thing(f"{word}: decision", f"{about}/decisions", "" if number == self.secret else "items.0"),
            ]
        firm = self.world.firms[0].code
        return [
            *found,
            Thing("resident", "/api/residents?q=陈", "items.0"),
            Thing("performer", "/api/performers", "items.0"),
            Thing("firm", f"/api/firms/{firm}"),
            Thing("knowledge, in the list", "/api/knowledge", "items.0"),
            Thing("knowledge", "/api/knowledge/elder_card"),
            Thing("beneficiary, in the list", "/api/beneficiaries", "items.0"),
            Thing("application for aid", f"/api/aid-applications/{self.application}"),
        ]

    def machine(self, rights: frozenset[Right]) -> FlaskClient:
        """A key with these rights."""
        with self.database.session() as session:
            place, now = self.world.district.id, clock.now(session)
            _, plain = keys.create_key(session, name="k", organisation_id=place, scopes=rights, actor=SYSTEM, now=now)
            session.commit()
        client = self.app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {plain}"
        return client

    def person(self, role: Role) -> FlaskClient:
        """Somebody of a role, whom the world's orders concern, logged in."""
        belongs = {"team_id": self.world.line.id, "area_id": self.world.area.id, "performer_id": self.world.firms[0].id}
        with self.database.session() as session:
            now = clock.now(session)
            made = users.create_user(
                session, login=str(role), name="某", password="correct horse battery", actor=SYSTEM, now=now
            )
            own = {BELONGS[role]: belongs[BELONGS[role]]} if role in BELONGS else {}
            place = self.world.district.id
            users.add_role(session, made.id, role, organisation_id=place, actor=SYSTEM, now=now, **own)
            token = sessions.open_session(session, made.id, is_complete=True, now=now)
            session.commit()
        client = self.app.test_client()
        client.set_cookie("session", token)
        return client


@pytest.fixture
def house(committed: Database) -> Iterator[House]:
    with committed.session() as session:
        world = make_world(session)
        open_one, secret = (lived(session, world, confidential=hidden) for hidden in (False, True))
        known(session, world)
        make_knowledge(session, staff(session, world, Role.CENTRE), clock.now(session))
        application = approved(session, world).id
        session.commit()
    yield House(the_app(), committed, world, open_one, secret, application)
    scope_of_request.set(NOTHING)


def known(session: Session, world: World) -> None:
    """A resident of whom everything is known."""
    made = resident(session, world, birth_date=date(1940, 1, 1), sex="female")
    made.phone = vault.seal(f"residents.phone.{made.uid}", PHONE)
    made.identity_number = vault.seal(f"residents.identity_number.{made.uid}", "110101194001010029")


def lived(session: Session, world: World, *, confidential: bool) -> str:
    """An order that was taken, offered, accepted, done and answered, with every field that people fill."""
    now = clock.now(session)
    draft = OrderDraft(
        description="厨房下水道堵了",
        service_code="drain_clearing",
        address_text="1号楼1单元501",
        stairwell_id=world.stairwells[0].id,
        room="501",
        caller_name="王秀英",
        caller_phone=PHONE,
        confidential=confidential,
    )
    order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)
    orders.route(session, order.id, now=now)
    session.refresh(order)
    ((offer, recipient, _),) = orders.offers_of(session, order)
    part = NamedRound(recipient.performer_id, order.number, offer.round)
    orders.accept(session, part, now=now)
    orders.finish(session, part, WorkReport("partly", cost_fen=5_000, note="明天再来"), now=now)
    orders.feed_back(session, order, answer="已疏通", actor=staff(session, world, Role.TEAM_HEAD), now=now)
    orders.repeat_call(session, order, phone=PHONE, actor=staff(session, world, Role.OPERATOR), now=now)
    orders.remark(session, order, text="居民又来电", actor=staff(session, world, Role.DISPATCHER), now=now)
    return order.number


def test_the_page_of_fields_is_what_leaves(house: House) -> None:
    machines = {role: house.machine(RIGHTS[role]) for role in Role}
    lines = [HEAD.rstrip("\n")]
    for thing in house.things():
        lines += lines_of(thing.name, table({role: thing.read(client) for role, client in machines.items()}))
    people = {role: house.person(role) for role in Role}
    for number, word in ((house.open, "order"), (house.secret, "confidential order")):
        pages = {role: client.get(f"/orders/{number}") for role, client in people.items()}
        shown = {role: facts(page.text) if page.status_code == 200 else None for role, page in pages.items()}
        lines += lines_of(f"{word}: facts of its page", table(shown))
    page = "\n".join(lines) + "\n"
    if os.environ.get("DISPATCH_TEST_WRITE"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def test_a_confidential_order_leaves_the_same_keys_and_nothing_of_place_or_matter(house: House) -> None:
    client = house.machine(frozenset(Right))
    plain, secret = (Thing("", f"/api/orders/{number}").read(client) or {} for number in (house.open, house.secret))
    assert list(plain) == list(secret)
    assert {key for key in plain if plain[key] != EMPTY == secret[key]} == (PLACE | MATTER) - {"place_candidates"}
    assert (plain["caller_phone"], plain["caller_name"]) == (MASKED, FULL)


def test_what_is_hidden_or_not_offered_can_neither_be_sorted_nor_filtered_by(house: House) -> None:
    client = house.machine(frozenset(Right))
    models = (Order, OrderCaller, Resident, Performer, KnowledgeItem, AidApplication)
    columns = {column.name for model in models for column in model.__table__.c}
    assert {*MATTER, "room", "identity_number", "performer_id"} <= columns
    lists = list(lists_of(client))
    assert {"/api/orders", "/api/residents", "/api/performers", "/api/firms", "/api/knowledge"} <= {
        path for path, _ in lists
    }
    taken = []
    for path, offered in lists:
        for name in sorted({*columns, *ANY_ORDER} - set(offered)):
            with house.app.app_context():
                limiter.reset()
            answer = client.get(path, query_string={name: "1"})
            if answer.status_code != 422 or name not in answer.text:
                taken.append((path, name, answer.status_code))
    assert taken == []


def lists_of(client: FlaskClient) -> Iterator[tuple[str, list[str]]]:
    """The addresses of the API that are asked with something, and what they may be asked with."""
    for path, methods in client.get("/api/openapi.json").json["paths"].items():
        asked = [one["name"] for one in methods.get("get", {}).get("parameters", []) if one.get("in") == "query"]
        if asked and "{" not in path and path != PUBLISHED:
            yield path, asked

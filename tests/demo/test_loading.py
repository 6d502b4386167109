"""The demo community in a real database: exact numbers, once, log-ins that work, fences that hold."""

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from config.settings import Settings
from dispatch import clock
from dispatch.db import make_engine
from dispatch.demo.calls import draft_calls
from dispatch.demo.community import Community
from dispatch.demo.credentials import DemoSecrets
from dispatch.demo.day.story import Story
from dispatch.demo.known import Known
from dispatch.demo.loading import Loaded, load
from dispatch.demo.loading.accounts import SCOPES
from dispatch.demo.sheet import CARDS_SHOWN, write_sheet
from dispatch.demo.understanding import measure
from dispatch.rules.access.roles import EVERYTHING, SYSTEM, Role, Scope
from dispatch.services import grid
from dispatch.services.access import keys, sign_in
from dispatch.services.market import beneficiaries
from dispatch.transaction import Doors, transaction
from tests.conftest import Servers

SECRET = "4f" * 32
INBOX = "http://127.0.0.1:9"
DATABASE = "demo_loaded"
EXACT = {
    "areas": 5,
    "buildings": 132,
    "stairwells": 610,
    "teams WHERE kind = 'block'": 10,
    "teams WHERE kind = 'line'": 24,
    "services WHERE 'hotline' = ANY (offered)": 32,
    "services WHERE 'station' = ANY (offered)": 12,
    "services WHERE 'counselling' = ANY (offered)": 13,
    "performers WHERE kind = 'firm'": 64,
    "performers WHERE kind = 'helper' AND resident_id IS NOT NULL": 160,
    "establishments": 96,
    "residents": 4_010,
    "posts WHERE kind = 'stairwell_leader'": 610,
    "posts WHERE kind = 'group_leader'": 132,
    "posts WHERE kind = 'area_chief'": 5,
    "territories": 132,
    "enrolments WHERE household_id IS NOT NULL AND ends_on IS NULL": 10,
    "enrolments WHERE resident_id IS NOT NULL AND ends_on IS NULL": 18,
    "pairing_helpers WHERE kind = 'volunteer'": 10,
    "pairing_helpers WHERE kind = 'party_member'": 3,
    "pairing_helpers WHERE kind = 'community_worker'": 3,
    "visit_schedules": 3,
    "contacts WHERE kind = 'visit'": 7,
    "contacts WHERE kind = 'test'": 8,
    "gifts": 3,
    "gift_lines": 4,
    "pledges WHERE state = 'open'": 1,
    "condolences WHERE state = 'done'": 3,
    "spendings WHERE state = 'booked' AND purpose = 'party_care'": 1,
    "solicitation_entries WHERE answered_at IS NOT NULL": 5,
    "festival_invitations WHERE attended": 20,
    "counselling_notes": 1,
    "course_members WHERE seat IS NULL": 2,
    "certificates": 4,
    "station_visits": 17,
    "station_visits JOIN orders ON orders.id = station_visits.order_id": 1,
    "introductions WHERE outcome = 'hired'": 1,
    "appeals": 1,
    "sales WHERE state = 'published' AND first_by <> second_by": 1,
}

pytestmark = pytest.mark.xdist_group("demo_loaded")
"""What stands up once for all tests of this file is slow to make: they run in one process."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A loaded database and what its load said."""

    engine: Engine
    loaded: Loaded

    def number(self, table: str) -> int:
        """How many rows a table has (with a condition)."""
        with transaction(EVERYTHING) as session:
            return session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608


@pytest.fixture(scope="module")
def demo(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo community, loaded once for the tests of this file."""
    engine = make_engine(servers.clone(DATABASE))
    before, Doors.engine = Doors.engine, engine
    yield Demo(engine, load(tmp_path_factory.mktemp("home"), SECRET, INBOX))
    Doors.engine = before
    engine.dispose()
    servers.drop(DATABASE)


@pytest.mark.parametrize(("table", "number"), EXACT.items())
def test_the_database_holds_exactly_what_the_mission_counts(demo: Demo, table: str, number: int) -> None:
    assert demo.number(table) == number


def test_a_second_load_changes_nothing(demo: Demo, tmp_path: Path) -> None:
    tables = ["organisations", "users", "memberships", "residents", "performers", "audit_entries", "api_keys"]
    before = {table: demo.number(table) for table in tables}

    again = load(tmp_path, SECRET, INBOX)

    assert not again.is_new
    assert again.community == demo.loaded.community
    assert {table: demo.number(table) for table in tables} == before


def test_a_new_address_of_the_inbox_moves_the_webhooks_only(demo: Demo, tmp_path: Path) -> None:
    again = load(tmp_path, SECRET, "http://127.0.0.1:10")

    assert not again.is_new
    assert demo.number("performers WHERE webhook_url LIKE 'http://127.0.0.1:10/%'") == 32
    assert demo.number("performers WHERE webhook_url LIKE 'http://127.0.0.1:9/%'") == 0


def test_another_community_beside_the_demo_is_not_taken_for_it(demo: Demo, tmp_path: Path) -> None:
    with transaction(EVERYTHING) as session:
        other = grid.create_organisation(
            session, kind="community", code="canary", name="探针", is_hidden=True, actor=SYSTEM, now=clock.now(session)
        )
        session.execute(
            text("INSERT INTO areas (community_id, number, name, latitude, longitude) VALUES (:id, 1, '探针', 0, 0)"),
            {"id": other.id},
        )

    again = load(tmp_path, SECRET, INBOX)
    with transaction(EVERYTHING) as session:
        areas = Known(session, again.community).areas()
        session.execute(text("DELETE FROM areas WHERE community_id = :id"), {"id": other.id})

    assert not again.is_new
    assert again.community == demo.loaded.community
    assert len(set(areas.values())) == 5
    assert min(areas.values()) == areas["A1"]


def test_an_interrupted_load_is_taken_up_where_it_ended(demo: Demo, tmp_path: Path) -> None:
    with transaction(EVERYTHING) as session:
        session.execute(text("DELETE FROM api_keys WHERE name LIKE '%read'"))
        session.execute(text("DELETE FROM memberships WHERE role = 'admin'"))

    again = load(tmp_path, SECRET, INBOX)

    assert {title for title, count in again.rows.items() if count} == {"角色 · roles", "密钥 · API keys"}
    assert demo.number("api_keys") == len(SCOPES)


def test_everybody_on_the_staff_has_a_role_and_can_log_in_at_once(demo: Demo) -> None:
    secrets = DemoSecrets(SECRET)
    first = {one.role: one for one in reversed(demo.loaded.community.staff)}

    for role, one in first.items():
        with transaction(EVERYTHING) as session:
            found = sign_in.log_in(session, one.login, secrets.password(one.login), now=clock.now(session))
        assert found.outcome is sign_in.Outcome.DONE, role
    assert demo.number("users WHERE NOT EXISTS (SELECT FROM memberships WHERE user_id = users.id)") == 0
    assert set(first) == set(Role)


def test_a_wrong_password_is_refused(demo: Demo) -> None:
    login = demo.loaded.community.staff[0].login

    with transaction(EVERYTHING) as session:
        found = sign_in.log_in(session, login, "not the password", now=clock.now(session))

    assert found.outcome is sign_in.Outcome.REFUSED


@pytest.mark.parametrize("name", SCOPES)
def test_each_key_carries_its_scopes_and_reaches_the_community(demo: Demo, name: str) -> None:
    with transaction(EVERYTHING) as session:
        actor = keys.authenticate_key(session, DemoSecrets(SECRET).api_key(name))

    assert actor is not None
    assert actor.rights == SCOPES[name]
    assert len(actor.scope.communities) == 1
    assert demo.number("api_keys") == len(SCOPES)


def test_the_fences_show_the_community_only_to_whom_has_it_in_reach(demo: Demo) -> None:
    with transaction(EVERYTHING) as session:
        own = session.execute(text("SELECT id FROM organisations WHERE code = 'houqing'")).scalar_one()
    seen = {}
    for community in (own, own + 1_000):
        with transaction(Scope(communities=frozenset({community}))) as session:
            tables = ("residents", "stairwells", "posts", "teams")
            seen[community] = [
                session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
                for table in tables
            ]

    assert seen[own][:2] == [4_010, 610]
    assert seen[own + 1_000] == [0, 0, 0, 0]
    assert demo.number("teams") == 34


def test_no_phone_or_identity_number_stands_open_in_the_register(demo: Demo) -> None:
    one = next(one for one in demo.loaded.community.register.residents if one.phone)

    with transaction(EVERYTHING) as session:
        rows = session.execute(text("SELECT residents::text FROM residents")).scalars().all()

    assert not any(one.id_number in row or str(one.phone) in row for row in rows)


def test_the_sheet_is_readable_by_its_owner_only_and_the_same_each_time(
    demo: Demo, settings: Settings, tmp_path: Path
) -> None:
    here = replace(settings, home=tmp_path, secret=SECRET)

    path = write_sheet(here, demo.loaded.community)
    first = path.read_text(encoding="utf-8")
    write_sheet(here, demo.loaded.community)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text(encoding="utf-8") == first
    content = json.loads(first)
    assert {account["role"] for account in content["accounts"]} == {str(role) for role in Role}
    assert set(content["api_keys"]) == set(SCOPES)
    assert content["base_url"] == here.base_url


def test_two_installations_have_no_password_or_key_in_common(community: Community) -> None:
    one, other = DemoSecrets("a" * 64), DemoSecrets("b" * 64)
    logins = [each.login for each in community.staff]

    assert not {one.password(login) for login in logins} & {other.password(login) for login in logins}
    assert one.api_key("read") != other.api_key("read")


def test_spoken_addresses_are_understood_and_never_guessed(demo: Demo) -> None:
    community = demo.loaded.community
    calls = draft_calls(Story(1).chance("understanding"), 400, community)

    with transaction(EVERYTHING) as session:
        found = measure(session, community, calls)

    assert not any(verdict == "wrong" for _, verdict in found.verdicts), found.misses
    assert found.share("stairwell", "right") >= 0.9
    assert found.share("stairwell", "right", "candidate") >= 0.98
    assert found.share("building", "right") == found.share("area", "right") == 1
    assert found.share("caller", "right", "candidate") >= 0.8


def test_forty_are_given_something_each_with_a_card_of_which_the_sheet_tells_some(demo: Demo) -> None:
    assert demo.number("aid_applications WHERE standing = 'approved'") == 40
    assert demo.number("cards WHERE ended_at IS NULL") == demo.number("files WHERE subject = 'aid_applications'") == 40
    with transaction(EVERYTHING) as session:
        for number in range(CARDS_SHOWN):
            typed = DemoSecrets(SECRET).card_token(number)
            assert beneficiaries.scan(session, typed, actor=SYSTEM, now=clock.now(session)).name is not None

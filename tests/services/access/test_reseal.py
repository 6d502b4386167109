"""Sealing anew: every sealed column is known, opens in its place, and moves under the new key while others work."""

import os
import re
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from itertools import product
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import LargeBinary, select, text
from sqlalchemy.orm import Session

from config.settings import get_settings
from dispatch import clock
from dispatch.cli import main
from dispatch.models import metadata
from dispatch.models.access import User
from dispatch.models.care import DutyPeriod
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.access.sealing import Undeclared
from dispatch.rules.market.campaigns import PartnerKind
from dispatch.rules.market.hand_outs import Proxy
from dispatch.services import care, catalogue, funds, grid, market, orders
from dispatch.services.access import files, idempotency, reseal, users, vault
from dispatch.services.access.sealed import ANSWER, OF_PEOPLE, SEALED, SealedColumn
from dispatch.services.care import alarms
from dispatch.services.market import applications
from tests.conftest import Database
from tests.factories import aid as aid_factory
from tests.factories.alarms import device_of
from tests.factories.care import home, make_calendar, visited, voucher
from tests.factories.counselling import with_phone_and_mail
from tests.factories.counter import card_of, reserve, sign
from tests.factories.funds import give, make_treasury
from tests.factories.giving import make_pledge
from tests.factories.market import make_shop, milk_of
from tests.factories.station import with_phones
from tests.factories.world import World, make_world, staff
from tests.house.life_deeds import told_wrongly
from tests.services.catalogue.test_firms import applied
from tests.statements import statements

IDENTITY, USCC = "331102195602290024", "91350100M000100Y43"
NOW = datetime(2026, 6, 1, 1, tzinfo=UTC)
NEVER_SEALED = re.compile(r".*(_hash|_index|^digest|^signature|^previous|^fingerprint|^chain_head|^record|^root)$")
"""Hashes, blind indexes, links of chains, roots of trees, and the packed record of a decision."""
NEW = "new/aes-256-gcm"
USERS_PHONE = next(one for one in SEALED if one.name == "users.phone")


def set_keys(value: str) -> None:
    """Give this process other field keys, as a restart would."""
    os.environ["DISPATCH_FIELD_KEYS"] = value
    get_settings.cache_clear()
    vault.key_ring.cache_clear()


@pytest.fixture
def rotated() -> Iterator[str]:
    """A new key to be put in front; the old ring comes back afterwards."""
    before = os.environ["DISPATCH_FIELD_KEYS"]
    yield f"new:{secrets.token_hex(32)},{before}"
    set_keys(before)


@pytest.fixture
def cipher() -> Iterator[Callable[[str], None]]:
    """Give this process another cipher, as a restart would; the default comes back afterwards."""

    def choose(word: str) -> None:
        os.environ["DISPATCH_CIPHER"] = word
        set_keys(os.environ["DISPATCH_FIELD_KEYS"])

    yield choose
    del os.environ["DISPATCH_CIPHER"]
    set_keys(os.environ["DISPATCH_FIELD_KEYS"])


@pytest.fixture
def lived(committed: Database) -> Database:
    """A database in which the services themselves have filled every sealed column."""
    with committed.session() as session:
        world = make_world(session, firms=1)
        people(session, world)
        work(session, world)
        giving(session, world)
        treasury(session, world)
        aid(session, world)
        counter(session)
        alarm(session, world)
        visits(session)
        told_wrongly(session, world)
        with_phone_and_mail(session, world)
        with_phones(session, world)
        session.commit()
    return committed


def people(session: Session, world: World) -> None:
    """A user, a resident and an establishment."""
    said = {"phone": "13800005678", "email": "a@staff.example", "totp_secret": "JBSWY3DPEHPK3PXP"}
    users.create_user(
        session, login="linfang", name="林芳", password="correct horse battery", actor=SYSTEM, now=NOW, **said
    )
    community = world.community.id
    resident = grid.ResidentDraft("张三", phone="13800005678", identity_number=IDENTITY, sensitive="高血压")
    grid.register_residents(session, community, [resident], actor=SYSTEM, now=NOW)
    unit = grid.EstablishmentDraft("unit", "学校", USCC, world.area.id, phone="13800005678")
    grid.register_establishments(session, community, [unit], actor=SYSTEM)


def giving(session: Session, world: World) -> None:
    """A donor, a pledge and a partner with their numbers."""
    phone, community = "13800005678", world.community.id
    donor = market.DonorDraft("陈桂花", phone=phone, email="chen@example.org")
    market.add_donor(session, community, donor, actor=SYSTEM, now=NOW)
    make_pledge(session, world, now=NOW)
    partner = market.PartnerDraft(PartnerKind.CHARITY, "慈善总会", phone=phone)
    market.add_partner(session, community, partner, actor=SYSTEM, now=NOW)


def treasury(session: Session, world: World) -> None:
    """A receipt and a donor's consent."""
    made, now = make_treasury(session, world.community.id), clock.now(session)
    funds.issue_receipt(session, give(session, made, 5).id, received_from="陈桂花", actor=SYSTEM, now=now)
    target = funds.Wish(made.overseas.id)
    consent = funds.NewConsent(funds.Wish(made.general.id), target, 5, "陈桂花", clock.today(now), "收据背面")
    funds.record_consent(session, world.community.id, consent, actor=SYSTEM, now=now)


def work(session: Session, world: World) -> None:
    """A firm with its secrets, one that applies, an order with two callers, a stored answer and a picture."""
    contact = {"phone": "+8613800005678", "email": "f@firms.example", "webhook_secret": "shared"}
    catalogue.create_performer(session, world.community.id, locksmith(world, **contact), actor=SYSTEM)
    draft = orders.OrderDraft(
        description="厨房下水道堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id,
        caller_phone="13800005678",
    )  # fmt: skip
    order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=NOW)
    orders.route(session, order.id, now=NOW)
    clerk = staff(session, world, Role.OPERATOR)
    orders.repeat_call(session, order, name="李某", phone="13800001234", words="也堵了", actor=clerk, now=NOW)
    applied(session, world, clerk=clerk)
    claimed = idempotency.replay(session, "key:1", "orders.place", "abc", idempotency.fingerprint({"a": 1}))
    assert claimed is None
    idempotency.remember(session, "key:1", "orders.place", "abc", idempotency.Stored(201, b"{}"))
    picture = BytesIO()
    Image.new("RGB", (60, 40), "red").save(picture, format="JPEG")
    files.store_image(
        session, picture.getvalue(), subject="visits", subject_id=7, purpose="photo",
        community_id=world.community.id, actor=SYSTEM, now=NOW,
    )  # fmt: skip


def counter(session: Session) -> None:
    """A hand-out that a proxy has signed for."""
    shop = make_shop(session)
    milk_of(session, shop, 3, 5)
    made = reserve(session, shop, card_of(session, shop), (shop.milk.id, 1))
    sign(session, shop, made, proxy=Proxy("李四", "儿子"))


def visits(session: Session) -> None:
    """A visit with all that was said, an exemption that was asked for, and an enrolment that ended."""
    calendar, now = make_calendar(session), clock.now(session)
    elder = home(session, calendar)[0]
    enrolment = voucher(session, calendar, elder, now=now)
    due = session.scalars(select(DutyPeriod)).first()
    assert due is not None
    care.ask_excuse(session, due.id, code="away", words="去女儿家", actor=calendar.planner, now=now)
    words = {"complaint": "腿疼", "difficulty": "灯坏了", "note": "都好"}
    visited(session, calendar, elder, now, **words)
    end = {"code": "ended", "reason": "不要了", "actor": calendar.planner, "now": now}
    care.end_enrolment(session, enrolment.id, **end)  # type: ignore[arg-type]


def alarm(session: Session, world: World) -> None:
    """A device that speaks under a key, and a child who is written to."""
    device = device_of(session, world, None, key="00112233445566778899aabbccddeeff")
    child = alarms.ContactDraft("child", "陈小明", "13800005678", "ming@example.org")
    alarms.add_contact(session, device.id, child, actor=SYSTEM, now=clock.now(session))


def aid(session: Session, world: World) -> None:
    """An application that was refused, and one that was ended."""
    centre, now = staff(session, world, Role.CENTRE), clock.now(session)
    applications.refuse(session, aid_factory.applied(session, world), reason="不符合", actor=centre, now=now)
    applications.end(session, aid_factory.approved(session, world), reason="搬走", actor=centre, now=now)


def locksmith(world: World, **contact: str) -> catalogue.NewPerformer:
    """A firm of the world's district."""
    return catalogue.NewPerformer(
        uid=uuid4(), organisation_id=world.district.id, community_id=None, kind="firm", code="F9", name="金钥锁业",
        uscc=None, team_id=None, user_id=None, webhook_url=None, channel="email", latitude=28.45, longitude=119.91,
        capacity=3, shifts={}, satisfaction_permille=900, service_codes=("drain_clearing",),
        areas=(world.area.id,), papers=(), **contact,
    )  # fmt: skip


def values(session: Session, one: SealedColumn) -> dict[str, bytes]:
    """The values of a column by their place."""
    rows = metadata.tables[one.table]
    value = rows.c[one.column].label("value")
    found = session.execute(select(*(rows.c[name] for name in one.named_by), value).where(value.is_not(None)))
    return {one.place(row): row["value"] for row in found.mappings()}


def everything(database: Database) -> dict[str, bytes]:
    """Every sealed value by its place."""
    with database.session() as session:
        return {place: value for one in SEALED for place, value in values(session, one).items()}


def test_every_column_of_bytes_is_on_the_list_or_never_sealed() -> None:
    columns = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    unsealed = {(table, name) for table, name in columns if NEVER_SEALED.fullmatch(name)}
    assert {(one.table, one.column) for one in SEALED} == columns - unsealed - OF_PEOPLE


def test_the_list_names_each_row_by_what_is_unique_and_in_the_order_of_its_primary_key() -> None:
    for one in SEALED:
        table = metadata.tables[one.table]
        assert one.key == tuple(column.name for column in table.primary_key)
        unique = {tuple(sorted(column.name for column in key.columns)) for key in table.constraints}
        unique |= {(column.name,) for column in table.columns if column.unique}
        assert tuple(sorted(one.named_by)) in unique, one.name


def test_the_application_may_write_every_sealed_column(session: Session) -> None:
    for one in SEALED:
        allowed = text("SELECT has_column_privilege(current_user, :table, :column, 'UPDATE')")
        assert session.execute(allowed, {"table": one.table, "column": one.column}).scalar_one(), one.name


@pytest.mark.parametrize("place", ["users.name.1", "nowhere.phone.1", "users", ""])
def test_nothing_is_sealed_for_a_column_that_is_not_on_the_list(place: str) -> None:
    with pytest.raises(Undeclared):
        vault.seal(place, "13800005678")


def test_what_the_services_sealed_opens_at_the_place_that_the_list_names(lived: Database) -> None:
    found = everything(lived)
    assert {".".join(place.split(".")[:2]) for place in found} == {one.name for one in SEALED}
    assert all(vault.open_bytes(place, value) for place, value in found.items())


def test_after_sealing_anew_the_old_key_may_be_thrown_away(
    lived: Database, rotated: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = {place: vault.open_bytes(place, value) for place, value in everything(lived).items()}
    set_keys(rotated)
    assert main(["keys"]) == 1
    assert f"{len(plain)} values are not under new/aes-256-gcm" in capsys.readouterr().out

    assert main(["keys", "reseal"]) == 0
    assert "every value is under new/aes-256-gcm" in capsys.readouterr().out
    set_keys(rotated.split(",", maxsplit=1)[0])
    after = everything(lived)
    assert {place: vault.open_bytes(place, value) for place, value in after.items()} == plain
    assert main(["keys"]) == 0

    assert main(["keys", "reseal"]) == 0, "and once more changes nothing"
    assert everything(lived) == after
    with lived.session() as session:
        said = text("SELECT sum((fields->>'values')::int) FROM audit_entries WHERE action = 'access.reseal'")
        assert session.execute(said).scalar_one() == len(plain)


def test_values_move_to_another_cipher_and_back_as_they_move_to_another_key(
    lived: Database, cipher: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(lived)
    plain = {place: vault.open_bytes(place, value) for place, value in before.items()}
    for chosen in ("sm4-gcm", "aes-256-gcm"):
        cipher(chosen)
        assert main(["keys"]) == 1
        assert {place: vault.open_bytes(place, value) for place, value in everything(lived).items()} == plain
        assert main(["keys", "reseal"]) == 0
        assert f"every value is under test/{chosen}" in capsys.readouterr().out
        after = everything(lived)
        assert not set(after.values()) & set(before.values())
        assert {place: vault.open_bytes(place, value) for place, value in after.items()} == plain


def test_a_walk_that_was_killed_is_taken_up_again(lived: Database, rotated: str) -> None:
    one = SealedColumn("users", "phone", rows_at_once=2)
    with lived.session() as session:
        for number in range(5):
            users.create_user(
                session, login=f"user{number}x", name="乙", password="correct horse battery",
                phone="13800005678", actor=SYSTEM, now=NOW,
            )  # fmt: skip
        session.commit()
        set_keys(rotated)
        first = reseal.reseal_some(session, one, None)
        session.commit()
        assert (first.looked_at, first.position is None) == (2, False)
        assert main(["keys", "reseal"]) == 0
        assert reseal.count_keys(session, USERS_PHONE) == {NEW: 6}


def test_answers_are_walked_along_the_three_parts_of_their_key_without_a_gap(lived: Database, rotated: str) -> None:
    one = SealedColumn("idempotency", "body", ANSWER, ANSWER, rows_at_once=3)
    with lived.session() as session:
        for principal, route, key in product(("key:1", "key:10", "甲"), ("a", "b/c"), ("", "/", "z")):
            idempotency.replay(session, principal, route, key, b"mark")
            idempotency.remember(session, principal, route, key, idempotency.Stored(201, b"{}"))
        session.commit()
        set_keys(rotated)
        anew, position = 0, ()
        while position is not None:
            step = reseal.reseal_some(session, one, position or None)
            assert step.looked_at <= 3
            anew, position = anew + step.sealed_anew, step.position
        assert anew == 19
        assert reseal.count_keys(session, one) == {NEW: 19}


def test_a_value_that_somebody_changes_meanwhile_is_not_overwritten(lived: Database, rotated: str) -> None:
    with lived.session() as mine, ThreadPoolExecutor(1) as other:
        user = mine.query(User).filter(User.login == "linfang").one()
        place = f"users.phone.{user.uid}"
        set_keys(rotated)
        user.phone = vault.seal(place, "13900001111")
        mine.flush()
        walking = other.submit(step_of, lived)
        waits = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while mine.execute(waits).scalar_one() == 0:
            mine.execute(text("SELECT pg_stat_clear_snapshot()"))
        mine.commit()
        assert walking.result().sealed_anew == 0
        mine.refresh(user)
        assert vault.open_sealed(place, user.phone or b"") == "13900001111"


def step_of(database: Database) -> reseal.Step:
    """One step over the users' phones, committed."""
    with database.session() as session:
        step = reseal.reseal_some(session, USERS_PHONE, None)
        session.commit()
        return step


def test_what_no_key_opens_is_told_by_its_row_and_left(
    lived: Database, rotated: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with lived.session() as session:
        user = session.query(User).filter(User.login == "linfang").one()
        elsewhere = vault.seal("users.email.another", "13800005678")
        user.phone, user.email = elsewhere, b"\x07junk"
        session.commit()
        set_keys(rotated)
        assert main(["keys", "reseal"]) == 1
        said = capsys.readouterr()
        assert said.err.splitlines() == [
            f"no key opens it: users.phone {user.id}",
            f"no key opens it: users.email {user.id}",
        ]
        assert "2 values are not under new/aes-256-gcm" in said.out
        assert "13800005678" not in said.out + said.err
        session.refresh(user)
        assert (user.phone, user.email) == (elsewhere, b"\x07junk")


def test_without_a_key_nothing_is_counted_and_nothing_lost(
    lived: Database, rotated: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(lived)
    set_keys("")
    assert rotated
    assert main(["keys", "reseal"]) == 2
    assert "没有配置加密密钥" in capsys.readouterr().err
    assert everything(lived) == before


def test_the_number_of_statements_of_a_step_does_not_grow_with_its_rows(lived: Database, rotated: str) -> None:
    with lived.session() as session:
        for number in range(4):
            users.create_user(
                session, login=f"more{number}x", name="乙", password="correct horse battery",
                phone="13800005678", actor=SYSTEM, now=NOW,
            )  # fmt: skip
        session.commit()
        set_keys(rotated)
        with statements(session) as sent:
            assert reseal.reseal_some(session, USERS_PHONE, None).sealed_anew == 5
        assert len(sent) == 4, "begin, read, write, audit"

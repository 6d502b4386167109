"""Receipts: a series per community and year without a gap, one that holds per gift, void ones keep their number."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.clock import set_clock
from dispatch.errors import Invalid
from dispatch.models.funds import Receipt
from dispatch.rules.access.roles import EVERYTHING, SYSTEM
from dispatch.services import funds
from dispatch.services.funds import HasReceipt, NoGift, VoidAlready
from dispatch.transaction import transaction
from tests.conftest import Database
from tests.factories.access import make_organisation
from tests.factories.funds import Treasury, give, make_treasury, spend
from tests.services.funds.conftest import Ground


@pytest.fixture
def treasury(session: Session) -> Treasury:
    """A community with its funds."""
    district = make_organisation(session, "district", name="莲都区")
    return make_treasury(session, make_organisation(session, "community", district, name="后庆社区").id)


def test_numbers_follow_each_other_in_each_community(session: Session, treasury: Treasury) -> None:
    other = make_treasury(session, make_organisation(session, "community", name="别处").id)
    now = clock.now(session)
    made = [
        funds.issue_receipt(session, give(session, where, 1).id, received_from="陈桂花", actor=SYSTEM, now=now)
        for where in (treasury, treasury, other, treasury)
    ]
    assert [one.number for one in made] == [1, 2, 1, 3]
    assert funds.number_of(made[1]) == f"{clock.today(now).year}-000002"
    assert funds.name_on(made[0]) == "陈桂花"
    assert "陈桂花".encode() not in made[0].received_from
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_a_new_year_begins_a_new_series(committed: Database) -> None:
    made = []
    with transaction(EVERYTHING) as session:
        treasury = make_treasury(session, make_organisation(session, "community", name="别处").id)
    for year in (2026, 2027):
        set_clock(committed.owner_url, datetime(year, 12, 31, 4, tzinfo=UTC), rate=0)
        with transaction(EVERYTHING) as session:
            gift, now = give(session, treasury, 1), clock.now(session)
            made.append(funds.issue_receipt(session, gift.id, actor=SYSTEM, now=now))
            assert funds.name_on(made[-1]) == "爱心人士"
    assert [(one.year, one.number) for one in made] == [(2026, 1), (2027, 1)]


def test_a_gift_has_one_receipt_that_holds_and_a_void_number_is_never_given_again(
    session: Session, treasury: Treasury
) -> None:
    now, entry = clock.now(session), give(session, treasury, 5)
    first = funds.issue_receipt(session, entry.id, actor=SYSTEM, now=now)
    with pytest.raises(HasReceipt):
        funds.issue_receipt(session, entry.id, actor=SYSTEM, now=now)
    with pytest.raises(Invalid, match="作废的原因"):
        funds.void_receipt(session, first.id, reason=" ", actor=SYSTEM, now=now)
    funds.void_receipt(session, first.id, reason="姓名写错", actor=SYSTEM, now=now)
    with pytest.raises(VoidAlready):
        funds.void_receipt(session, first.id, reason="再来", actor=SYSTEM, now=now)
    again = funds.issue_receipt(session, entry.id, actor=SYSTEM, now=now)
    assert (first.number, again.number) == (1, 2)


def test_what_is_no_gift_that_stands_has_no_receipt_and_a_reversal_voids_it(
    session: Session, treasury: Treasury
) -> None:
    now, entry = clock.now(session), give(session, treasury, 5)
    with pytest.raises(NoGift):
        funds.issue_receipt(session, spend(session, treasury, 1).id, actor=SYSTEM, now=now)
    back = give(session, treasury, 7)
    receipt = funds.issue_receipt(session, back.id, actor=SYSTEM, now=now)
    funds.reverse(session, back.id, words="支票退票", actor=SYSTEM, now=now)
    assert (receipt.voided_at, receipt.void_reason) == (now, "这一笔已冲正")
    with pytest.raises(NoGift):
        funds.issue_receipt(session, back.id, actor=SYSTEM, now=now)
    assert funds.receipt_of(session, entry.id) is None
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_of_receipts_that_are_issued_at_once_each_has_its_own_number(committed: Database) -> None:
    assert committed
    with transaction(EVERYTHING) as session:
        treasury = make_treasury(session, make_organisation(session, "community").id)
        entries = [give(session, treasury, 1).id for _ in range(8)]

    def issue(entry_id: int) -> int:
        with transaction(EVERYTHING) as session:
            return funds.issue_receipt(session, entry_id, actor=SYSTEM, now=clock.now(session)).number

    with ThreadPoolExecutor(len(entries)) as pool:
        assert sorted(pool.map(issue, entries)) == list(range(1, 9))


def receipt(ground: Ground) -> Receipt:
    """A receipt for the gift."""
    return funds.issue_receipt(ground.session, ground.gift.id, actor=SYSTEM, now=clock.now(ground.session))


@pytest.mark.parametrize(
    ("statement", "off"),
    [
        ("UPDATE receipts SET number = 9", "ALTER TABLE receipts DISABLE TRIGGER keep_receipt"),
        ("DELETE FROM receipts", "ALTER TABLE receipts DISABLE TRIGGER keep_receipt"),
        (
            "UPDATE receipts SET voided_at = NULL, void_reason = NULL",
            "ALTER TABLE receipts DISABLE TRIGGER keep_receipt",
        ),
    ],
)
def test_the_trigger_is_what_keeps_a_number(ground: Ground, statement: str, off: str) -> None:
    funds.void_receipt(ground.session, receipt(ground).id, reason="错", actor=SYSTEM, now=clock.now(ground.session))
    with pytest.raises(DBAPIError, match="keeps its number"), ground.session.begin_nested():
        ground.run(statement)
    ground.run(off)
    ground.run(statement)


def test_the_database_refuses_a_second_receipt_and_one_of_a_gift_that_was_taken_back(ground: Ground) -> None:
    held = receipt(ground)
    again = (
        "INSERT INTO receipts (uid, community_id, year, number, entry_id, received_from) "
        "SELECT gen_random_uuid(), community_id, year, number, entry_id, received_from FROM receipts WHERE id = :id"
    )
    with pytest.raises(DBAPIError, match="ix_receipts_entry_id"), ground.session.begin_nested():
        ground.run(again, id=held.id)
    lines = ((ground.till, -1_000), (ground.custody, -1_000))
    with pytest.raises(DBAPIError, match="has a receipt that holds"), ground.session.begin_nested():
        ground.entry("reversal", *lines, reverses_id=ground.gift.id)
    ground.run("ALTER TABLE entries DISABLE TRIGGER refuse_receipt_of_nothing")
    ground.entry("reversal", *lines, reverses_id=ground.gift.id)
    with pytest.raises(DBAPIError, match="no gift that stands"), ground.session.begin_nested():
        ground.run(again, id=held.id)

"""verify on money: nothing to say of honest books; a spending, a match or a month that was changed is told."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import Organisation
from dispatch.models.funds import BankLine
from dispatch.rules.funds.booking import Booking
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.services import funds
from dispatch.services.funds import Counted
from dispatch.services.reports.verify.money import wrong_money
from tests.factories.funds import Treasury, give, put, spend
from tests.factories.market import settle
from tests.factories.world import set_policies
from tests.services.funds.conftest import Ground, ground, owner
from tests.services.funds.test_bank import month_of, person, statement

__all__ = ["ground", "owner"]
ABOVE = 1_000


@pytest.fixture
def books(ground: Ground) -> Session:
    """What two people booked and took back, and a month of the bank with a line, an open entry, one taken back."""
    session, treasury = ground.session, ground.treasury
    set_policies(session, session.get_one(Organisation, treasury.community_id), funds__approve_above_fen=ABOVE)
    of_the_bank(session, treasury)
    of_two_people(session, treasury)
    settle(session)
    for table in ("entries", "entry_lines", "spendings", "bank_matches", "bank_lines", "bank_statements", "policies"):
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    return session


def of_the_bank(session: Session, treasury: Treasury) -> None:
    """A month that is confirmed: two entries that are one line, one that is still open, one that was taken back."""
    month, now = month_of(session), clock.now(session)
    keeper, centre = person(session, treasury, "keeper1"), person(session, treasury, "centre1")
    counted = {"holding": treasury.bank, "happened_on": month - timedelta(days=1)}
    put(session, treasury, EntryKind.OPENING, 10_000, counted)
    gifts = [
        give(session, treasury, fen, holding=treasury.bank, happened_on=month.replace(day=3)).id
        for fen in (500, 300, 70, 40)
    ]
    made = funds.import_statement(session, statement(session, treasury, (5, "8.00")), actor=keeper, now=now)
    (line,) = session.query(BankLine.id).all()
    funds.match_entries(session, line.id, gifts[:2], actor=keeper, now=now)
    funds.reverse(session, gifts[3], words="写错", actor=centre, now=now)
    funds.reverse(session, gifts[1], words="写错", actor=centre, now=now)
    funds.confirm_statement(session, made.id, note="在途", actor=centre, now=now)


def of_two_people(session: Session, treasury: Treasury) -> None:
    """Spending above the amount, an opening and a reversal, each asked by one and approved by another; small alone."""
    accountant, centre = (person(session, treasury, one) for one in ("accountant1", "centre2"))
    now, purpose = clock.now(session), Purpose.LONE_ELDER
    counted = {funds.Wish(treasury.general.id): 2_000, funds.Wish(treasury.overseas.id): 5}
    booking = Booking(EntryKind.SPEND, treasury.general.id, treasury.till.id, ABOVE + 1, purpose=purpose)
    opening = funds.ask_opening(session, Counted(treasury.till.id, counted), actor=accountant, now=now)
    funds.approve_spending(session, opening.id, actor=centre, now=now)
    spending = funds.ask_spending(session, booking, actor=accountant, now=now)
    funds.approve_spending(session, spending.id, actor=centre, now=now)
    small = spend(session, treasury, 3, actor=accountant)
    back = funds.ask_reversal(session, small, words="写错", actor=accountant, now=now)
    funds.approve_spending(session, back.id, actor=centre, now=now)
    spend(session, treasury, ABOVE - 1, actor=accountant)


def test_of_honest_books_nothing_is_said(books: Session) -> None:
    assert list(wrong_money(books)) == []


OTHER = "UPDATE spendings SET {} WHERE kind = '{}'"
UNAPPROVED = "UPDATE entries SET approved_by = NULL FROM spendings WHERE entry_id = entries.id"
NOT_BACK = "UPDATE entries SET reverses_id = NULL, kind = 'opening' WHERE reverses_id IS NOT NULL"
TWICE = """
    ALTER TABLE bank_matches DROP CONSTRAINT uq_bank_matches_entry_id_holding_id;
    INSERT INTO bank_lines (community_id, statement_id, number, booked_on, amount_fen)
    SELECT community_id, statement_id, 2, booked_on, amount_fen FROM bank_lines;
    INSERT INTO bank_matches (bank_line_id, entry_id, community_id, holding_id)
    SELECT (SELECT max(id) FROM bank_lines), entry_id, community_id, holding_id FROM bank_matches
"""
NEXT_MONTH = """
    INSERT INTO bank_statements
        (community_id, holding_id, month, opening_fen, closing_fen, digest, confirmed_by, confirmed_at)
    SELECT community_id, holding_id, month + interval '1 month', closing_fen + 1, closing_fen + 1, digest,
        confirmed_by, confirmed_at FROM bank_statements
"""
BROKEN = {
    "approved by nobody": (UNAPPROVED, "asked and approved"),
    "another approver": (OTHER.format("decided_by = asked_by - 1", "spend"), "asked and approved"),
    "another purpose": (OTHER.format("purpose = 'relief'", "spend"), "asked and approved"),
    "another reversed": (OTHER.format("reverses_id = entry_id", "reversal"), "asked and approved"),
    "another amount": (OTHER.format("amount_fen = 1", "spend"), "another amount"),
    "another fund": (OTHER.format("fund_id = (SELECT max(id) FROM funds)", "spend"), "another amount"),
    "another count": (OTHER.format("counted = counted #- '{0}'", "opening"), "another amount"),
    "never asked": ("DELETE FROM spendings WHERE kind = 'spend'", "nobody has asked for it"),
    "alone": (UNAPPROVED, "may spend left"),
    "small ones added up": (NOT_BACK, "may spend left"),
    "a line's amount": ("UPDATE bank_lines SET amount_fen = amount_fen + 1", "not worth what its entries"),
    "an entry less": ("DELETE FROM bank_matches WHERE entry_id = (SELECT min(entry_id) FROM bank_matches)", "worth"),
    "an entry twice": (TWICE, "stands at the bank twice"),
    "a closing": ("UPDATE bank_statements SET closing_fen = closing_fen + 1", "opening and lines are not"),
    "a month": (NEXT_MONTH, "does not follow"),
    "an open entry": ("DELETE FROM bank_open_entries", "whether it is open"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_changed_past_the_house_is_told(books: Session, name: str) -> None:
    statements, sentence = BROKEN[name]
    for one in statements.split(";"):
        books.execute(text(one))
    told = list(wrong_money(books))
    assert any(sentence in line for line in told), told

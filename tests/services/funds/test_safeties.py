"""Each safety of the journal is what refuses: with it the wrong thing is refused, without it the same thing goes in.

The owner role writes here past the services, so that nothing but the database stands in the way.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from psycopg import Error
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM, Scope
from dispatch.rules.funds.terms import FOR_A_PURPOSE, SHAPES, Purpose
from dispatch.services import funds
from dispatch.transaction import begin
from tests.factories.access import make_organisation
from tests.factories.funds import give, make_treasury, spend
from tests.services.funds.conftest import Ground


def wished(ground: Ground) -> int:
    """The custody account of the wish."""
    return ground.run("SELECT id FROM accounts WHERE earmark_id = :e AND side = 'custody'", e=ground.wish)


def of_the_wish(ground: Ground, amount: int) -> tuple[tuple[int, int], ...]:
    """Lines that take an amount from no wish to the wish, where it lies too."""
    place = ground.run("SELECT id FROM accounts WHERE earmark_id = :e AND side = 'holding'", e=ground.wish)
    return (ground.custody, -amount), (wished(ground), amount), (ground.till, -amount), (place, amount)


def yesterday(ground: Ground) -> None:
    """An entry of the day before."""
    at = clock.now(ground.session) - timedelta(days=1)
    day = clock.today(at)
    ground.entry("gift", (ground.till, 1), (ground.custody, 1), posted_on=day, posted_at=at, happened_on=day)


def another_hour(ground: Ground) -> None:
    """An entry of this day, some minutes away from now."""
    now, away = clock.now(ground.session), timedelta(minutes=3)
    at = now - away if clock.today(now - away).isoformat() == ground.day else now + away
    ground.entry("gift", (ground.till, 1), (ground.custody, 1), posted_at=at)


def another_line(ground: Ground) -> None:
    """A balanced pair of lines that joins an entry that is there."""
    made = ground.entry("gift", (ground.till, 5), (ground.custody, 5))
    ground.line(made, ground.stock, 7)


def from_another_fund(ground: Ground) -> None:
    """Money of one fund that buys goods of another."""
    other = ground.account(fund_id=ground.treasury.overseas.id, owner="overseas", commodity="piece")
    shelf = ground.account(
        fund_id=ground.treasury.overseas.id,
        owner="overseas",
        commodity="piece",
        holding_id=ground.treasury.way.id,
        holding_kind="transit",
    )
    ground.entry("purchase", (ground.till, -1), (ground.custody, -1), (other, 1), (shelf, 1))


def twice(act: Callable[[Ground], object]) -> Callable[[Ground], object]:
    """The same act two times."""

    def both(ground: Ground) -> None:
        act(ground)
        act(ground)

    return both


def taken_back(ground: Ground) -> None:
    """The gift is reversed."""
    ground.entry("reversal", (ground.till, -1_000), (ground.custody, -1_000), reverses_id=ground.gift.id)


def reversal_of_a_reversal(ground: Ground) -> None:
    """A reversal that is reversed."""
    first = ground.entry("reversal", (ground.till, -1_000), (ground.custody, -1_000), reverses_id=ground.gift.id)
    ground.entry("reversal", (ground.till, 1_000), (ground.custody, 1_000), reverses_id=first)


def agreed(amount: int, moved: int, *, to_wish: bool = True) -> Callable[[Ground], object]:
    """A change of earmark of some amount by a consent to some amount."""

    def act(ground: Ground) -> None:
        other = funds.add_earmark(
            ground.session,
            ground.treasury.general,
            name="别的",
            purposes=[Purpose.RELIEF],
            actor=SYSTEM,
            now=clock.now(ground.session),
        ).id
        consent = ground.consent(amount, ground.wish if to_wish else other)
        ground.entry("earmark_change", *of_the_wish(ground, moved), consent_id=consent)

    return act


def one_consent_twice(ground: Ground) -> None:
    """Two changes by one consent."""
    consent = ground.consent(10, ground.wish)
    ground.entry("earmark_change", *of_the_wish(ground, 5), consent_id=consent)
    ground.entry("earmark_change", *of_the_wish(ground, 5), consent_id=consent)


def gap(ground: Ground) -> None:
    """A number that is left out; the chain names an entry that is not there."""
    ground.entry("gift", (ground.till, 1), (ground.custody, 1), seq=99)


def second_chain(ground: Ground) -> None:
    """A first entry beside the first one."""
    ground.entry("gift", (ground.till, 1), (ground.custody, 1), seq=1, previous=bytes(32))


ENTRY = "ALTER TABLE entries DISABLE TRIGGER refuse_wrong_entry"
INSTANT = "ALTER TABLE entries DISABLE TRIGGER refuse_another_instant"
HEAD = "ALTER TABLE entries DISABLE TRIGGER follow_journal_head"
KEEP = "ALTER TABLE entry_lines DISABLE TRIGGER keep_balances"
ONCE = "ALTER TABLE entries DROP CONSTRAINT uq_entries_reverses_id"
NEGATIVE = "ALTER TABLE balances DROP CONSTRAINT ck_balances_not_negative"
CASES: dict[str, tuple[str, str, Callable[[Ground], object]]] = {
    "below zero": (
        "not_negative",
        NEGATIVE,
        lambda g: g.entry("spend", (g.till, -1_001), (g.custody, -1_001), purpose="relief"),
    ),
    "one side": ("two sides", ENTRY, lambda g: g.entry("gift", (g.till, 5), (g.custody, 4))),
    "two dimensions": ("two sides", ENTRY, lambda g: g.entry("gift", (g.till, 5), (g.goods, 5))),
    "too few lines": ("does not have the lines", ENTRY, lambda g: g.entry("gift", (g.till, 5), count=2)),
    "a line more": ("has all its lines", f"{KEEP}; {ENTRY}", another_line),
    "shape": ("has not the shape", ENTRY, lambda g: g.entry("gift", (g.till, -5), (g.custody, -5))),
    "transfer that gives": ("has not the shape", ENTRY, lambda g: g.entry("transfer", (g.till, 5), (g.custody, 5))),
    "purchase across funds": ("has not the shape", ENTRY, from_another_fund),
    "sale the other way": (
        "has not the shape",
        ENTRY,
        lambda g: g.entry("sale", (g.till, -5), (g.custody, -5), (g.stock, 5), (g.goods, 5)),
    ),
    "no purpose": ("purpose of entry", ENTRY, lambda g: g.entry("spend", (g.till, -5), (g.custody, -5))),
    "purpose of a gift": (
        "purpose of entry",
        ENTRY,
        lambda g: g.entry("gift", (g.till, 5), (g.custody, 5), purpose="relief"),
    ),
    "purpose that the wish has not": (
        "purpose of entry",
        ENTRY,
        lambda g: g.entry("spend", (wished(g), -1), (of_the_wish(g, 1)[3][0], -1), purpose="relief"),
    ),
    "any purpose": (
        "ck_entries_purpose",
        "ALTER TABLE entries DROP CONSTRAINT ck_entries_purpose",
        lambda g: g.entry("spend", (g.till, -5), (g.custody, -5), purpose="any"),
    ),
    "yesterday": ("on the day on which it is written", f"{HEAD}; {INSTANT}", yesterday),
    "another hour": ("posted_at of entries is not now", INSTANT, another_hour),
    "a gap": (
        "does not follow the head",
        HEAD + "; ALTER TABLE entries DROP CONSTRAINT fk_entries_community_id_previous_seq_previous",
        gap,
    ),
    "a fork": (
        "does not follow the head",
        HEAD + "; ALTER TABLE entries DROP CONSTRAINT uq_entries_community_id_seq",
        second_chain,
    ),
    "reversed twice": ("uq_entries_reverses_id", f"{ONCE}; {NEGATIVE}", twice(taken_back)),
    "a reversal reversed": ("does not negate", ENTRY, reversal_of_a_reversal),
    "half taken back": (
        "does not negate",
        ENTRY,
        lambda g: g.entry("reversal", (g.till, -1), (g.custody, -1), reverses_id=g.gift.id),
    ),
    "no consent": (
        "ck_entries_consent",
        "ALTER TABLE entries DROP CONSTRAINT ck_entries_consent",
        lambda g: g.entry("earmark_change", *of_the_wish(g, 5)),
    ),
    "more than was agreed": ("does not cover", ENTRY, agreed(4, 5)),
    "not to that wish": ("does not cover", ENTRY, agreed(5, 5, to_wish=False)),
    "a consent twice": (
        "uq_entries_consent_id",
        "ALTER TABLE entries DROP CONSTRAINT uq_entries_consent_id",
        one_consent_twice,
    ),
    "an origin twice": (
        "ix_entries_origin",
        "DROP INDEX ix_entries_origin",
        twice(lambda g: g.entry("gift", (g.till, 5), (g.custody, 5), origin="market.gift", origin_id=1)),
    ),
    "worth something else": (
        "is not worth",
        ENTRY,
        lambda g: g.entry(
            "gift",
            (g.till, 5),
            (g.custody, 5),
            currency="USD",
            foreign_minor=100,
            foreign_places=2,
            rate="7.1",
            rate_on=g.day,
        ),
    ),
    "approved by oneself": (
        "second_person",
        "ALTER TABLE entries DROP CONSTRAINT ck_entries_second_person",
        lambda g: g.entry("gift", (g.till, 5), (g.custody, 5), made_by=somebody(g), approved_by=somebody(g)),
    ),
    "money on a shelf": (
        "ck_accounts_place",
        "ALTER TABLE accounts DROP CONSTRAINT ck_accounts_place",
        lambda g: g.account(holding_id=g.treasury.stock.id, holding_kind="stock"),
    ),
    "another owner": (
        "fk_accounts_community_id_fund_id_owner",
        "ALTER TABLE accounts DROP CONSTRAINT fk_accounts_community_id_fund_id_owner",
        lambda g: g.account(owner="partner", commodity="piece"),
    ),
    "another fund's wish": (
        "fk_accounts_community_id_fund_id_earmark_id",
        "ALTER TABLE accounts DROP CONSTRAINT fk_accounts_community_id_fund_id_earmark_id",
        lambda g: g.account(fund_id=g.treasury.overseas.id, owner="overseas", earmark_id=g.wish),
    ),
    "an entry changed": (
        "only added to",
        "ALTER TABLE entries DISABLE TRIGGER refuse_change",
        lambda g: g.run("UPDATE entries SET occasion = 2 WHERE id = :id", id=g.gift.id),
    ),
    "a line changed": (
        "only added to",
        "ALTER TABLE entry_lines DISABLE TRIGGER refuse_change",
        lambda g: g.run("UPDATE entry_lines SET amount = amount + 1 WHERE entry_id = :id", id=g.gift.id),
    ),
    "a line removed": (
        "only added to",
        "ALTER TABLE entry_lines DISABLE TRIGGER refuse_change",
        lambda g: g.run("DELETE FROM entry_lines WHERE entry_id = :id", id=g.gift.id),
    ),
    "all lines removed": (
        "only added to",
        "ALTER TABLE entry_lines DISABLE TRIGGER refuse_change",
        lambda g: g.run("TRUNCATE entry_lines"),
    ),
}


def somebody(ground: Ground) -> int:
    """A user."""
    return ground.run(
        "INSERT INTO users (uid, login, name, password_hash) VALUES (gen_random_uuid(), 'keeper', '保管员', '-') "
        "ON CONFLICT (login) DO UPDATE SET name = users.name RETURNING id"
    )


@pytest.mark.parametrize("name", CASES)
def test_a_safety_is_what_refuses(ground: Ground, name: str) -> None:
    said, off, act = CASES[name]
    with pytest.raises(DBAPIError, match=said) as refused, ground.session.begin_nested():
        act(ground)
    assert isinstance(refused.value.orig, Error)
    ground.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    ground.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    for statement in off.split("; "):
        ground.session.execute(text(statement))
    act(ground)


def test_the_kinds_are_those_of_the_rules(session: Session) -> None:
    stored = {tuple(row) for row in session.execute(text("SELECT kind, shape, for_a_purpose FROM entry_kinds"))}
    assert stored == {(str(kind), str(shape), kind in FOR_A_PURPOSE) for kind, shape in SHAPES.items()}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET occasion = 2",
        "DELETE FROM entries",
        "DELETE FROM entry_lines",
        "UPDATE entry_lines SET amount = 1",
        "UPDATE balances SET amount = 1",
        "INSERT INTO balances (account_id, community_id) VALUES (1, 1)",
        "UPDATE journal_heads SET seq = 0",
        "UPDATE funds SET purposes = '{any}'",
        "UPDATE earmarks SET purposes = '{any}'",
        "UPDATE funds SET owner = 'own'",
        "UPDATE accounts SET fund_id = 1",
        "DELETE FROM consents",
        "INSERT INTO entry_kinds VALUES ('x', 'moves', false)",
    ],
)
def test_the_application_may_not_even_try(session: Session, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), session.begin_nested():
        session.execute(text(statement))


def test_another_communitys_journal_is_not_there(session: Session) -> None:
    district = make_organisation(session, "district", name="莲都区")
    ours = make_treasury(session, make_organisation(session, "community", district, name="后庆社区").id)
    theirs = make_treasury(session, make_organisation(session, "community", district, name="白云社区").id)
    give(session, ours, 500)
    spend(session, ours, 100)
    give(session, theirs, 700)
    begin(session, Scope(communities=frozenset({theirs.community_id})))
    for table in ("funds", "holdings", "accounts", "balances", "entries", "entry_lines", "journal_heads"):
        found = session.execute(text(f"SELECT DISTINCT community_id FROM {table}")).scalars().all()  # noqa: S608
        assert found == [theirs.community_id], table
    with pytest.raises(DBAPIError, match="out of reach"), session.begin_nested():
        session.execute(text("SELECT lock_journal(:c)"), {"c": ours.community_id})

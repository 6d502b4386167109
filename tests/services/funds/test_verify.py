"""The proof of the journal: it holds on a living one and names each thing that was broken past every safety."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM
from dispatch.services import funds
from tests.factories.funds import give, spend
from tests.services.funds.conftest import Ground


@pytest.fixture
def living(ground: Ground) -> Ground:
    """A journal with gifts, spending, a reversal and money of abroad; then the owner may do anything to it."""
    session, treasury = ground.session, ground.treasury
    spend(session, treasury, 250, facts={"lots": [[7, 250, "2026-12-01"]]}, words="买米")
    entry = give(session, treasury, 33, origin="market.gift", origin_id=5)
    funds.reverse(session, entry.id, words="重复", actor=SYSTEM, now=clock.now(session))
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for table in ("entries", "entry_lines", "accounts"):
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    return ground


def test_a_living_journal_holds(living: Ground) -> None:
    assert list(funds.broken_journals(living.session)) == []


UNCHAIN = "ALTER TABLE entries DROP CONSTRAINT fk_entries_community_id_previous_seq_previous"
BREAKS: dict[str, tuple[Callable[[Ground], object], str]] = {
    "an amount": (
        lambda g: g.run("UPDATE entry_lines SET amount = amount + 1 WHERE entry_id = :id", id=g.gift.id),
        "its digest is not that of what it says",
    ),
    "a fact": (
        lambda g: g.run("""UPDATE entries SET facts = '{"lots": [[7, 250, "2026-12-02"]]}' WHERE facts <> '{}'"""),
        "its digest is not that of what it says",
    ),
    "a day": (
        lambda g: g.run("UPDATE entries SET happened_on = happened_on - 1 WHERE id = :id", id=g.gift.id),
        "its digest is not that of what it says",
    ),
    "a side": (
        lambda g: g.run("DELETE FROM entry_lines WHERE entry_id = :e AND account_id = :a", e=g.gift.id, a=g.till),
        "its two sides differ",
    ),
    "a balance": (
        lambda g: g.run("UPDATE balances SET amount = amount + 1 WHERE account_id = :a", a=g.till),
        "is not the sum",
    ),
    "the head": (lambda g: g.run("UPDATE journal_heads SET seq = seq + 1"), "is not the end of its chain"),
    "a digest": (
        lambda g: (g.run(UNCHAIN), g.run("UPDATE entries SET digest = sha256('x') WHERE id = :id", id=g.gift.id)),
        "it does not follow the one before it",
    ),
    "the first": (
        lambda g: g.run("UPDATE entry_lines SET amount = -amount WHERE entry_id = :id", id=g.gift.id),
        "was below zero",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_was_changed_past_every_safety_is_named(living: Ground, what: str) -> None:
    act, said = BREAKS[what]
    act(living)
    found = list(funds.broken_journals(living.session))
    assert any(said in line for line in found), found


def test_heads_that_were_kept_elsewhere_find_a_chain_that_was_cut_off(living: Ground) -> None:
    session = living.session
    kept = [{"period": "2026-11-25", "journals": funds.signed_heads(session)}]
    assert funds.compare_heads(session, [*kept, {"period": "2026-11-24"}]) == []
    forged = [{"journals": [kept[0]["journals"][0] | {"seq": 1}]}]  # type: ignore[index,operator,list-item]
    assert "does not carry our signature" in funds.compare_heads(session, forged)[0]
    living.run("DELETE FROM entry_notes")
    last = "(SELECT max(seq) FROM entries)"
    living.run(f"DELETE FROM entry_lines WHERE entry_id = (SELECT id FROM entries WHERE seq = {last})")  # noqa: S608
    living.run(f"DELETE FROM entries WHERE seq = {last}")  # noqa: S608
    assert "is not in its chain any more" in funds.compare_heads(session, kept)[0]

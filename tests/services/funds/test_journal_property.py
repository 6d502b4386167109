"""Any sequence of postings gives the balances of a plain model in Python, refuses what it refuses, and stays whole."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.funds import Account, Balance, Entry, EntryLine
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.draft import AccountKey, Dimension, Draft, Line, at, moved
from dispatch.rules.funds.terms import Commodity, EntryKind, Purpose, fits
from dispatch.services import funds
from dispatch.services.funds import AlreadyReversed, IsReversal
from tests.factories.access import make_organisation
from tests.factories.funds import Treasury, make_treasury

AMOUNT = st.integers(1, 9)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("gift"), st.integers(0, 2), st.integers(0, 2), AMOUNT),
        st.tuples(st.just("spend"), st.integers(0, 2), st.integers(0, 2), AMOUNT),
        st.tuples(st.just("transfer"), st.integers(0, 2), st.integers(0, 1), AMOUNT),
        st.tuples(st.just("purchase"), st.integers(0, 2), st.integers(0, 1), AMOUNT),
        st.tuples(st.just("reverse"), st.integers(0, 20), st.just(0), st.just(1)),
    ),
    max_size=25,
)
PURPOSES = (Purpose.LONE_ELDER, Purpose.RELIEF, Purpose.RUNNING)


@dataclass
class Model:
    """What the journal should hold, kept without it."""

    purposes: dict[int, list[str]]
    wishes: dict[int | None, list[str]]
    balances: Counter[AccountKey] = field(default_factory=Counter)
    entries: list[tuple[int, tuple[Line, ...]]] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)

    def allows(self, draft: Draft) -> bool:
        """Whether a draft may be posted."""
        after = self.balances.copy()
        for line in draft.lines:
            after[line.account] += line.amount
        if any(amount < 0 for amount in after.values()):
            return False
        return draft.purpose is None or all(
            fits(draft.purpose, self.purposes[line.account.dimension.fund_id])
            and fits(draft.purpose, self.wishes[line.account.dimension.earmark_id])
            for line in draft.lines
        )

    def note(self, entry_id: int, lines: tuple[Line, ...]) -> None:
        """An entry was posted."""
        self.entries.append((entry_id, lines))
        for line in lines:
            self.balances[line.account] += line.amount


def draft_of(treasury: Treasury, wish: int, step: tuple[str, int, int, int]) -> Draft:
    """The draft of a step."""
    what, which, where, amount = step
    fund, earmark = ((treasury.general, None), (treasury.general, wish), (treasury.overseas, None))[which]
    fen, gram = (Dimension(fund.id, commodity, earmark) for commodity in (Commodity.FEN, Commodity.GRAM))
    places = (treasury.till.id, treasury.bank.id)
    community = treasury.community_id
    if what == "transfer":
        return Draft(community, EntryKind.TRANSFER, moved(fen, places[where], places[1 - where], amount))
    if what == "purchase":
        lines = (*at(fen, places[where], -amount), *at(gram, treasury.way.id, amount * 100))
        return Draft(community, EntryKind.PURCHASE, lines)
    dimension, place = (gram, treasury.way.id) if where == len(places) else (fen, places[where])
    if what == "gift":
        return Draft(community, EntryKind.GIFT, at(dimension, place, amount))
    purpose = PURPOSES[amount % len(PURPOSES)]
    return Draft(community, EntryKind.SPEND, at(dimension, place, -amount), purpose=purpose)


def take_back(session: Session, model: Model, which: int) -> None:
    """Reverse some entry of before; it is refused exactly where the model refuses."""
    if not model.entries:
        return
    entry_id, lines = model.entries[which % len(model.entries)]
    opposite = tuple(Line(line.account, -line.amount) for line in lines)
    negative = any(model.balances[line.account] + line.amount < 0 for line in opposite)
    try:
        made = funds.reverse(session, entry_id, words="记错了", actor=SYSTEM, now=clock.now(session))
    except (AlreadyReversed, IsReversal):
        assert entry_id in model.taken
    except Invalid:
        assert negative
    else:
        assert entry_id not in model.taken
        assert not negative
        model.taken |= {entry_id, made.id}
        model.note(made.id, opposite)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_journal_holds_what_a_plain_model_holds(session: Session, steps: list[tuple[str, int, int, int]]) -> None:
    district = make_organisation(session, "district")
    treasury = make_treasury(session, make_organisation(session, "community", district).id)
    wish = funds.add_earmark(
        session,
        treasury.general,
        name="给独居老人",
        purposes=[Purpose.LONE_ELDER],
        actor=SYSTEM,
        now=clock.now(session),
    ).id
    model = Model(
        {fund.id: fund.purposes for fund in (treasury.general, treasury.overseas)},
        {None: [Purpose.ANY], wish: [Purpose.LONE_ELDER]},
    )
    for step in steps:
        if step[0] == "reverse":
            take_back(session, model, step[1])
            continue
        draft = draft_of(treasury, wish, step)
        try:
            made = funds.post(session, draft, actor=SYSTEM, now=clock.now(session))
        except Invalid:
            assert not model.allows(draft)
        else:
            assert model.allows(draft)
            model.note(made.id, draft.lines)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    compare(session, treasury, model)


def compare(session: Session, treasury: Treasury, model: Model) -> None:
    """Balances and sums of lines are the model's; the chain has one link for each entry."""
    rows = session.execute(
        select(Account, Balance.amount).join(Balance).where(Account.community_id == treasury.community_id)
    ).all()
    keys = {
        one.id: AccountKey(Dimension(one.fund_id, Commodity(one.commodity), one.earmark_id), one.holding_id)
        for one, _ in rows
    }
    assert Counter({keys[one.id]: amount for one, amount in rows if amount}) == +model.balances
    sums: Counter[AccountKey] = Counter()
    for account_id, amount in session.execute(
        select(EntryLine.account_id, EntryLine.amount).where(EntryLine.community_id == treasury.community_id)
    ):
        sums[keys[account_id]] += amount
    assert +sums == +model.balances
    chain = session.execute(
        select(Entry.id, Entry.seq).where(Entry.community_id == treasury.community_id).order_by(Entry.seq)
    ).all()
    assert [tuple(one) for one in chain] == [(made, place) for place, (made, _) in enumerate(model.entries, 1)]

"""The sheet of a period: it adds up, and its closing is the next one's opening, whenever it is looked at."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.funds.terms import FOR_A_PURPOSE, EntryKind
from dispatch.rules.reports.replay import Moved, sheet

Key = tuple[str, str]


@st.composite
def moves(draw: st.DrawFn) -> Moved:
    """Something that happened to a fund."""
    kind = draw(st.sampled_from([one for one in EntryKind if one is not EntryKind.REVERSAL]))
    purpose = draw(st.sampled_from(["lone_elder", "relief"])) if kind in FOR_A_PURPOSE else None
    fund, commodity = draw(st.sampled_from("ab")), draw(st.sampled_from(["fen", "gram", "piece"]))
    return Moved(fund, commodity, kind, purpose, draw(st.integers(-(10**12), 10**12)))


def added(moved: list[Moved]) -> Counter[Key]:
    """What was moved by fund and commodity."""
    found: Counter[Key] = Counter()
    for one in moved:
        found[one.fund, one.commodity] += one.amount
    return found


periods = st.lists(moves(), max_size=12)


@given(periods, periods, periods)
def test_the_closing_of_a_period_is_the_opening_of_the_next(
    before: list[Moved], first: list[Moved], second: list[Moved]
) -> None:
    held = added(before + first + second)
    one = {(row.fund, row.commodity): row.closing for row in sheet(held, first, added(second))}
    two = {(row.fund, row.commodity): row.opening for row in sheet(held, second, {})}
    for key in one.keys() | two.keys():
        assert one.get(key, 0) == two.get(key, 0) == added(before + first)[key]


def test_what_came_and_went_stands_where_it_belongs() -> None:
    held = {("爱心基金", "gram"): 40}
    moved = [
        Moved("爱心基金", "gram", EntryKind.GIFT, None, 100),
        Moved("爱心基金", "gram", EntryKind.HAND_OUT, "lone_elder", -50),
        Moved("爱心基金", "gram", EntryKind.DISPOSAL, None, -20),
        Moved("爱心基金", "gram", EntryKind.KIT, None, -5),
    ]
    (row,) = sheet(held, moved, {("爱心基金", "gram"): 5})
    assert (row.opening, row.closing) == (10, 35)
    assert (row.received, row.used, row.disposed, row.other) == ({"gift": 100}, {"lone_elder": 50}, 20, {"kit": -5})

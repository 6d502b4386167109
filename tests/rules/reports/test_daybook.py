"""The day book: the same sums as the sheet, no day and no ground of who was reached, and why a version was made."""

from collections import Counter
from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.funds.terms import FOR_A_PURPOSE, GROUNDS, EntryKind
from dispatch.rules.reports.correcting import CORRECTION, UNDONE, why
from dispatch.rules.reports.daybook import BY_THE_DAY, day_book, days_told, root_of_lines
from dispatch.rules.reports.replay import Moved

FIRST, LAST = date(2026, 10, 1), date(2026, 12, 31)


@st.composite
def moves(draw: st.DrawFn) -> tuple[date, Moved]:
    """Something that happened to a fund on a day of the quarter."""
    kind = draw(st.sampled_from([one for one in EntryKind if one is not EntryKind.REVERSAL]))
    purpose = draw(st.sampled_from([*GROUNDS, "relief", "running"])) if kind in FOR_A_PURPOSE else None
    moved = Moved(draw(st.sampled_from("ab")), "fen", kind, purpose, draw(st.integers(-(10**12), 10**12)))
    return draw(st.dates(FIRST, LAST)), moved


@given(st.lists(moves(), max_size=20), st.randoms())
def test_nothing_is_lost_and_the_order_of_what_happened_does_not_show(
    moved: list[tuple[date, Moved]], shuffler: Random
) -> None:
    lines = day_book(moved, FIRST, LAST)
    came: Counter[str] = Counter()
    for _, one in moved:
        came[one.fund] += one.amount
    said: Counter[str] = Counter()
    for line in lines:
        said[line["fund"]] += line["amount"]
    assert +said == +came
    assert -said == -came
    assert not {line["purpose"] for line in lines} & set(GROUNDS)
    shuffled = list(moved)
    shuffler.shuffle(shuffled)
    assert root_of_lines(day_book(shuffled, FIRST, LAST)) == root_of_lines(lines)


@given(st.dates(FIRST, LAST), st.sampled_from([*GROUNDS, "relief", "yearly_round", "voucher", "running", None]))
def test_who_was_reached_is_told_by_the_month_alone(day: date, purpose: str | None) -> None:
    begin, until = days_told(day, purpose, FIRST, LAST)
    assert FIRST <= begin <= day <= until <= LAST
    assert (begin == until == day) if purpose in BY_THE_DAY else (begin.day == 1 and (until - begin).days >= 29)


def test_an_emergency_s_five_days_stay_within_them() -> None:
    first, last = date(2026, 10, 29), date(2026, 11, 2)
    assert days_told(date(2026, 10, 30), "relief", first, last) == (first, date(2026, 10, 31))
    assert days_told(date(2026, 11, 1), "relief", first, last) == (date(2026, 11, 1), last)


def test_a_version_says_what_of_it_is_other_than_before() -> None:
    before = {"funds": [1], "beneficiaries": {}, "undone_later": 0}
    assert why(before, before | {"funds": [2]}) == f"{CORRECTION}：收支"
    assert why(before, before | {"undone_later": 1, "beneficiaries": {"a": 1}}) == f"{CORRECTION}：{UNDONE}、领取人数"
    assert why(before, before | {"format": 2}) == CORRECTION

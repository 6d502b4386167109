"""Counts of beneficiaries: nothing that is hidden can be derived, not even by who knows the rule."""

from collections.abc import Iterator
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.funds.terms import GROUNDS, Purpose
from dispatch.rules.reports.hiding import FEWEST, GROUPS, Reached, told

Rows = tuple[Reached, ...]


@st.composite
def reached(draw: st.DrawFn) -> Reached:
    """Nobody, or some households with at least one person each."""
    households = draw(st.integers(0, 4))
    return Reached(draw(st.integers(households, households + 3)), households) if households else Reached()


tables = st.fixed_dictionaries({purpose: reached() for group in GROUPS for purpose in group})


def same_sums(rows: Rows) -> Iterator[Rows]:
    """Every possible rows with the same sums of persons and of households."""
    persons, households = sum(one.persons for one in rows), sum(one.households for one in rows)
    for split in product(range(households + 1), repeat=len(rows) - 1):
        last = households - sum(split)
        if last < 0:
            continue
        homes = (*split, last)
        for some in product(range(persons + 1), repeat=len(rows) - 1):
            people = (*some, persons - sum(some))
            if all(p >= h and bool(p) == bool(h) for p, h in zip(people, homes, strict=True)):
                yield tuple(Reached(p, h) for p, h in zip(people, homes, strict=True))


def possible(rows: Rows, *, total: Reached | None) -> Iterator[Rows]:
    """What the rows of a hidden group could be: those of the same sums where the total tells them, else any."""
    if total is not None:
        yield from same_sums(rows)
        return
    some = [Reached(), *(Reached(homes + more, homes) for homes in range(1, 5) for more in range(4))]
    yield from product(some, repeat=len(rows))


def test_every_purpose_but_any_stands_in_one_group_of_at_least_two() -> None:
    assert sorted(purpose for group in GROUPS for purpose in group) == sorted(set(Purpose) - {Purpose.ANY})
    assert all(len(group) > 1 for group in GROUPS)


def test_totals_that_leave_one_answer_are_hidden_too() -> None:
    illness, disability, elder, hardship = GROUPS[0] + GROUPS[1]
    others = {elder: Reached(5, 5), hardship: Reached(4, 3)}
    for counts in ({illness: Reached(1, 1)}, {illness: Reached(1, 1), disability: Reached(2, 2)}):
        assert told(counts | others).total is None
    assert told({illness: Reached(1, 1), disability: Reached(3, 3)} | others).total == Reached(13, 12)


def others_like(counts: dict[Purpose, Reached], hidden: list[Purpose]) -> Iterator[dict[Purpose, Reached]]:
    """Counts in which the same purposes were reached, with other numbers in one or two of the hidden ones."""
    steps = list(product(range(-2, 3), repeat=2))
    for one, (persons, homes) in product(hidden, steps):
        changed = counts | {one: Reached(counts[one].persons + persons, counts[one].households + homes)}
        yield changed
        for other in hidden:
            if other != one:
                back = Reached(counts[other].persons - persons, counts[other].households - homes)
                yield changed | {other: back}


@given(tables)
def test_no_hidden_count_is_what_the_totals_leave_for_the_purposes_that_were_used(
    counts: dict[Purpose, Reached],
) -> None:
    before = told(counts)
    hidden = [purpose for purpose, one in before.by_purpose.items() if one is None and counts[purpose].persons]
    waiting = {(purpose, name) for purpose in hidden for name in ("persons", "households")}
    for other in others_like(counts, hidden):
        is_possible = all(one.persons >= one.households >= 1 for one in map(other.__getitem__, hidden))
        if is_possible and told(other) == before:
            waiting -= {(purpose, name) for purpose, name in waiting
                        if getattr(other[purpose], name) != getattr(counts[purpose], name)}  # fmt: skip
    assert not waiting


def test_one_person_hides_the_cell_beside_and_the_total_stays() -> None:
    illness, disability, elder, hardship = GROUNDS
    counts = {illness: Reached(1, 1), disability: Reached(9, 8), elder: Reached(5, 5), hardship: Reached()}
    found = told(counts)
    assert found.by_purpose[illness] is None
    assert found.by_purpose[disability] is None
    assert (found.by_purpose[elder], found.by_purpose[hardship]) == (Reached(5, 5), Reached())
    assert found.total == Reached(15, 14)


@given(tables)
def test_nothing_small_is_told_and_nothing_hidden_stands_alone(counts: dict[Purpose, Reached]) -> None:
    found = told(counts)
    assert not any(0 < one.persons < FEWEST or 0 < one.households < FEWEST for one in found.by_purpose.values() if one)
    for group in GROUPS:
        assert len({found.by_purpose[purpose] is None for purpose in group}) == 1


def is_real(one: Reached) -> bool:
    """Whether there may be such counts: at least one person in each household, and nobody without one."""
    return one.persons >= one.households >= 0 and bool(one.persons) == bool(one.households)


def alternatives(counts: dict[Purpose, Reached], group: tuple[Purpose, ...]) -> Iterator[dict[Purpose, Reached]]:
    """Other counts that whoever knows the rule could think of: within a group, and between what is hidden anywhere."""
    before = told(counts)
    for rows in possible(tuple(counts[purpose] for purpose in group), total=before.total):
        yield counts | dict(zip(group, rows, strict=True))
    hidden = [purpose for purpose, one in before.by_purpose.items() if one is None]
    yield from (other for other in others_like(counts, hidden) if all(map(is_real, other.values())))


@given(tables)
def test_no_hidden_cell_can_be_derived_even_by_who_knows_the_rule_and_the_other_groups(
    counts: dict[Purpose, Reached],
) -> None:
    before = told(counts)
    for group in GROUPS:
        if before.by_purpose[group[0]] is not None:
            continue
        waiting = {(purpose, name) for purpose in group for name in ("persons", "households")}
        for other in alternatives(counts, group):
            if told(other) != before:
                continue
            waiting -= {(purpose, name) for purpose, name in waiting
                        if getattr(other[purpose], name) != getattr(counts[purpose], name)}  # fmt: skip
            if not waiting:
                break
        assert waiting == set()

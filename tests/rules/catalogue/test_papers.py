"""Papers: valid without a gap from the first to the last day wanted, or nothing is offered."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.rules.catalogue.papers import NEVER, HeldPaper, days_wanted, hold, unbroken, valid_until
from dispatch.rules.orders.decision import Offer, OfferMode, PerformerClass, Weights
from dispatch.rules.orders.routing import MOST_ROUNDS, evaluate, next_step
from tests.rules.orders.factories import a_performer, a_request

DAY = date(2026, 11, 24)
ONE = timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
KINDS = ("营业执照", "电工证", "健康证")

DAYS = st.integers(-5, 8).map(lambda days: DAY + days * ONE)
TERMS = st.tuples(DAYS, st.integers(0, 9)).map(lambda term: (term[0], term[0] + term[1] * ONE))
PAPERS = st.lists(st.tuples(st.sampled_from(KINDS), TERMS).map(lambda paper: (paper[0], *paper[1])), max_size=6)
NEEDED = st.frozensets(st.sampled_from(KINDS))
MOMENTS = st.one_of(
    st.sampled_from([MIDNIGHT + timedelta(microseconds=shift) for shift in (-1, 0, 1)]),
    st.integers(-48, 96).map(lambda hours: MIDNIGHT + timedelta(hours=hours)),
)


def is_valid(papers: list[HeldPaper], kind: str, day: date) -> bool:
    """Whether a paper of the kind is valid on the day, in the plainest words."""
    return any(one == kind and first <= day <= last for one, first, last in papers)


def fit(papers: list[HeldPaper], needed: frozenset[str], first: date, last: date) -> bool:
    """Whether every kind held or needed is valid on each day."""
    kinds = needed | {kind for kind, _, _ in papers}
    days = [first + place * ONE for place in range((last - first).days + 1)]
    return bool(kinds) and all(is_valid(papers, kind, day) for kind in kinds for day in days)


def test_the_first_and_the_last_day_count() -> None:
    assert valid_until([("电工证", DAY, DAY)], ["电工证"], DAY) == DAY
    assert valid_until([("电工证", DAY, DAY)], ["电工证"], DAY + ONE) == DAY
    assert valid_until([("电工证", DAY, DAY)], ["电工证"], DAY - ONE) == NEVER


def test_without_papers_nothing_is_valid_or_invalid_but_a_needed_one_is_missing() -> None:
    assert valid_until([], [], DAY) is None
    assert valid_until([], ["电工证"], DAY) == NEVER
    assert hold([], [], DAY, DAY, demanded=False)
    assert not hold([], [], DAY, DAY, demanded=True)


def test_an_expired_paper_that_is_not_needed_bars_too() -> None:
    held = [("营业执照", DAY, DAY + 9 * ONE), ("健康证", DAY - 9 * ONE, DAY - ONE)]
    assert not hold(held, ["营业执照"], DAY, DAY, demanded=True)


def test_a_renewal_that_follows_at_once_continues_and_a_gap_of_a_day_does_not() -> None:
    old = (DAY - 9 * ONE, DAY)
    assert unbroken([old, (DAY + ONE, DAY + 5 * ONE)], DAY) == DAY + 5 * ONE
    assert unbroken([old, (DAY + 2 * ONE, DAY + 5 * ONE)], DAY) == DAY


def test_the_day_changes_at_midnight_in_shanghai() -> None:
    assert days_wanted(None, None, MIDNIGHT - timedelta(microseconds=1)) == (DAY - ONE, DAY - ONE)
    assert days_wanted(None, None, MIDNIGHT) == (DAY, DAY)
    assert days_wanted(MIDNIGHT - 5 * ONE, MIDNIGHT - 4 * ONE, MIDNIGHT) == (DAY, DAY)
    assert days_wanted(MIDNIGHT + ONE, None, MIDNIGHT) == (DAY + ONE, DAY + ONE)


@given(papers=PAPERS, needed=NEEDED, first=DAYS, length=st.integers(0, 6))
def test_they_hold_exactly_when_each_is_valid_on_each_day(
    papers: list[HeldPaper], needed: frozenset[str], first: date, length: int
) -> None:
    last = first + length * ONE
    assert hold(papers, needed, first, last, demanded=True) == fit(papers, needed, first, last)


@settings(max_examples=300)
@given(
    firms=st.lists(PAPERS, min_size=1, max_size=5),
    needed=NEEDED,
    at=MOMENTS,
    wanted=st.none() | st.tuples(MOMENTS, st.integers(1, 72)),
    asked=st.tuples(
        st.sampled_from([OfferMode.OFFER_ONE, OfferMode.OFFER_FIRST_THREE, OfferMode.OFFER_ALL, OfferMode.NAMED]),
        st.integers(1, MOST_ROUNDS),
    ),
)
def test_a_firm_whose_papers_do_not_hold_is_among_the_recipients_of_no_round(
    firms: list[list[HeldPaper]],
    needed: frozenset[str],
    at: datetime,
    wanted: tuple[datetime, int] | None,
    asked: tuple[OfferMode, int],
) -> None:
    mode, round_number = asked
    start, end = (None, None) if wanted is None else (wanted[0], wanted[0] + timedelta(hours=wanted[1]))
    first, last = days_wanted(start, end, at)
    is_named = mode is OfferMode.NAMED
    request = a_request(
        wanted_from=start,
        wanted_until=end,
        papers=needed,
        performer_class=PerformerClass.NAMED if is_named else PerformerClass.FIRM,
        named_performer_id=0 if is_named else None,
    )
    facts = [
        a_performer(place, papers_valid_until=valid_until(papers, needed, first) or NEVER)
        for place, papers in enumerate(firms)
    ]
    step = next_step(evaluate(request, facts, Weights(), at), round_number, mode, 3)

    offered = set(step.recipients) if isinstance(step, Offer) else set()
    able = {place for place, papers in enumerate(firms) if fit(papers, needed, first, last)}
    assert offered <= able
    if mode is OfferMode.OFFER_ALL:
        assert offered == able

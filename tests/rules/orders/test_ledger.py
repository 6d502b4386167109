"""The time ledger: examples, and every second against an independent count over random histories."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.rules.catalogue.calendar import ALWAYS, DayKind, Period, WorkingCalendar
from dispatch.rules.orders.ledger import WAITS_FOR, Bucket, Ledger, Step, ledger
from dispatch.rules.orders.states import ENDED, Action, OrderState
from dispatch.rules.shanghai import SHANGHAI

A, S = Action, OrderState
MORNING, AFTERNOON = Period.of("08:30-12:00"), Period.of("14:00-17:30")
WEEK = dict.fromkeys(range(5), (MORNING, AFTERNOON))
OFFICE = WorkingCalendar(WEEK, {}, frozenset({2026}))
MONDAY = datetime(2026, 11, 23, tzinfo=SHANGHAI)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Give a time in November 2026 in Shanghai; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def minutes(made: Ledger) -> dict[str, int]:
    """The buckets that are not empty, in minutes."""
    return {str(bucket): seconds // 60 for bucket, seconds in made.seconds.items() if seconds}


LIFE = [
    Step(A.RECEIVE, S.RECEIVED, at(23, 9)),
    Step(A.COMPLETE_INTAKE, S.AWAITING_DISPATCH, at(23, 9)),
    Step(A.DISPATCH, S.DISPATCHED, at(23, 9, 10)),
    Step(A.SIGN, S.SIGNED, at(23, 9, 30)),
    Step(A.OPEN_ROUND, S.OFFERED, at(23, 9, 31)),
    Step(A.ACCEPT, S.ACCEPTED, at(23, 9, 35)),
    Step(A.ARRIVE, S.ARRIVED, at(23, 10)),
    Step(A.FINISH, S.FINISHED, at(23, 11)),
    Step(A.FEED_BACK, S.FED_BACK, at(23, 11, 30)),
    Step(A.START_CALLBACK, S.CALLING_BACK, at(24, 9)),
    Step(A.RECORD_CALLBACK_TRY, S.CALLING_BACK, at(24, 9)),
    Step(A.REMARK, S.CALLING_BACK, at(24, 9, 5)),
    Step(A.RECORD_CALLBACK_TRY, S.CALLING_BACK, at(24, 15)),
    Step(A.CLOSE, S.CLOSED, at(24, 15)),
    Step(A.ARCHIVE, S.ARCHIVED, at(30, 15)),
]


def test_a_whole_life_is_booked_to_whom_it_waited_for() -> None:
    made = ledger(LIFE, OFFICE, at(30, 16))
    assert minutes(made) == {
        "us": 10 + 1 + 30 + 210 + 30,
        "team": 20 + 30,
        "provider": 4 + 25 + 60,
        "resident": 180 + 60,
        "outside": 120 + 15 * 60 + 120,
    }
    assert (made.begin, made.end) == (at(23, 9), at(24, 15))
    assert sum(made.seconds.values()) == made.elapsed == 30 * 3600


def test_a_kind_served_day_and_night_has_no_outside() -> None:
    made = ledger(LIFE, ALWAYS, at(30, 16))
    assert made.seconds[Bucket.OUTSIDE] == 0
    assert sum(made.seconds.values()) == made.elapsed


def test_an_open_order_lives_until_now() -> None:
    made = ledger(LIFE[:3], OFFICE, at(23, 9, 25))
    assert minutes(made) == {"us": 10, "team": 15}


def test_a_hold_takes_all_of_its_time_and_what_comes_between_does_not_end_it() -> None:
    steps = [
        *LIFE[:6],
        Step(A.HOLD, S.ACCEPTED, at(23, 10)),
        Step(A.REMARK, S.ACCEPTED, at(23, 11)),
        Step(A.RESUME, S.ACCEPTED, at(24, 10)),
    ]
    made = ledger(steps, OFFICE, at(24, 10, 20))
    assert minutes(made) == {"us": 11, "team": 20, "provider": 4 + 25 + 20, "hold": 24 * 60}


def test_an_appointment_is_the_residents_time_until_it_comes() -> None:
    made = ledger(LIFE[:7], OFFICE, at(23, 10), wanted_from=at(23, 9, 50))
    assert minutes(made) == {"us": 11, "team": 20, "provider": 4 + 10, "resident": 15}


def test_what_was_merged_and_came_back_waited_for_us() -> None:
    steps = [*LIFE[:3], Step(A.MERGE, S.MERGED, at(23, 10)), Step(A.UNMERGE, S.AWAITING_DISPATCH, at(23, 11))]
    assert minutes(ledger(steps, OFFICE, at(23, 11, 5))) == {"us": 10 + 60 + 5, "team": 50}
    assert ledger(steps[:-1], OFFICE, at(23, 12)).end == at(23, 10)


def test_a_calendar_that_is_corrected_books_anew() -> None:
    holiday = WorkingCalendar(WEEK, {date(2026, 11, 23): DayKind.HOLIDAY}, frozenset({2026}))
    made = ledger(LIFE[:9], holiday, at(23, 12))
    assert minutes(made) == {"outside": 180}


def test_a_clock_that_was_put_back_takes_no_time() -> None:
    steps = [LIFE[0], Step(A.COMPLETE_INTAKE, S.AWAITING_DISPATCH, at(23, 8))]
    assert minutes(ledger(steps, ALWAYS, at(23, 9, 5))) == {"us": 5}
    assert ledger(steps, ALWAYS, at(23, 8)).elapsed == 0


def test_there_is_no_ledger_of_nothing() -> None:
    with pytest.raises(ValueError, match="begins"):
        ledger([], OFFICE, at(23, 9))


def test_every_state_waits_for_somebody() -> None:
    assert set(WAITS_FOR) == set(OrderState)


# The independent count: one look at each unit of time, by plain comparison of wall clocks.

INSTANTS = st.integers(0, 350 * 86_400_000_000).map(
    lambda micros: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
)
EXCEPTIONS = st.dictionaries(
    st.integers(0, 9).map(lambda day: (MONDAY + timedelta(days=day)).date()),
    st.sampled_from(
        [DayKind.HOLIDAY, DayKind.WORKDAY, (Period.of("09:00-11:15"),), (MORNING, Period.of("13:00-15:00"))]
    ),
    max_size=5,
)


@st.composite
def histories(draw: st.DrawFn, unit: int, most: int) -> tuple[list[Step], datetime]:
    """A random history (any action, any state) and now, on whole units of so many seconds."""
    offset = draw(st.integers(0, 3 * 86_400 // unit)) * unit
    gaps = draw(st.lists(st.integers(0, most), min_size=1, max_size=9))
    instant = MONDAY + timedelta(seconds=offset)
    steps = [Step(A.RECEIVE, S.RECEIVED, instant)]
    for gap in gaps[:-1]:
        instant += timedelta(seconds=gap * unit)
        action = draw(st.sampled_from([A.HOLD, A.RESUME, A.RECORD_CALLBACK_TRY, A.REMARK, A.ACCEPT, A.DISPATCH]))
        steps.append(Step(action, draw(st.sampled_from(list(S))), instant))
    return steps, instant + timedelta(seconds=gaps[-1] * unit)


def is_open(moment: datetime, exceptions: Mapping[date, object]) -> bool:
    """Whether the office works at a moment: lunch, holidays and make-up days by comparison of wall clocks."""
    local = moment.astimezone(SHANGHAI)
    made = exceptions.get(local.date(), "ordinary")
    if made is DayKind.HOLIDAY:
        return False
    ordinary = [(time(8, 30), time(12)), (time(14), time(17, 30))]
    if made in {DayKind.WORKDAY, "ordinary"}:
        spans = ordinary if made is DayKind.WORKDAY or local.weekday() < 5 else []
    else:
        spans = {
            (Period.of("09:00-11:15"),): [(time(9), time(11, 15))],
            (MORNING, Period.of("13:00-15:00")): [(time(8, 30), time(12)), (time(13), time(15))],
        }[made]  # type: ignore[index]
    return any(opens <= local.time() < closes for opens, closes in spans)


def bucket_at(steps: Sequence[Step], moment: datetime, wanted: datetime | None) -> Bucket:
    """Whom the order waits for at a moment, from what was done until then."""
    past = [step for step in steps if step.at <= moment]
    state = past[-1].to
    turns = [step.action for step in past if step.action in {A.HOLD, A.RESUME}]
    if turns and turns[-1] is A.HOLD:
        return Bucket.HOLD
    if state is S.CALLING_BACK:
        since = next((index for index, step in enumerate(reversed(past)) if step.to is not S.CALLING_BACK), len(past))
        tried = any(step.action is A.RECORD_CALLBACK_TRY for step in past[len(past) - since :])
        return Bucket.RESIDENT if tried else Bucket.US
    if state is S.ACCEPTED and wanted is not None and moment < wanted:
        return Bucket.RESIDENT
    if state in {S.OFFERED, S.ACCEPTED, S.ARRIVED}:
        return Bucket.PROVIDER
    return Bucket.TEAM if state in {S.DISPATCHED, S.FINISHED} else Bucket.US


def counted(
    steps: Sequence[Step], now: datetime, unit: int, exceptions: Mapping[date, object] | None, wanted: datetime | None
) -> dict[Bucket, int]:
    """The buckets by looking at every unit of time; `exceptions` None is 7×24."""
    found = dict.fromkeys(Bucket, 0)
    moment = steps[0].at
    while moment < now and not is_over(steps, moment):
        bucket = bucket_at(steps, moment, wanted)
        if bucket is not Bucket.HOLD and exceptions is not None and not is_open(moment, exceptions):
            bucket = Bucket.OUTSIDE
        found[bucket] += unit
        moment += timedelta(seconds=unit)
    return found


def is_over(steps: Sequence[Step], moment: datetime) -> bool:
    """Whether the order has ended by a moment and did not come back later."""
    held = [step for step in steps if step.at <= moment][-1:]
    return all(step.to in ENDED for step in [*held, *(step for step in steps if step.at > moment)])


@pytest.mark.parametrize(("unit", "most"), [(60, 1200), (1, 900)])
@settings(max_examples=60)
@given(data=st.data(), exceptions=EXCEPTIONS, wanted=st.none() | st.integers(0, 4 * 86_400), always=st.booleans())
def test_every_second_is_where_an_independent_count_finds_it(
    unit: int,
    most: int,
    data: st.DataObject,
    exceptions: dict[date, DayKind | tuple[Period, ...]],
    wanted: int | None,
    *,
    always: bool,
) -> None:
    steps, now = data.draw(histories(unit, most))
    wanted_from = None if wanted is None else MONDAY + timedelta(seconds=wanted // unit * unit)
    calendar = ALWAYS if always else WorkingCalendar(WEEK, exceptions, frozenset({2026}))
    made = ledger(steps, calendar, now, wanted_from=wanted_from)
    assert made.seconds == counted(steps, now, unit, None if always else exceptions, wanted_from)
    assert sum(made.seconds.values()) == made.elapsed


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(A)),
            st.sampled_from(list(S)),
            INSTANTS,
        ),
        min_size=1,
        max_size=12,
    ),
    INSTANTS,
)
def test_the_buckets_add_up_to_the_age_whatever_the_history(
    rows: list[tuple[Action, OrderState, datetime]], now: datetime
) -> None:
    steps = [Step(*row) for row in rows]
    made = ledger(steps, OFFICE, now)
    assert sum(made.seconds.values()) == made.elapsed >= 0
    assert all(before.end == after.begin for before, after in zip(made.spells, made.spells[1:], strict=False))
    assert sum(spell.seconds + spell.outside for spell in made.spells) == made.elapsed

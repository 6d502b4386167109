"""The lived week without an installation: manners, tales side by side, who calls when, how fast time runs."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.demo.calls import MINUTES_OF_DAY
from dispatch.demo.community import Community
from dispatch.demo.day.agenda import Agenda, BusinessTime
from dispatch.demo.day.story import Manner, Story
from dispatch.demo.week.cast import cues, is_weekend, ordinary_calls
from dispatch.demo.week.director import Director, NotBuilt, Surprise, Tale, Wait
from dispatch.demo.week.live import next_monday
from dispatch.demo.week.paths import LABELS, Ledger, Path
from dispatch.demo.week.tales import PLOTS
from dispatch.rules.shanghai import SHANGHAI

MONDAY = datetime(2026, 11, 30, tzinfo=SHANGHAI)


class Hands(BusinessTime):
    """A clock that is set by hand."""

    def now(self) -> datetime:
        """What was set."""
        return self.anchor


@pytest.fixture
def clock() -> Hands:
    return Hands("", 1.0, MONDAY, 0.0)


@pytest.fixture
def director(clock: Hands) -> Director:
    return Director(clock, Agenda(), Ledger())


@pytest.mark.parametrize(("asked", "word"), [(1, "lapse"), (2, "decline"), (3, "accept"), (9, "accept")])
def test_those_who_are_asked_answer_as_the_tale_has_it(asked: int, word: str) -> None:
    assert Manner(("lapse", "decline"), "accept").answer(asked) == word


def test_without_a_tale_luck_decides() -> None:
    assert (Manner().answer(1), Manner().word(1)) == ("", "")


@pytest.mark.parametrize(("attempt", "word"), [(1, "unsolved"), (2, "solved"), (5, "solved")])
def test_the_last_word_of_a_resident_holds_for_all_later_calls(attempt: int, word: str) -> None:
    assert Manner(says=("unsolved", "solved")).word(attempt) == word


def test_a_tale_goes_on_when_its_time_has_come(director: Director, clock: Hands) -> None:
    done: list[str] = []

    def tale() -> Tale:
        done.append("begun")
        yield Wait(clock.now() + timedelta(hours=1))
        done.append("ended")

    director.begin((Path.URGED,), tale())
    director.agenda.do_due(clock.now)
    assert (done, director.running) == (["begun"], 1)

    clock.anchor += timedelta(hours=2)
    director.agenda.do_due(clock.now)
    assert (done, director.running, director.ledger.well[Path.URGED]) == (["begun", "ended"], 0, 1)


def test_a_tale_that_waits_for_something_goes_on_when_it_is_so(director: Director, clock: Hands) -> None:
    ready: list[bool] = []

    def tale() -> Tale:
        yield Wait(clock.now() + timedelta(hours=1), lambda: bool(ready), "ready")

    director.begin((Path.URGED,), tale())
    assert director.look() == 0
    ready.append(True)
    director.watched[0].look_at = 0.0
    assert (director.look(), director.ledger.well[Path.URGED]) == (1, 1)


def test_what_never_comes_is_a_surprise_and_the_order_is_let_go(director: Director, clock: Hands) -> None:
    released: list[bool] = []

    def tale() -> Tale:
        yield Wait(clock.now() + timedelta(hours=1), lambda: False, "the end")

    director.begin((Path.URGED,), tale(), lambda: released.append(True))
    clock.anchor += timedelta(hours=2)
    director.look()

    assert released == [True]
    assert director.ledger.surprises == ["urged: waited in vain for the end"]
    assert (director.ledger.well[Path.URGED], director.running) == (0, 0)


@pytest.mark.parametrize(
    ("found", "surprises", "missing"),
    [(Surprise("otherwise"), ["split: otherwise"], {}), (NotBuilt("POST /x"), [], {Path.SPLIT: "POST /x"})],
)
def test_what_is_otherwise_and_what_is_not_built_are_told_apart(
    director: Director, found: Exception, surprises: list[str], missing: dict[Path, str]
) -> None:
    def tale() -> Iterator[Wait]:
        raise found
        yield

    director.begin((Path.SPLIT,), tale())  # type: ignore[arg-type]

    assert (director.ledger.surprises, director.ledger.missing) == (surprises, missing)
    assert director.ledger.short_of(1, [Path.SPLIT]) == ([] if missing else ["split: 0 of 1 as expected, 1 wanted"])


def test_the_table_has_a_line_for_each_path() -> None:
    ledger = Ledger(Counter({Path.URGED: 3}), Counter({Path.URGED: 2}), {Path.SPLIT: "POST /x"})

    lines = ledger.lines()
    assert len(lines) == 1 + len(Path)
    assert any(LABELS[Path.URGED] in line and line.endswith("3 | 2") for line in lines)
    assert any(LABELS[Path.SPLIT] in line and "not built" in line for line in lines)


def test_every_path_has_a_tale() -> None:
    assert {path for plot in PLOTS for path in plot.paths} == set(Path)


@pytest.fixture(scope="module")
def cast(community: Community) -> Callable[[int, int], list[tuple[tuple[Path, ...], int, int]]]:
    def of(days: int, times: int) -> list[tuple[tuple[Path, ...], int, int]]:
        found = cues(Story(1).chance("week"), MONDAY, days, times, community)
        return [(cue.plot.paths, cue.call.minute // MINUTES_OF_DAY, cue.call.number) for cue in found]

    return of


def test_every_path_is_begun_as_often_as_asked(
    cast: Callable[[int, int], list[tuple[tuple[Path, ...], int, int]]],
) -> None:
    begun = Counter(path for paths, _, _ in cast(7, 12) for path in paths)

    assert set(begun.values()) == {12}
    assert set(begun) == set(Path)


def test_tales_begin_on_workdays_and_long_ones_early(
    cast: Callable[[int, int], list[tuple[tuple[Path, ...], int, int]]],
) -> None:
    told = cast(7, 12)

    assert {day for _, day, _ in told} == {0, 1, 2, 3, 4}
    assert {day for paths, day, _ in told if Path.SUPERVISED_BY_CLOCK in paths} == {0, 1}
    assert {day for paths, day, _ in told if Path.REOPENED_TWICE in paths or Path.UNREACHED in paths} == {0, 1, 2}
    assert len({number for _, _, number in told}) == len(told)


def test_fewer_call_on_a_weekend_and_all_have_numbers_of_their_own(community: Community) -> None:
    calls = ordinary_calls(Story(1).chance("week"), MONDAY, 7, 20, community)

    by_day = Counter(call.minute // MINUTES_OF_DAY for call in calls)
    assert [by_day[day] for day in range(7)] == [20, 20, 20, 20, 20, 12, 12]
    assert len({call.number for call in calls}) == len(calls)
    assert [is_weekend(MONDAY, day) for day in range(7)] == [False] * 5 + [True] * 2


@pytest.mark.parametrize("day", range(24, 31))
def test_the_week_begins_on_the_next_monday(day: int) -> None:
    begins = next_monday(datetime(2026, 11, day, 10, tzinfo=UTC))

    assert (begins.weekday(), begins.hour) == (0, 0)
    assert timedelta() < begins - datetime(2026, 11, day, 10, tzinfo=UTC) <= timedelta(days=7)

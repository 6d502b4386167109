"""工作日历: a year's grid with holidays, make-up workdays and special hours; who keeps it edits it here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import format_date, gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.access import User
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.catalogue.calendar import DayKind, YearNotKnown, seed_year
from dispatch.services import catalogue, notify
from dispatch.services.catalogue import DayEntry, Year
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.form import number as whole_number
from dispatch.web.orders.views import names
from dispatch.web.pages import told

MISSING = "calendar_missing"
SPECIAL = "special"
DAYS_OF_WEEK = 7
TONES = {str(DayKind.HOLIDAY): "late", str(DayKind.WORKDAY): "moving", SPECIAL: "soon"}

blueprint = Blueprint("pages_calendar", __name__)


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the grid: its tone, a mark of one character, and in words what it is."""

    day: date
    tone: str
    mark: str
    words: str
    is_today: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month's name and its weeks from Monday; None where a week reaches into another month."""

    name: str
    weeks: list[list[Cell | None]]


@dataclass(frozen=True, slots=True)
class CalendarView:
    """The page: the year, its grid, its list of days that differ, the form of a day, what is missing."""

    year: Year
    today: date
    months: list[Month]
    week: list[tuple[str, str]]
    people: Mapping[int, str]
    missing: int | None
    is_in_library: bool
    chosen: date | None
    entry: DayEntry | None
    may_edit: bool


@blueprint.get("/calendar")
@allow(Right.CATALOGUE_READ)
def show() -> Response:
    """A year; `day` opens the form of one day."""
    return render({}, {})


@blueprint.post("/calendar/days")
@allow(Right.CATALOGUE_EDIT)
def edit_day() -> Response:
    """Enter, change or take back one day that differs."""
    actor = current_actor()
    try:
        day = day_of("day")
        with transaction() as session:
            home = catalogue.kept_at(session, actor)
            if request.form.get("act") == "remove":
                catalogue.remove_day(session, home.id, day, actor=actor)
            else:
                periods = request.form.get("periods", "").split()
                kind, name = request.form.get("kind", ""), request.form.get("name", "")
                catalogue.edit_day(session, home.id, day, kind=kind, name=name, periods=periods, actor=actor)
    except Invalid as error:
        return render({error.field: told(error)}, request.form, 422)
    return redirect(url_for("pages_calendar.show", year=day.year, saved=day.isoformat()), 303)  # type: ignore[return-value]


@blueprint.post("/calendar/years")
@allow(Right.CATALOGUE_EDIT)
def start_year() -> Response:
    """Begin a year: with the published list as it was pasted, the built-in one, or the week's pattern alone."""
    actor = current_actor()
    year = whole_number(request.form, "year") or 0
    way = request.form.get("way", "")
    try:
        with transaction() as session:
            now = clock.now(session)
            home = catalogue.kept_at(session, actor)
            if way == "library":
                catalogue.seed_calendar_year(session, home.id, year, actor=actor, now=now)
            else:
                text = request.form.get("text", "") if way != "week" else ""
                catalogue.start_year(session, home.id, year, text=text, only_week=way == "week", actor=actor, now=now)
            notify.clear_alarms(session, subject=f"calendar:{home.id}:{year}", kinds=(MISSING,), now=now)
    except YearNotKnown as error:
        return render({"text": told(error)}, request.form, 422)
    except Invalid as error:
        return render({error.field: told(error)}, request.form, 422)
    return redirect(url_for("pages_calendar.show", year=year, saved=year), 303)  # type: ignore[return-value]


def day_of(field: str) -> date:
    """A day of the form; raises Invalid naming it."""
    try:
        return date.fromisoformat(request.form.get(field, ""))
    except ValueError as error:
        raise Invalid(field, "请选择日期") from error


def render(errors: Mapping[str, str], typed: Mapping[str, str], status: int = 200) -> Response:
    """The page; after a refusal with what was typed and what is wrong with it."""
    actor = current_actor()
    with transaction() as session:
        view = read(session, actor, typed)
    return make_response(render_template("calendar/year.html", view=view, errors=errors, typed=typed), status)


def read(session: Session, actor: Actor, typed: Mapping[str, str]) -> CalendarView:
    """Read the year that is asked for (this one by itself), with the day that is being edited."""
    today = clock.today(clock.now(session))
    asked = typed.get("day") or request.args.get("day", "")
    chosen = date.fromisoformat(asked) if is_day(asked) else None
    wanted = chosen.year if chosen else whole_number(typed or request.args, "year") or today.year
    home = catalogue.kept_at(session, actor)
    year = catalogue.year_of(session, home, wanted)
    return CalendarView(
        year=year,
        today=today,
        months=[month_of(year, month, today, chosen) for month in range(1, 13)],
        week=week_words(year),
        people=names(session, User, {entry.edited_by for entry in year.days.values() if entry.edited_by}),
        missing=catalogue.missing_year(session, home.id, today),
        is_in_library=is_in_library(wanted),
        chosen=chosen,
        entry=year.days.get(chosen) if chosen else None,
        may_edit=actor.may(Right.CATALOGUE_EDIT),
    )


def is_day(text: str) -> bool:
    """Whether a text is a day."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_in_library(year: int) -> bool:
    """Whether the holidays of a year came with the program."""
    try:
        seed_year(year)
    except YearNotKnown:
        return False
    return True


def kind_word(kind: str) -> str:
    """What a day that differs is."""
    words = {
        str(DayKind.HOLIDAY): gettext("休息日"),
        str(DayKind.WORKDAY): gettext("调休上班"),
        SPECIAL: gettext("特别时段"),
    }
    return words[kind]


def kind_mark(kind: str) -> str:
    """The same in one character."""
    marks = {str(DayKind.HOLIDAY): gettext("休"), str(DayKind.WORKDAY): gettext("班"), SPECIAL: gettext("特")}
    return marks[kind]


def month_of(year: Year, month: int, today: date, chosen: date | None) -> Month:
    """A month as a grid."""
    first = date(year.year, month, 1)
    begin = first - timedelta(days=first.weekday())
    weeks: list[list[Cell | None]] = []
    while begin.replace(day=1) <= first:
        days = [begin + timedelta(days=offset) for offset in range(DAYS_OF_WEEK)]
        weeks.append([cell_of(year, day, today, chosen) if day.month == month else None for day in days])
        begin += timedelta(days=DAYS_OF_WEEK)
    return Month(format_date(first, "LLLL"), weeks)


def cell_of(year: Year, day: date, today: date, chosen: date | None) -> Cell:
    """One day: what was entered for it, else what the week makes of it."""
    entry = year.days.get(day)
    spoken = format_date(day, "full")
    if entry is not None:
        words = f"{spoken} {kind_word(entry.kind)} {entry.name}"
        return Cell(day, TONES[entry.kind], kind_mark(entry.kind), words, day == today, day == chosen)
    works = year.calendar.working_day_length(day) > 0
    words = f"{spoken} {gettext('上班') if works else gettext('不上班')}"
    return Cell(day, "calm" if works else "quiet", "", words, day == today, day == chosen)


def week_words(year: Year) -> list[tuple[str, str]]:
    """The week's pattern in words: weekday and its periods."""
    monday = date(2024, 1, 1)
    return [
        (
            format_date(monday + timedelta(days=weekday), "EEEE"),
            " ".join(clock_words(period.start, period.end) for period in year.calendar.weekly.get(weekday, ()))
            or gettext("不上班"),
        )
        for weekday in range(DAYS_OF_WEEK)
    ]


def clock_words(start: int, end: int) -> str:
    """A period of the day: 08:30–12:00."""
    return f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}"


@blueprint.context_processor
def words() -> dict[str, object]:
    """What the templates of this page know."""
    return {"kind_word": kind_word, "tones": TONES}

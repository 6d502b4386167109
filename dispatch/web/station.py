"""服务站: its catalogue and counter, figures by kind and month, and 职业介绍."""

from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.station import ENDED_LABELS, FOUND_LABELS, Ended, Found
from dispatch.rules.grid.phone import mask_phone
from dispatch.rules.reports.history import DECLARED_STATION
from dispatch.services.care.station import Came, VacancyDraft, counting, jobs
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.counselling.desk import chosen
from dispatch.web.courses import needed_number
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import number, one_of

VACANCY = "/vacancies/<int(min=1, max=9223372036854775807):vacancy_id>"
SEEKER = "/seekers/<int(min=1, max=9223372036854775807):seeker_id>"
INTRODUCTION = "/introductions/<int(min=1, max=9223372036854775807):introduction_id>"

blueprint = Blueprint("pages_station", __name__, url_prefix="/station")


@blueprint.get("")
@allow(Right.STATION_KEEP)
def counter() -> str:
    """The counter: the form, who came last, and how often people came this year."""
    return render_counter(current_actor(), NOTHING_WRONG)


def render_counter(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        communities, now = communities_of(session, actor), clock.now(session)
        community_id, today = chosen(communities), clock.today(now)
        counted = counting.figures(session, today.year, actor=actor)
        return render_template(
            "station/counter.html",
            communities=communities,
            community_id=community_id,
            kinds=counting.kinds(session, community_id) if community_id is not None else [],
            counts={one.kind: (one.months[today.month - 1], one.year) for one in counted},
            rows=counting.latest(session, actor=actor),
            endings=[(str(one), gettext(word)) for one, word in ENDED_LABELS.items()],
            declared=DECLARED_STATION,
            now=now,
            typed=request.form,
            errors=errors,
        )


@blueprint.post("/visits")
@allow(Right.STATION_KEEP)
@retrying
def note_visit() -> Response:
    """Count who came; where somebody must go, an order is placed."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        came = Came(
            needed_number("service_id"),
            one_of(form, "ended", Ended),
            visitor=form.get("visitor", ""),
            referred_to=form.get("referred_to", ""),
            description=form.get("description", ""),
            address_text=form.get("address_text", ""),
            phone=form.get("phone", ""),
        )
        counting.note_visit(session, chosen_community(), came, actor=actor, now=now)

    return change(work, render_counter, url_for("pages_station.counter"))


@blueprint.get("/figures")
@allow(Right.STATION_KEEP)
def figures() -> str:
    """How often people came, by kind and month of a year."""
    actor, errors = current_actor(), {}
    with transaction() as session:
        this_year = clock.today(clock.now(session)).year
        try:
            year = number(request.args, "year") or this_year
            rows = counting.figures(session, year, actor=actor)
        except Invalid:
            errors, year = {"form": gettext("请填2003年以后的年份")}, this_year
            rows = counting.figures(session, year, actor=actor)
    about = {"year": year, "this_year": this_year, "rows": rows, "declared": DECLARED_STATION}
    return render_template("station/figures.html", **about, errors=errors)


@blueprint.get("/jobs")
@allow(Right.STATION_KEEP)
def work_sought() -> str:
    """Vacancies, who seeks work, and introductions."""
    return render_jobs(current_actor(), NOTHING_WRONG)


def render_jobs(actor: Actor, errors: Mapping[str, str], revealed: tuple[int, str] | None = None) -> str:
    """The page with what was typed; a whole telephone number stands only in the answer to who asked for it."""
    with transaction() as session:
        now = clock.now(session)
        seekers = jobs.open_seekers(session, actor=actor, now=now)
        phones = {one.id: mask_phone(jobs.phone_of(one)) for one in seekers}
        return render_template(
            "station/jobs.html",
            communities=communities_of(session, actor),
            vacancies=jobs.open_vacancies(session, actor=actor, now=now),
            seekers=seekers,
            phones=phones | dict([revealed] if revealed else []),
            revealed=revealed[0] if revealed else None,
            rows=jobs.introductions(session, actor=actor),
            outcomes={str(one): gettext(word) for one, word in FOUND_LABELS.items()},
            typed=request.form,
            errors=errors,
        )


def changed(work: Work) -> Response:
    """Do something about work that is offered or sought, and go back to the page."""
    return change(work, render_jobs, url_for("pages_station.work_sought"))


@blueprint.post("/vacancies")
@allow(Right.STATION_KEEP)
@retrying
def add_vacancy() -> Response:
    """Write down a place of work."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        draft = VacancyDraft(
            employer=form.get("employer", ""),
            title=form.get("title", ""),
            places=needed_number("places"),
            until=needed_day(form, "until"),
            terms=form.get("terms", ""),
        )
        jobs.add_vacancy(session, chosen_community(), draft, actor=actor, now=now)

    return changed(work)


@blueprint.post(f"{VACANCY}/end")
@allow(Right.STATION_KEEP)
@retrying
def end_vacancy(vacancy_id: int) -> Response:
    """Nobody is introduced to it any more."""
    return changed(lambda session, actor, now: jobs.end_vacancy(session, vacancy_id, actor=actor, now=now))


@blueprint.post("/seekers")
@allow(Right.STATION_KEEP)
@retrying
def register_seeker() -> Response:
    """Write down who seeks work, by consent."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        said = (form.get("name", ""), form.get("phone", ""), form.get("wish", ""))
        consented = bool(form.get("has_consented"))
        jobs.register_seeker(session, chosen_community(), *said, has_consented=consented, actor=actor, now=now)

    return changed(work)


@blueprint.post(f"{SEEKER}/phone")
@allow(Right.STATION_KEEP)
def reveal_phone(seeker_id: int) -> str:
    """The whole number, for this one answer; each reading is audited."""
    actor = current_actor()
    with transaction() as session:
        phone = jobs.reveal_phone(session, seeker_id, actor=actor)
    return render_jobs(actor, NOTHING_WRONG, (seeker_id, phone))


@blueprint.post(f"{SEEKER}/end")
@allow(Right.STATION_KEEP)
@retrying
def end_seeker(seeker_id: int) -> Response:
    """Name and number are forgotten."""
    return changed(lambda session, actor, now: jobs.end_seeker(session, seeker_id, actor=actor, now=now))


@blueprint.post("/introductions")
@allow(Right.STATION_KEEP)
@retrying
def introduce() -> Response:
    """Send somebody to an employer."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        vacancy_id, seeker_id = needed_number("vacancy_id"), needed_number("seeker_id")
        jobs.introduce(session, vacancy_id, seeker_id, actor=actor, now=now)

    return changed(work)


@blueprint.post(f"{INTRODUCTION}/outcome")
@allow(Right.STATION_KEEP)
@retrying
def note_outcome(introduction_id: int) -> Response:
    """What came of it."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        outcome = one_of(request.form, "outcome", Found)
        jobs.note_outcome(session, introduction_id, outcome, actor=actor, now=now)

    return changed(work)

"""Enrolling: the programme, who it is, found in the register."""

from collections.abc import Mapping
from datetime import date, datetime

from flask import Response, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.gateways import limits
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.birthdays import Birthday, birth_date
from dispatch.rules.care.eligibility import OF_HOUSEHOLDS
from dispatch.rules.care.festivals import Calendar
from dispatch.rules.care.terms import Programme
from dispatch.services import care, grid
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.care.door import blueprint
from dispatch.web.changing import NOTHING_WRONG, make
from dispatch.web.knowledge import read_day
from dispatch.web.orders.form import number

MOST_FOUND = 20
LONGEST_PART = 4


@blueprint.get("/new")
@allow(Right.VISITS_PLAN, limit=limits.SEARCH)
def new() -> str:
    """The form."""
    return render_form(current_actor(), NOTHING_WRONG)


def render_form(actor: Actor, errors: Mapping[str, str]) -> str:
    """The form with what was typed and who was found."""
    query = request.values.get("q", "")[:100].strip()
    with transaction() as session:
        found = grid.search_residents(session, query, actor=actor, limit=MOST_FOUND).items if query else ()
        return render_template(
            "care/new.html",
            programmes=care.programmes_of(session, actor=actor),
            chosen=request.values.get("programme", str(Programme.PAIRING)),
            found=found,
            query=query,
            today=clock.today(clock.now(session)),
            typed=request.form,
            errors=errors,
        )


@blueprint.post("")
@allow(Right.VISITS_PLAN)
@retrying
def enrol() -> Response:
    """Enrol who was chosen; pairing enrols the home in which they live."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        programme, resident_id = request.form.get("programme", ""), number(request.form, "resident_id")
        if resident_id is None:
            raise Invalid("resident_id", "请先查找并选择居民")
        born = read_birthday(request.form)
        if born is not None:
            grid.note_birth_date(session, resident_id, born, actor=actor, now=now)
        by_home = programme in {str(kind) for kind in OF_HOUSEHOLDS}
        draft = care.EnrolmentDraft(
            programme,
            household_id=home_of(session, resident_id) if by_home else None,
            resident_id=None if by_home else resident_id,
            starts_on=read_day(request.form, "starts_on"),
            is_couple="is_couple" in request.form,
        )
        made = care.enrol(session, draft, actor=actor, now=now)
        return url_for("pages_care.elder", enrolment_id=made.id)

    return make(work, render_form)


def read_birthday(form: Mapping[str, str]) -> date | None:
    """The birthday that was typed, as a solar day; None when all is empty. Raises Invalid("birthday")."""
    written = [form.get(f"birth_{part}", "").strip() for part in ("year", "month", "day")]
    if not any(written):
        return None
    if not all(part.isascii() and part.isdigit() and len(part) <= LONGEST_PART for part in written):
        raise Invalid("birthday", "出生日期请写全：年、月、日都填数字")
    calendar = Calendar.LUNAR if form.get("birth_calendar") == Calendar.LUNAR else Calendar.SOLAR
    year, month, day = map(int, written)
    return birth_date(Birthday(calendar, year, month, day, leap=calendar is Calendar.LUNAR and "birth_leap" in form))


def home_of(session: Session, resident_id: int) -> int | None:
    """The home of a resident."""
    return session.scalars(select(Resident.household_id).where(Resident.id == resident_id)).one_or_none()

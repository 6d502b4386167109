"""The record of a visit or call, on the phone of who was there or at the desk."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.recording import LONGEST_WORDS
from dispatch.rules.care.terms import ContactKind, Mood
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import care
from dispatch.services.care import days
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.care.door import ID, blueprint
from dispatch.web.changing import NOTHING_WRONG, make
from dispatch.web.orders.form import number

HOME = f"/homes/{ID.format('household_id')}/record"


@blueprint.get(HOME)
@allow(Right.VISITS_RECORD)
def record(household_id: int) -> str:
    """The form of a home."""
    return render_record(household_id, current_actor(), NOTHING_WRONG)


def render_record(household_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The form with what was typed; raises NotFound for a home that is not the actor's to visit."""
    with transaction() as session:
        page = days.home_page(session, household_id, actor=actor)
        return render_template(
            "care/record.html",
            home=page.home,
            people=page.people,
            kinds=page.kinds,
            helpers=() if actor.performer_id else days.able_helpers(session, page.community_id),
            moods=list(Mood),
            longest=LONGEST_WORDS,
            now=clock.now(session).astimezone(SHANGHAI),
            typed=request.form,
            errors=errors,
        )


@blueprint.post(HOME)
@allow(Right.VISITS_RECORD)
@retrying
def keep_record(household_id: int) -> Response:
    """Keep what was reported; on to the day, or to the home's enrolment."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        page = days.home_page(session, household_id, actor=actor)
        care.record_contact(session, record_of(household_id, actor, now), actor=actor, now=now)
        if actor.performer_id is not None:
            return url_for("pages_care.my_day")
        return url_for("pages_care.elder", enrolment_id=page.enrolment_id)

    return make(work, partial(render_record, household_id))


def record_of(household_id: int, actor: Actor, now: datetime) -> care.Record:
    """What the form says; raises Invalid."""
    form = request.form
    return care.Record(
        household_id=household_id,
        kind=form.get("kind", str(ContactKind.VISIT)),
        happened_at=moment_of(form, now),
        performer_id=actor.performer_id or number(form, "performer_id"),
        answered=form.get("answered", "yes") == "yes",
        tested="tested" in form,
        confirmed="confirmed" in form,
        door_code=form.get("door_code", ""),
        mood=form.get("mood") or None,
        complaint=form.get("complaint", ""),
        difficulty=form.get("difficulty", ""),
        note=form.get("note", ""),
    )


def moment_of(form: Mapping[str, str], now: datetime) -> datetime:
    """When it was, local in Shanghai; now where nothing is said; raises Invalid("happened_at")."""
    written = form.get("happened_at", "").strip()
    if not written:
        return now
    try:
        said = datetime.fromisoformat(written).replace(tzinfo=SHANGHAI)
    except ValueError as error:
        raise Invalid("happened_at", "请填写完整的日期和时间") from error
    return min(said, now) if said.replace(second=0) <= now else said

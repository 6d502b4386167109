"""课程: group services with their roster, sessions, certificates on paper and job outcome; the activity log."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.access import Organisation
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.courses import OUTCOME_LABELS, Outcome, number_on
from dispatch.rules.grid.phone import mask_phone
from dispatch.rules.reports.history import DECLARED_COUNSELLING
from dispatch.services.care.courses import CourseDraft, certifying, planning, roster
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.counselling.desk import chosen
from dispatch.web.counselling.door import hours
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import local_time, number, numbers, one_of

COURSE = "/<int(min=1, max=9223372036854775807):course_id>"
SESSION = "/sessions/<int(min=1, max=9223372036854775807):course_session_id>"
MEMBER = "/members/<int(min=1, max=9223372036854775807):course_member_id>"
CERTIFICATE = "/certificates/<int(min=1, max=9223372036854775807):certificate_id>"

blueprint = Blueprint("pages_courses", __name__, url_prefix="/courses")


@blueprint.get("")
@allow(Right.COURSES_RUN)
def listing() -> str:
    """The courses and the activity log."""
    return render_listing(current_actor(), NOTHING_WRONG)


def render_listing(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        communities = communities_of(session, actor)
        community_id = chosen(communities)
        return render_template(
            "courses/listing.html",
            rows=planning.list_courses(session, actor=actor),
            activities=planning.list_activities(session, actor=actor),
            counted=planning.count_activities(session, actor=actor),
            declared=DECLARED_COUNSELLING,
            communities=communities,
            community_id=community_id,
            kinds=planning.group_kinds(session, community_id) if community_id is not None else [],
            today=clock.today(clock.now(session)),
            typed=request.form,
            errors=errors,
        )


def needed_number(field: str) -> int:
    """A whole number that must be there; raises Invalid."""
    found = number(request.form, field)
    if found is None:
        raise Invalid(field, "请填写这一栏")
    return found


@blueprint.post("")
@allow(Right.COURSES_RUN)
@retrying
def open_course() -> Response:
    """Open a course."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        form = request.form
        draft = CourseDraft(
            service_id=needed_number("service_id"),
            name=form.get("name", ""),
            partner=form.get("partner", ""),
            place=form.get("place", ""),
            starts_on=needed_day(form, "starts_on"),
            ends_on=needed_day(form, "ends_on"),
            places=needed_number("places"),
        )
        planning.open_course(session, chosen_community(), draft, actor=actor)

    return change(work, render_listing, url_for("pages_courses.listing"))


@blueprint.post("/activities")
@allow(Right.COURSES_RUN)
@retrying
def log_activity() -> Response:
    """Write down an activity."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        about = {"held_on": needed_day(form, "held_on"), "present": needed_number("present")}
        title, place = form.get("title", ""), form.get("activity_place", "")
        kind = needed_number("service_id")
        planning.log_activity(session, chosen_community(), kind, title, place, **about, actor=actor, now=now)

    return change(work, render_listing, url_for("pages_courses.listing"))


@blueprint.get(COURSE)
@allow(Right.COURSES_RUN)
def show(course_id: int) -> str:
    """One course."""
    return render_course(course_id, current_actor(), NOTHING_WRONG)


def render_course(
    course_id: int, actor: Actor, errors: Mapping[str, str], revealed: tuple[int, str] | None = None
) -> str:
    """The page with what was typed; a whole telephone number stands only in the answer to who asked for it."""
    with transaction() as session:
        course = planning.find_course(session, course_id, actor=actor)
        (row,) = planning.list_courses(session, actor=actor, course_id=course.id)
        people = roster.roster(session, course.id)
        phones = {one.member.id: mask_phone(roster.phone_of(one.member)) for one in people}
        return render_template(
            "courses/show.html",
            row=row,
            people=people,
            phones=phones | dict([revealed] if revealed else []),
            revealed=revealed[0] if revealed else None,
            sessions=roster.sessions_of(session, course.id),
            present=roster.presences_of(session, course.id),
            outcomes=[(str(one), gettext(word)) for one, word in OUTCOME_LABELS.items()],
            number_on=number_on,
            hours=hours,
            now=clock.now(session),
            typed=request.form,
            errors=errors,
        )


def changed(course_id: int, work: Work) -> Response:
    """Do something about a course; a refusal is shown on its page."""
    return change(work, partial(render_course, course_id), url_for("pages_courses.show", course_id=course_id))


@blueprint.post(f"{COURSE}/members")
@allow(Right.COURSES_RUN)
@retrying
def enrol(course_id: int) -> Response:
    """Give somebody a seat, or a place on the waiting list."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        name, phone = request.form.get("name", ""), request.form.get("phone", "")
        roster.enrol(session, course_id, name, phone, actor=actor, now=now)

    return changed(course_id, work)


@blueprint.post(f"{COURSE}/sessions")
@allow(Right.COURSES_RUN)
@retrying
def add_session(course_id: int) -> Response:
    """Plan a time at which the course meets."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        begins, ends = (local_time(request.form.get(one, ""), one) for one in ("begins", "ends"))
        if begins is None or ends is None:
            raise Invalid("begins" if begins is None else "ends", "请填写完整的日期和时间")
        planning.add_session(session, course_id, begins, ends, request.form.get("topic", ""), actor=actor)

    return changed(course_id, work)


@blueprint.post(f"{SESSION}/presence")
@allow(Right.COURSES_RUN)
@retrying
def note_presence(course_session_id: int) -> Response:
    """Who was there."""
    with transaction() as session:
        course_id = roster.find_session(session, course_session_id, actor=current_actor()).course_id

    def work(session: Session, actor: Actor, now: datetime) -> None:
        present = numbers(request.form.getlist("present"), "present")
        roster.note_presence(session, course_session_id, present, actor=actor, now=now)

    return changed(course_id, work)


def of_member(member_id: int, work: Callable[[Session, Actor, datetime], object]) -> Response:
    """Do something about somebody on a roster; a refusal is shown on the course's page."""
    with transaction() as session:
        course_id = roster.find_member(session, member_id, actor=current_actor()).course_id
    return changed(course_id, work)


@blueprint.post(f"{MEMBER}/phone")
@allow(Right.COURSES_RUN)
def reveal_phone(course_member_id: int) -> str:
    """The whole number, for this one answer; each reading is audited."""
    actor = current_actor()
    with transaction() as session:
        member, phone = roster.reveal_phone(session, course_member_id, actor=actor)
        course_id = member.course_id
    return render_course(course_id, actor, NOTHING_WRONG, (course_member_id, phone))


@blueprint.post(f"{MEMBER}/leaving")
@allow(Right.COURSES_RUN)
@retrying
def leave(course_member_id: int) -> Response:
    """Somebody comes no more."""
    return of_member(
        course_member_id, lambda session, actor, now: roster.leave(session, course_member_id, actor=actor, now=now)
    )


@blueprint.post(f"{MEMBER}/outcome")
@allow(Right.COURSES_RUN)
@retrying
def note_outcome(course_member_id: int) -> Response:
    """What became of somebody in work."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        said, on = one_of(request.form, "outcome", Outcome), needed_day(request.form, "outcome_on")
        roster.note_outcome(session, course_member_id, said, on, actor=actor, now=now)

    return of_member(course_member_id, work)


@blueprint.post(f"{MEMBER}/certificate")
@allow(Right.COURSES_RUN)
@retrying
def issue(course_member_id: int) -> Response:
    """Give a certificate."""
    return of_member(
        course_member_id, lambda session, actor, now: certifying.issue(session, course_member_id, actor=actor, now=now)
    )


@blueprint.get(CERTIFICATE)
@allow(Right.COURSES_RUN)
def certificate(certificate_id: int) -> str:
    """A certificate for printing."""
    return render_certificate(certificate_id, current_actor(), NOTHING_WRONG)


def render_certificate(certificate_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The paper, and below it how it is made void."""
    with transaction() as session:
        paper = certifying.paper(session, certificate_id, actor=actor)
        place = session.get_one(Organisation, paper.certificate.community_id).name
        issued_on = clock.today(paper.certificate.issued_at)
    about = {"paper": paper, "place": place, "issued_on": issued_on}
    return render_template("courses/certificate.html", **about, typed=request.form, errors=errors)


@blueprint.post(f"{CERTIFICATE}/void")
@allow(Right.COURSES_RUN)
@retrying
def void(certificate_id: int) -> Response:
    """Make it void; its number stays used."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        certifying.void(session, certificate_id, request.form.get("reason", ""), actor=actor, now=now)

    render = partial(render_certificate, certificate_id)
    return change(work, render, url_for("pages_courses.certificate", certificate_id=certificate_id))

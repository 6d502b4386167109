"""The helpers: what they have to do, when they cannot come; and the day of one, in walking order."""

from collections.abc import Mapping
from datetime import date, datetime

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import NotFound
from dispatch.gateways import limits
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import care, catalogue, grid
from dispatch.services.care import days, feeding
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.care.door import ID, blueprint
from dispatch.web.care.enrolling import MOST_FOUND
from dispatch.web.changing import NOTHING_WRONG, change
from dispatch.web.knowledge import needed_day, read_day
from dispatch.web.orders.form import number

HELPER = f"/helpers/{ID.format('performer_id')}"


@blueprint.get("/helpers")
@allow(Right.VISITS_PLAN, limit=limits.SEARCH)
def helpers() -> str:
    """The helpers of the care calendar."""
    return render_helpers(current_actor(), NOTHING_WRONG)


def render_helpers(actor: Actor, errors: Mapping[str, str]) -> str:
    """Who is paired, asked or on leave."""
    with transaction() as session:
        today, query = clock.today(clock.now(session)), request.values.get("q", "")[:100].strip()
        rows = days.list_helpers(session, actor=actor, today=today)
        found = grid.search_residents(session, query, actor=actor, limit=MOST_FOUND).items if query else ()
        feeds = feeding.feeds_of(session, performer_ids=[row.helper.id for row in rows], actor=actor)
        return render_template(
            "care/helpers.html",
            rows=rows,
            feeds={feed.performer_id: feed for feed in feeds},
            found=found,
            query=query,
            asked=request.values.get("helper") or str((request.view_args or {}).get("performer_id", "")),
            today=today,
            typed=request.form,
            errors=errors,
        )


@blueprint.post(f"{HELPER}/resident")
@allow(Right.VISITS_PLAN)
@retrying
def link_resident(performer_id: int) -> Response:
    """Say who a helper is in the register."""

    def work(session: Session, actor: Actor, _now: datetime) -> object:
        return catalogue.set_resident(session, performer_id, number(request.form, "resident_id"), actor=actor)

    return change(work, render_helpers, url_for("pages_care.helpers"))


@blueprint.post(f"{HELPER}/leave")
@allow(Right.VISITS_PLAN)
@retrying
def leave(performer_id: int) -> Response:
    """A helper cannot come for some days, or at all any more."""

    def work(session: Session, actor: Actor, now: datetime) -> object:
        said = {"starts_on": needed_day(request.form, "starts_on"), "until": read_day(request.form, "until")}
        return care.record_leave(session, performer_id, **said, actor=actor, now=now)  # type: ignore[arg-type]

    return change(work, render_helpers, url_for("pages_care.helpers"))


@blueprint.post(f"/leaves/{ID.format('leave_id')}/end")
@allow(Right.VISITS_PLAN)
@retrying
def end_leave(leave_id: int) -> Response:
    """A helper is back."""

    def work(session: Session, actor: Actor, _now: datetime) -> object:
        return care.end_leave(session, leave_id, until=needed_day(request.form, "until"), actor=actor)

    return change(work, render_helpers, url_for("pages_care.helpers"))


@blueprint.get("/day")
@allow(Right.ORDERS_WORK)
def my_day() -> str:
    """The day of who is signed in as a helper; raises NotFound for who is none."""
    performer_id = current_actor().performer_id
    if performer_id is None:
        raise NotFound
    return render_day(performer_id)


@blueprint.get(f"{HELPER}/day")
@allow(Right.VISITS_PLAN)
def day(performer_id: int) -> str:
    """The day of a helper, for who plans."""
    return render_day(performer_id)


def render_day(performer_id: int) -> str:
    """The homes of a day, in walking order."""
    actor = current_actor()
    with transaction() as session:
        now = clock.now(session)
        wanted = read_day(request.args, "day") or clock.today(now)
        is_own = actor.performer_id == performer_id
        stops = days.day_of(session, performer_id, wanted, actor=actor)
        return render_template(
            "care/day.html",
            stops=stops,
            following=None if stops else days.next_day_of(session, performer_id, wanted),
            day=wanted,
            days=week_of(wanted),
            helper=performer_id,
            may_record=actor.may(Right.VISITS_RECORD),
            is_own=is_own,
            feeds=feeding.feeds_of(session, performer_ids=[performer_id], actor=actor) if is_own else (),
            now=now,
        )


def week_of(day: date) -> tuple[date, date]:
    """The day before and the day after."""
    return date.fromordinal(day.toordinal() - 1), date.fromordinal(day.toordinal() + 1)

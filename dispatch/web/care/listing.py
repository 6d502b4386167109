"""Who is enrolled, by programme; and a month's visits with 月探访率, opening to those counted and left out."""

from flask import render_template, request

from dispatch import clock
from dispatch.rules.access.roles import Right
from dispatch.rules.care.terms import PeriodState, Programme
from dispatch.services import care
from dispatch.services.care import reading
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.care.door import blueprint

MONTH_LETTERS = 7


@blueprint.get("")
@allow(Right.VISITS_READ)
def listing() -> str:
    """The enrolled of one programme, or of all."""
    chosen = request.args.get("programme", "")
    programme = chosen if chosen in set(Programme) else None
    actor = current_actor()
    with transaction() as session:
        return render_template(
            "care/listing.html",
            programmes=care.programmes_of(session, actor=actor),
            chosen=programme,
            rows=reading.list_enrolled(session, actor=actor, programme=programme),
            today=clock.today(clock.now(session)),
            may_plan=actor.may(Right.VISITS_PLAN),
        )


@blueprint.get("/month")
@allow(Right.VISITS_READ)
def month() -> str:
    """月探访率 of a month, this one without a name."""
    actor = current_actor()
    with transaction() as session:
        today = clock.today(clock.now(session))
        name = request.args.get("month", "").strip()[:MONTH_LETTERS] or f"{today:%Y-%m}"
        found = reading.month_of(session, name, actor=actor)
        left_out = [row for row in found.rows if row[1].period.state == PeriodState.EXCUSED]
        return render_template(
            "care/month.html",
            month=found,
            counted=[row for row in found.rows if row[1].period.state != PeriodState.EXCUSED],
            left_out=left_out,
            today=today,
        )

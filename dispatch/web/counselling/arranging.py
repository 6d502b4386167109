"""咨询师: appointed and let go by the centre."""

from collections.abc import Mapping
from datetime import datetime

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.services.care import counselling
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, change
from dispatch.web.counselling.desk import chosen
from dispatch.web.counselling.door import blueprint
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.orders.form import number, numbers


@blueprint.get("/counsellors")
@allow(Right.COUNSELLING_ARRANGE)
def counsellors() -> str:
    """Who counsels, and the form of one more."""
    return render_counsellors(current_actor(), NOTHING_WRONG)


def render_counsellors(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of counsellors."""
    with transaction() as session:
        communities = communities_of(session, actor)
        community_id = chosen(communities)
        return render_template(
            "counselling/counsellors.html",
            found=counselling.list_counsellors(session, actor=actor),
            communities=communities,
            community_id=community_id,
            people=counselling.candidates(session, community_id) if community_id is not None else [],
            kinds=counselling.kinds_offered(session, community_id) if community_id is not None else [],
            chosen=request.form.getlist("service_ids"),
            errors=errors,
            typed=request.form,
        )


@blueprint.post("/counsellors")
@allow(Right.COUNSELLING_ARRANGE)
@retrying
def appoint() -> Response:
    """Make somebody a counsellor."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        user_id = number(request.form, "user_id")
        if user_id is None:
            raise Invalid("user_id", "请选一个人")
        counselling.appoint(
            session,
            chosen_community(),
            user_id=user_id,
            shown_as=request.form.get("shown_as", ""),
            institute=request.form.get("institute", ""),
            service_ids=numbers(request.form.getlist("service_ids"), "service_ids"),
            actor=actor,
            now=now,
        )

    return change(work, render_counsellors, url_for("pages_counselling.counsellors"))


@blueprint.post("/counsellors/<int(min=1, max=9223372036854775807):counsellor_id>/end")
@allow(Right.COUNSELLING_ARRANGE)
@retrying
def end(counsellor_id: int) -> Response:
    """Somebody counsels no more."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        counselling.end(session, counsellor_id, actor=actor, now=now)

    return change(work, render_counsellors, url_for("pages_counselling.counsellors"))

"""One enrolment: calendar and history; pairing, swapping, excusing, ending; the code for the door."""

from collections.abc import Mapping
from functools import partial

import segno
from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import NotFound
from dispatch.models.care import DutyPeriod
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.terms import ASKED, End, HelperKind, PeriodState, Programme
from dispatch.services import care
from dispatch.services.care import cases, days, feeding, periods, reading
from dispatch.services.care.door import door_code, printed_code
from dispatch.services.care.excusing import find_period
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.care.door import ID, blueprint
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.orders.form import number

ENROLMENT = f"/{ID.format('enrolment_id')}"
PERIOD = f"/periods/{ID.format('period_id')}"


@blueprint.get(ENROLMENT)
@allow(Right.VISITS_READ)
def elder(enrolment_id: int) -> str:
    """The page of an enrolment."""
    return render_elder(enrolment_id, current_actor(), NOTHING_WRONG)


def render_elder(enrolment_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """Whom it is about, with whom they are paired, what is due, what was; raises NotFound."""
    with transaction() as session:
        page = reading.elder_page(session, enrolment_id, actor=actor)
        enrolment = page.row.case.enrolment
        is_open = enrolment.ends_on is None
        today = clock.today(clock.now(session))
        able = days.able_at(session, page.row.case, today=today) if is_open and actor.may(Right.VISITS_PLAN) else {}
        told = [one.id for one in page.row.case.people if page.row.case.kind is Programme.VOUCHER]
        return render_template(
            "care/elder.html",
            page=page,
            enrolment=enrolment,
            due=[one for one in page.periods if one.period.state == PeriodState.DUE][::-1],
            past=[one for one in page.periods if one.period.state != PeriodState.DUE],
            excuse_words=reading.excuse_words if actor.may(Right.VISITS_PLAN) else lambda _: "",
            able=able,
            helpers={one.id: one for some in able.values() for one in some}.values(),
            feeds=feeding.feeds_of(session, resident_ids=told, actor=actor)
            if told and actor.may(Right.VISITS_PLAN)
            else (),
            feed_ends=lambda feed: feeding.last_of(session, feed),
            may_subscribe=bool(told) and is_open,
            helper_kinds=list(HelperKind),
            excuses=ASKED,
            ends=list(End),
            is_open=is_open,
            may_plan=actor.may(Right.VISITS_PLAN),
            may_approve=actor.may(Right.VISITS_APPROVE),
            may_record=actor.may(Right.VISITS_RECORD),
            today=today,
            typed=request.form,
            errors=errors,
        )


def deed(enrolment_id: int, work: Work) -> Response:
    """Do one thing with an enrolment and show it."""
    return change(work, partial(render_elder, enrolment_id), url_for("pages_care.elder", enrolment_id=enrolment_id))


@blueprint.post(f"{ENROLMENT}/helpers")
@allow(Right.VISITS_PLAN)
@retrying
def pair(enrolment_id: int) -> Response:
    """结对."""

    def work(session: Session, actor: Actor, now: object) -> object:
        helper, kind = number(request.form, "performer_id") or 0, request.form.get("kind", "")
        return care.pair(session, enrolment_id, helper, kind=kind, actor=actor, now=now)  # type: ignore[arg-type]

    return deed(enrolment_id, work)


@blueprint.post(f"/pairings/{ID.format('pairing_id')}/end")
@allow(Right.VISITS_PLAN)
@retrying
def unpair(pairing_id: int) -> Response:
    """A helper is paired with them no more."""
    actor = current_actor()
    with transaction() as session:
        enrolment_id = care.find_pairing(session, pairing_id, actor=actor).enrolment_id
    return deed(enrolment_id, lambda session, actor, now: care.unpair(session, pairing_id, actor=actor, now=now))


@blueprint.post(f"{ENROLMENT}/end")
@allow(Right.VISITS_PLAN)
@retrying
def end(enrolment_id: int) -> Response:
    """They leave the programme."""
    said = {"code": request.form.get("code", ""), "reason": request.form.get("reason", "")}
    return deed(
        enrolment_id,
        lambda session, actor, now: care.end_enrolment(session, enrolment_id, **said, actor=actor, now=now),
    )


def owner_of(period_id: int) -> int:
    """The enrolment of a period in reach; raises NotFound."""
    with transaction() as session:
        period: DutyPeriod = find_period(session, period_id, actor=current_actor())
        return periods.owners_of(session, [period.id])[0]


@blueprint.post(f"{PERIOD}/excuse")
@allow(Right.VISITS_PLAN)
@retrying
def ask_excuse(period_id: int) -> Response:
    """Ask that a visit be excused."""
    said = {"code": request.form.get("code", ""), "words": request.form.get("words", "")}
    return deed(
        owner_of(period_id),
        lambda session, actor, now: care.ask_excuse(session, period_id, **said, actor=actor, now=now),
    )


@blueprint.post(f"{PERIOD}/approval")
@allow(Right.VISITS_APPROVE)
@retrying
def approve_excuse(period_id: int) -> Response:
    """A second person excuses it."""
    return deed(
        owner_of(period_id), lambda session, actor, now: care.approve_excuse(session, period_id, actor=actor, now=now)
    )


@blueprint.post(f"{PERIOD}/refusal")
@allow(Right.VISITS_APPROVE)
@retrying
def decline_excuse(period_id: int) -> Response:
    """A second person does not."""
    return deed(
        owner_of(period_id), lambda session, actor, now: care.decline_excuse(session, period_id, actor=actor, now=now)
    )


@blueprint.post(f"{PERIOD}/helper")
@allow(Right.VISITS_PLAN)
@retrying
def swap(period_id: int) -> Response:
    """Another helper goes."""

    def work(session: Session, actor: Actor, now: object) -> object:
        helper = number(request.form, "performer_id") or 0
        return care.swap(session, period_id, helper, actor=actor, now=now)  # type: ignore[arg-type]

    return deed(owner_of(period_id), work)


@blueprint.get(f"{ENROLMENT}/door")
@allow(Right.VISITS_PLAN)
def door(enrolment_id: int) -> str:
    """The code for the elder's door, to be printed; raises NotFound for who has no home."""
    with transaction() as session:
        care.find_enrolment(session, enrolment_id, actor=current_actor())
        home = cases.load(session, [enrolment_id])[0].home
        if home is None:
            raise NotFound
        picture = segno.make(printed_code(home.household_id), error="m").svg_data_uri(scale=8, border=2)
        return render_template("care/door.html", home=home, picture=picture, code=door_code(home.household_id))

"""救助对象: the list, applying with evidence, deciding, ending; reading a ground is noted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.gateways import limits
from dispatch.models.access import User
from dispatch.models.market.people import AidApplication
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.cards import END_LABELS, CardEnd
from dispatch.rules.market.eligibility import (
    GROUND_LABELS,
    OF_HOUSEHOLDS,
    STANDING_LABELS,
    WAITING,
    Standing,
    ground_of,
)
from dispatch.services import grid
from dispatch.services.access import files
from dispatch.services.market import applications, beneficiaries
from dispatch.services.market.applications import EVIDENCE, SUBJECT, AidDraft
from dispatch.services.market.beneficiaries import Shown
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change, make
from dispatch.web.orders.form import number
from dispatch.web.orders.views import names
from dispatch.web.pages import Look, picture_of

MOST_SHOWN = 50
MOST_FOUND = 20
MOST_BYTES = 56 * 1024 * 1024
FORBIDDEN = 403
SOON = timedelta(days=30)
APPLICATION = "/aid-applications/<int(min=1, max=9223372036854775807):application_id>"
BENEFICIARY = "/beneficiaries/<int(min=1, max=9223372036854775807):beneficiary_id>"
LOOKS = {
    Standing.APPLIED: ("hourglass-split", "waiting"),
    Standing.SECONDING: ("hourglass-split", "waiting"),
    Standing.APPROVED: ("check-circle", "done"),
    Standing.REFUSED: ("x-circle", "quiet"),
    Standing.ENDED: ("x-circle", "quiet"),
}
Deed = Callable[[Session, AidApplication, Actor, datetime], AidApplication]

blueprint = Blueprint("pages_beneficiaries", __name__)


def standing_look(application: AidApplication, today: date) -> Look:
    """Word, shape and tone of how an application stands today."""
    standing, until = Standing(application.standing), application.valid_until
    if standing is Standing.APPROVED and until is not None and until < today:
        return Look(gettext("已到期"), "exclamation-triangle-fill", "late")
    if standing is Standing.APPROVED and until is not None and until <= today + SOON:
        return Look(gettext("快到期，请复核"), "hourglass-split", "soon")
    icon, tone = LOOKS[standing]
    return Look(gettext(STANDING_LABELS[standing]), icon, tone)


def shown_words() -> list[tuple[Shown, str]]:
    """What a list may be narrowed to, in words."""
    return [
        (Shown.WAITING, gettext("待审批")),
        (Shown.HOLDING, gettext("资格有效")),
        (Shown.RECHECK, gettext("该复核了")),
        (Shown.OVER, gettext("无效")),
    ]


def end_word(code: str) -> str:
    """Why a card is no longer good."""
    return str(gettext(END_LABELS[CardEnd(code)]))


@blueprint.get("/beneficiaries")
@allow(Right.BENEFICIARIES_READ, limit=limits.SEARCH)
def listing() -> str:
    """Who applied, the newest first; names masked, grounds never."""
    wanted, query = request.args.get("shown", ""), request.args.get("q", "")[:100]
    shown = Shown(wanted) if wanted in set(Shown) else None
    with transaction() as session:
        now = clock.now(session)
        rows = beneficiaries.list_beneficiaries(
            session,
            query=query,
            shown=shown,
            after=number(request.args, "after"),
            actor=current_actor(),
            now=now,
        )
    return render_template(
        "beneficiaries/listing.html",
        rows=rows[:MOST_SHOWN],
        following=rows[MOST_SHOWN - 1].application.id if len(rows) > MOST_SHOWN else None,
        query=query,
        shown=shown,
        shown_words=shown_words(),
        standing_look=standing_look,
        today=clock.today(now),
    )


@blueprint.get("/beneficiaries/new")
@allow(Right.BENEFICIARIES_EDIT, limit=limits.SEARCH)
def new() -> str:
    """The empty application, with the residents who fit what was typed."""
    return render_form(current_actor(), request.args.to_dict(), {})


def render_form(actor: Actor, typed: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    """The form of an application with what was typed."""
    query = str(typed.get("q", ""))[:100].strip()
    with transaction() as session:
        found = grid.search_residents(session, query, actor=actor, limit=MOST_FOUND).items if query else ()
    return render_template(
        "beneficiaries/form.html",
        found=found,
        query=query,
        grounds=[(one, gettext(word), one in OF_HOUSEHOLDS) for one, word in GROUND_LABELS.items()],
        typed=typed,
        errors=errors,
    )


@blueprint.post("/beneficiaries/new")
@allow(Right.BENEFICIARIES_EDIT)
@retrying
def apply() -> Response:
    """Register an application."""
    pictures = sent_pictures()

    def work(session: Session, actor: Actor, now: datetime) -> str:
        made = applications.apply(session, read_draft(session, actor), evidence=pictures, actor=actor, now=now)
        return address_of(made.beneficiary_id)

    return make(work, lambda actor, errors: render_form(actor, request.form.to_dict(), errors))


def address_of(beneficiary_id: int) -> str:
    """The page of a beneficiary."""
    return url_for("pages_beneficiaries.show", beneficiary_id=beneficiary_id)


apply.most_bytes = MOST_BYTES  # type: ignore[attr-defined]


def read_draft(session: Session, actor: Actor) -> AidDraft:
    """What the form says: one resident is chosen, of whom a household's ground means the home; raises Invalid."""
    form = request.form
    ground, chosen = ground_of(form.get("ground", "")), number(form, "resident_id")
    if chosen is None:
        raise Invalid("resident_id", "请先查找并选择居民")
    whole = ground in OF_HOUSEHOLDS
    return AidDraft(
        ground=ground,
        circumstances=form.get("circumstances", ""),
        resident_id=None if whole else chosen,
        household_id=applications.household_of(session, chosen, actor=actor) if whole else None,
        is_relative=form.get("is_relative") == "yes",
    )


def sent_pictures() -> Sequence[bytes]:
    """The pictures that were really chosen: an empty chooser sends one without a name."""
    return [content for one in request.files.getlist("evidence") if (content := one.read()) or one.filename]


@blueprint.get(BENEFICIARY)
@allow(Right.BENEFICIARIES_READ)
def show(beneficiary_id: int) -> str:
    """One beneficiary: the newest application opened (which is noted), what was before, the cards."""
    return render_one(beneficiary_id, current_actor(), {})


def render_one(beneficiary_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a beneficiary; raises NotFound."""
    with transaction() as session:
        now = clock.now(session)
        row = beneficiaries.find_row(session, beneficiary_id, actor=actor, now=now)
        all_of = beneficiaries.applications_of(session, beneficiary_id)
        opened = applications.opened(session, row.application, actor=actor, purpose="page")
        people = {
            one
            for each in all_of
            for one in (each.applied_by, each.first_by, each.decided_by, each.ended_by)
            if one is not None
        }
        standing = Standing(row.application.standing)
        return render_template(
            "beneficiaries/show.html",
            row=row,
            one=row.application,
            opened=opened,
            ground=gettext(GROUND_LABELS[opened.ground]),
            earlier=all_of[1:],
            cards=beneficiaries.cards_of(session, beneficiary_id),
            evidence=len(files.list_files(session, SUBJECT, row.application.id, actor=actor)),
            people=names(session, User, people),
            standing_look=standing_look,
            end_word=end_word,
            may_edit=actor.may(Right.BENEFICIARIES_EDIT),
            may_decide=standing in WAITING
            and actor.may(Right.BENEFICIARIES_APPROVE)
            and actor.user_id not in {row.application.applied_by, row.application.first_by},
            may_end=standing is Standing.APPROVED and actor.may(Right.BENEFICIARIES_APPROVE),
            is_waiting=standing in WAITING,
            errors=errors,
            typed=request.form,
            today=clock.today(now),
            now=now,
        )


@blueprint.get(f"{APPLICATION}/evidence/<int:position>")
@allow(Right.BENEFICIARIES_READ)
def evidence(application_id: int, position: int) -> Response:
    """The n-th picture of an application's evidence; each reading is noted."""
    actor = current_actor()
    with transaction() as session:
        found = applications.find(session, application_id, actor=actor)
        kept = files.list_files(session, SUBJECT, found.id, actor=actor)
        if not 1 <= position <= len(kept):
            raise NotFound
        content = files.read_file(session, kept[position - 1].uid, actor=actor, purpose=EVIDENCE)
    return picture_of(content)


@blueprint.post(f"{APPLICATION}/evidence")
@allow(Right.BENEFICIARIES_EDIT)
@retrying
def add_evidence(application_id: int) -> Response:
    """Add pictures while nobody has decided."""
    pictures = sent_pictures()

    def deed(session: Session, found: AidApplication, actor: Actor, now: datetime) -> AidApplication:
        if not pictures:
            raise Invalid("file", "请选择要上传的图片")
        for picture in pictures:
            applications.add_evidence(session, found, picture, actor=actor, now=now)
        return found

    return decided(application_id, deed)


add_evidence.most_bytes = MOST_BYTES  # type: ignore[attr-defined]


@blueprint.post(f"{APPLICATION}/approval")
@allow(Right.BENEFICIARIES_APPROVE)
@retrying
def approve(application_id: int) -> Response:
    """Approve, or be the first of two."""
    version = number(request.form, "version")
    return decided(
        application_id,
        lambda session, found, actor, now: applications.approve(session, found, version=version, actor=actor, now=now),
    )


@blueprint.post(f"{APPLICATION}/refusal")
@allow(Right.BENEFICIARIES_APPROVE)
@retrying
def refuse(application_id: int) -> Response:
    """Refuse with a reason."""
    said = {"reason": request.form.get("reason", ""), "version": number(request.form, "version")}
    return decided(
        application_id,
        lambda session, found, actor, now: applications.refuse(session, found, **said, actor=actor, now=now),
    )


@blueprint.post(f"{APPLICATION}/end")
@allow(Right.BENEFICIARIES_APPROVE)
@retrying
def end(application_id: int) -> Response:
    """End what was approved, with a reason."""
    said = {"reason": request.form.get("end_reason", ""), "version": number(request.form, "version")}
    return decided(
        application_id,
        lambda session, found, actor, now: applications.end(session, found, **said, actor=actor, now=now),
    )


def decided(application_id: int, deed: Deed) -> Response:
    """One deed on a locked application; a refusal is shown on the page with what was typed."""
    with transaction() as session:
        beneficiary_id = applications.find(session, application_id, actor=current_actor()).beneficiary_id

    def work(session: Session, actor: Actor, now: datetime) -> None:
        deed(session, applications.find(session, application_id, actor=actor, locked=True), actor, now)

    return change(work, partial(render_one, beneficiary_id), address_of(beneficiary_id))

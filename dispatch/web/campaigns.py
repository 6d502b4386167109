"""爱心活动: appeals with their prints, partners with their agreements, the media log, sessions of the 爱心聊吧."""

from collections.abc import Callable, Mapping
from datetime import datetime

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.campaigns import (
    MEDIUM_LABELS,
    PARTNER_LABELS,
    PURPOSE_LABELS,
    AgreementPurpose,
    Medium,
    PartnerKind,
)
from dispatch.services import market
from dispatch.services.market import AgreementDraft, PartnerDraft, papers
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change
from dispatch.web.firms import sent_file
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.knowledge import needed_day, read_day
from dispatch.web.orders.form import number, one_of
from dispatch.web.pages import picture_of

MOST_BYTES = 12 * 1024 * 1024
Work = Callable[[Session, Actor, datetime], object]

blueprint = Blueprint("pages_campaigns", __name__, url_prefix="/campaigns")


@blueprint.get("")
@allow(Right.CAMPAIGNS_READ)
def overview() -> str:
    """Everything at a glance, with a form for each."""
    return render_overview(current_actor(), {}, "")


def render_overview(actor: Actor, errors: Mapping[str, str], form: str) -> str:
    """The page; `form` says in which form something was wrong."""
    with transaction() as session:
        partners = market.list_partners(session, actor=actor)
        agreements = market.agreements_of(session, [one.id for one in partners])
        return render_template(
            "campaigns/overview.html",
            appeals=market.list_appeals(session, actor=actor),
            partners=partners,
            agreements=agreements,
            scans=papers.scans_of(session, [one.id for deals in agreements.values() for one in deals], actor=actor),
            media=market.list_media(session, actor=actor),
            chats=market.list_chats(session, actor=actor),
            communities=communities_of(session, actor),
            partner_words={str(one): gettext(word) for one, word in PARTNER_LABELS.items()},
            purpose_words={str(one): gettext(word) for one, word in PURPOSE_LABELS.items()},
            medium_words={str(one): gettext(word) for one, word in MEDIUM_LABELS.items()},
            may_run=actor.may(Right.CAMPAIGNS_RUN),
            today=clock.today(clock.now(session)),
            typed=request.form,
            errors=errors,
            wrong_form=form,
        )


def written(form: str, work: Work) -> Response:
    """Write one thing; a refusal is shown in its form with what was typed."""
    return change(work, lambda actor, errors: render_overview(actor, errors, form), url_for("pages_campaigns.overview"))


@blueprint.get("/appeals/<int(min=1, max=9223372036854775807):appeal_id>")
@allow(Right.CAMPAIGNS_READ)
def appeal(appeal_id: int) -> str:
    """One version of an appeal, to be read and printed, with where it was given."""
    actor = current_actor()
    with transaction() as session:
        found = market.find_appeal(session, appeal_id, actor=actor)
        prints = market.prints_of(session, found.id)
        today = clock.today(clock.now(session))
    may_run = actor.may(Right.CAMPAIGNS_RUN)
    return render_template("campaigns/appeal.html", appeal=found, prints=prints, may_run=may_run, today=today)


@blueprint.post("/appeals")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def write_appeal() -> Response:
    """Publish the first or the next version."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        market.write_appeal(
            session,
            chosen_community(),
            title=form.get("title", ""),
            words=form.get("words", ""),
            after=number(form, "after") or 0,
            actor=actor,
            now=now,
        )

    return written("appeal", work)


@blueprint.post("/appeals/<int(min=1, max=9223372036854775807):appeal_id>/prints")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def note_prints(appeal_id: int) -> Response:
    """Note where copies were given."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        market.note_prints(
            session,
            appeal_id,
            copies=number(request.form, "copies") or 0,
            given_where=request.form.get("given_where", ""),
            given_on=needed_day(request.form, "given_on"),
            actor=actor,
            now=now,
        )

    return written(f"prints-{appeal_id}", work)


@blueprint.post("/partners")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def add_partner() -> Response:
    """Enter a partner."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        draft = PartnerDraft(
            kind=one_of(request.form, "kind", PartnerKind),
            name=form.get("name", ""),
            contact=form.get("contact", ""),
            phone=form.get("phone", "").strip() or None,
        )
        market.add_partner(session, chosen_community(), draft, actor=actor, now=now)

    return written("partner", work)


@blueprint.post("/partners/<int(min=1, max=9223372036854775807):partner_id>/agreements")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def sign_agreement(partner_id: int) -> Response:
    """Enter what was signed with a partner."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        draft = AgreementDraft(
            purpose=one_of(request.form, "purpose", AgreementPurpose),
            number=request.form.get("number", ""),
            words=request.form.get("words", ""),
            signed_on=needed_day(request.form, "signed_on"),
            valid_until=read_day(request.form, "valid_until"),
        )
        market.sign_agreement(session, partner_id, draft, actor=actor, now=now)

    return written(f"agreement-{partner_id}", work)


@blueprint.post("/agreements/<int(min=1, max=9223372036854775807):agreement_id>/scans")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def add_scan(agreement_id: int) -> Response:
    """Keep a scan of the signed paper."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        papers.add_scan(session, agreement_id, sent_file("scan"), actor=actor, now=now)

    return written(f"scan-{agreement_id}", work)


add_scan.most_bytes = MOST_BYTES  # type: ignore[attr-defined]


@blueprint.get("/agreements/<int(min=1, max=9223372036854775807):agreement_id>/scans/<int:position>")
@allow(Right.CAMPAIGNS_READ)
def scan(agreement_id: int, position: int) -> Response:
    """The n-th scan of an agreement; each reading is audited."""
    actor = current_actor()
    with transaction() as session:
        return picture_of(papers.read_scan(session, agreement_id, position, actor=actor))


@blueprint.post("/media")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def note_media() -> Response:
    """Note a report."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        market.note_media(
            session,
            chosen_community(),
            medium=one_of(request.form, "medium", Medium),
            outlet=form.get("outlet", ""),
            title=form.get("title", ""),
            published_on=needed_day(request.form, "published_on"),
            shows_people=bool(form.get("shows_people")),
            consent=form.get("consent", ""),
            actor=actor,
            now=now,
        )

    return written("media", work)


@blueprint.post("/chats")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def note_chat() -> Response:
    """Note how many came to the 爱心聊吧."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        market.note_chat(
            session,
            chosen_community(),
            held_on=needed_day(request.form, "held_on"),
            topic=request.form.get("topic", ""),
            present=number(request.form, "present") or 0,
            referred=number(request.form, "referred") or 0,
            actor=actor,
            now=now,
        )

    return written("chat", work)

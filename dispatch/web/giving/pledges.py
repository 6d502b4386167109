"""认捐: the list that waits, taking one at the desk or by the donation line, fetching, withdrawing."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.market import Pledge
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.catalogue.prices import fen_of, yuan_of
from dispatch.rules.market.pledges import POSSIBLE, PledgeKind, PledgeSource, PledgeState, Promise
from dispatch.services import market
from dispatch.services.market import PledgeDraft
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change, make
from dispatch.web.giving.door import blueprint, chosen_community, communities_of, kind_word, pledge_look, source_word
from dispatch.web.orders.form import local_time, new_key, number, source_number


@blueprint.get("")
@allow(Right.PLEDGES_TAKE)
def listing() -> str:
    """What was promised and waits, or all of it, newest first."""
    shows_all = bool(request.args.get("all"))
    actor = current_actor()
    with transaction() as session:
        page = market.list_pledges(
            session, only_waiting=not shows_all, before=number(request.args, "before"), actor=actor
        )
        return render_template(
            "giving/listing.html",
            page=page,
            shows_all=shows_all,
            pledge_look=pledge_look,
            kind_word=kind_word,
            source_word=source_word,
            yuan_of=yuan_of,
            now=clock.now(session),
        )


@blueprint.get("/new")
@allow(Right.PLEDGES_TAKE)
def new() -> str:
    """The empty form."""
    return render_form(current_actor(), {"kind": "goods", "source": "line", "form_key": new_key()}, {})


def render_form(actor: Actor, typed: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    """The form of a pledge with what was typed."""
    with transaction() as session:
        return render_template(
            "giving/form.html",
            communities=communities_of(session, actor),
            typed=typed,
            errors=errors,
            kinds=[(one, kind_word(one)) for one in PledgeKind],
            sources=[(one, source_word(one)) for one in (PledgeSource.LINE, PledgeSource.DESK)],
        )


@blueprint.post("/new")
@allow(Right.PLEDGES_TAKE)
@retrying
def take() -> Response:
    """Keep a promise; the form sent twice is kept once."""
    form = request.form

    def work(session: Session, actor: Actor, now: datetime) -> str:
        community_id = chosen_community()
        draft = read_draft(form, read_source(form), source_number(form.get("form_key", "")))
        return address_of(market.take_pledge(session, community_id, draft, actor=actor, now=now).id)

    return make(work, lambda actor, errors: render_form(actor, form, errors))


def address_of(pledge_id: int) -> str:
    """The page of a pledge."""
    return url_for("pages_giving.show", pledge_id=pledge_id)


def read_source(form: Mapping[str, str]) -> PledgeSource:
    """At the desk or by the line; raises Invalid."""
    if form.get("source") not in {"desk", "line"}:
        raise Invalid("source", "请选择怎样认捐的")
    return PledgeSource(form["source"])


def read_draft(form: Mapping[str, str], source: PledgeSource, form_key: str) -> PledgeDraft:
    """What a form says of a promise; raises Invalid naming the field."""
    if form.get("kind") not in set(PledgeKind):
        raise Invalid("kind", "请选择捐款还是捐物")
    kind = PledgeKind(form["kind"])
    is_goods = kind is PledgeKind.GOODS
    promise = Promise(
        kind,
        words=form.get("words", ""),
        fen=None if is_goods or not form.get("yuan", "").strip() else fen_of(form["yuan"], "fen"),
        address_text=form.get("address_text", "") if is_goods else "",
        wanted_from=local_time(form.get("wanted_from", ""), "wanted_from") if is_goods else None,
        wanted_until=local_time(form.get("wanted_until", ""), "wanted_until") if is_goods else None,
    )
    return PledgeDraft(
        promise,
        source,
        name=form.get("name", "").strip() or None,
        phone=form.get("phone", "").strip() or None,
        wish=form.get("wish", ""),
        is_overseas=bool(form.get("is_overseas")),
        is_named=bool(form.get("is_named")),
        form_key=form_key,
    )


@blueprint.get("/<int(min=1, max=9223372036854775807):pledge_id>")
@allow(Right.PLEDGES_TAKE)
def show(pledge_id: int) -> str:
    """One pledge."""
    return render_pledge(pledge_id, current_actor(), {})


def render_pledge(pledge_id: int, actor: Actor, errors: Mapping[str, str], phone: str | None = None) -> str:
    """The page of a pledge; raises NotFound."""
    with transaction() as session:
        pledge = market.find_pledge(session, pledge_id, actor=actor)
        return render_template(
            "giving/show.html",
            pledge=pledge,
            look=pledge_look(pledge.state),
            kind=kind_word(pledge.kind),
            source=source_word(pledge.source),
            number=market.order_of_pledge(session, pledge),
            phone=phone or market.masked_phone_of_pledge(pledge),
            is_revealed=phone is not None,
            may_fetch=may(pledge, PledgeState.FETCHING) and pledge.kind == PledgeKind.GOODS,
            may_withdraw=may(pledge, PledgeState.WITHDRAWN),
            yuan_of=yuan_of,
            errors=errors,
            typed=request.form,
            now=clock.now(session),
        )


def may(pledge: Pledge, to: PledgeState) -> bool:
    """Whether a person may take this step from here."""
    return pledge.state == PledgeState.OPEN and to in POSSIBLE[PledgeState.OPEN]


@blueprint.post("/<int(min=1, max=9223372036854775807):pledge_id>/phone")
@allow(Right.PLEDGES_TAKE)
def reveal(pledge_id: int) -> str:
    """The whole telephone number; who read it stands in the audit trail."""
    actor = current_actor()
    with transaction() as session:
        phone = market.pledge_phone(session, market.find_pledge(session, pledge_id, actor=actor), actor=actor)
    return render_pledge(pledge_id, actor, {}, phone)


@blueprint.post("/<int(min=1, max=9223372036854775807):pledge_id>/fetching")
@allow(Right.PLEDGES_TAKE)
@retrying
def fetch(pledge_id: int) -> Response:
    """Send somebody to fetch it."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        market.fetch_pledge(session, pledge_id, version=version_read(), actor=actor, now=now)

    return change(work, partial(render_pledge, pledge_id), address_of(pledge_id))


@blueprint.post("/<int(min=1, max=9223372036854775807):pledge_id>/withdrawal")
@allow(Right.PLEDGES_TAKE)
@retrying
def withdraw(pledge_id: int) -> Response:
    """Note that a promise is kept no more."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        reason = request.form.get("reason", "")
        market.withdraw_pledge(session, pledge_id, reason=reason, version=version_read(), actor=actor)

    return change(work, partial(render_pledge, pledge_id), address_of(pledge_id))


def version_read() -> int:
    """The version of the pledge that the page showed; raises Invalid."""
    return number(request.form, "version") or 0

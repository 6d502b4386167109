"""三访 for the staff: telling what happened, the visits that it owes, corrections, groups with their switches."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.gateways import limits
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, ActorKind, Right
from dispatch.rules.care.effects import BY_HAND_LABELS, EFFECT_LABELS
from dispatch.rules.care.events import (
    EVENT_LABELS,
    OF_A_HOUSEHOLD,
    SOURCE_LABELS,
    TELLING,
    TRIGGER_LABELS,
    Event,
    Source,
    Trigger,
)
from dispatch.rules.care.terms import PROGRAMME_LABELS
from dispatch.rules.catalogue.prices import fen_of, yuan_of
from dispatch.services import grid, life, orders
from dispatch.services.care import condoling, covering, events, gifting, groups, visiting
from dispatch.services.care.events import EventDraft
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import Work, change, make
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import number, one_of
from dispatch.web.pages import Look

ROWS = 50
EARLIEST_YEAR = 2003
MOST_FOUND = 20
EVENT = "/<int(min=1, max=9223372036854775807):life_event_id>"
GROUP = "/groups/<int(min=1, max=9223372036854775807):care_group_id>"
LOOKS = {
    "waiting": ("person-raised-hand", "late", "等指定人"),
    "placed": ("send", "moving", "已派"),
    "done": ("check-circle", "done", "已慰问"),
    "failed": ("exclamation-triangle-fill", "late", "没做成"),
    "ended": ("x-circle", "quiet", "不用了"),
}
SPENDING_LABELS = {"asked": "等审批", "booked": "已入账", "refused": "没批准", "withdrawn": "已撤回"}

blueprint = Blueprint("pages_life", __name__, url_prefix="/life")


def words() -> dict[str, dict[str, str]]:
    """The words of events, ways and triggers in the reader's language."""
    return {
        "kinds": {str(one): gettext(word) for one, word in EVENT_LABELS.items()},
        "sources": {str(one): gettext(word) for one, word in SOURCE_LABELS.items()},
        "triggers": {str(one): gettext(word) for one, word in TRIGGER_LABELS.items()},
        "spendings": {name: gettext(word) for name, word in SPENDING_LABELS.items()},
        "effects": {name: gettext(word) for name, word in EFFECT_LABELS.items()},
        "by_hand": {name: gettext(word) for name, word in BY_HAND_LABELS.items()},
    }


def visit_look(state: str) -> Look:
    """Word, shape and tone of how a visit stands."""
    icon, tone, word = LOOKS[state]
    return Look(gettext(word), icon, tone)


@blueprint.get("")
@allow(Right.LIFE_READ)
def listing() -> str:
    """What happened, the newest first, each with its newest visit."""
    actor, before = current_actor(), number(request.args, "before")
    with transaction() as session:
        rows = events.list_events(session, actor=actor, before=before, limit=ROWS + 1)
        return render_template(
            "life/listing.html",
            rows=rows[:ROWS],
            following=rows[ROWS - 1].event.id if len(rows) > ROWS else None,
            visit_look=visit_look,
            now=clock.now(session),
            **words(),
        )


@blueprint.get("/new")
@allow(Right.LIFE_TELL, limit=limits.SEARCH)
def new() -> str:
    """The form, with the residents who fit what was typed or who live where a call came from."""
    return render_form(current_actor(), request.args, {})


def render_form(actor: Actor, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    """The form with what was typed."""
    query = typed.get("q", "")[:100].strip()
    with transaction() as session:
        order = order_of(session, typed.get("order", ""), actor)
        found = grid.show_residents(session, lived_at(session, order, actor), actor=actor)
        if query and actor.may(Right.GRID_READ):
            found = grid.search_residents(session, query, actor=actor, limit=MOST_FOUND).items
        return render_template(
            "life/form.html",
            order=order,
            query=query,
            found=found,
            offered=[one for one in Event if actor.may(Right.LIFE_RUN) or one in TELLING],
            today=clock.today(clock.now(session)),
            typed=typed,
            errors=errors,
            **words(),
        )


def order_of(session: Session, number_typed: str, actor: Actor) -> Order | None:
    """The call that told it; None without one. Raises NotFound."""
    return orders.find(session, number_typed, actor=actor) if number_typed else None


def lived_at(session: Session, order: Order | None, actor: Actor) -> list[int]:
    """Who lives where a call came from, the caller first."""
    return [] if order is None else [one.id for one in events.at_home(session, order, actor=actor)]


def chosen_resident(session: Session, order: Order | None, actor: Actor) -> int:
    """Whom the form names: who may not search the register tells of the home of an own order; raises Invalid."""
    found = number(request.form, "resident_id")
    if found is None or not (actor.may(Right.GRID_READ) or found in lived_at(session, order, actor)):
        raise Invalid("resident_id", "请先查找并选择居民")
    return found


@blueprint.post("/new")
@allow(Right.LIFE_TELL)
@retrying
def tell() -> Response:
    """Keep what was told; a death that a caller tells goes to who verifies it."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        form = request.form
        kind, order = one_of(form, "kind", Event), order_of(session, form.get("order", ""), actor)
        resident_id = chosen_resident(session, order, actor)
        whole = kind in OF_A_HOUSEHOLD and bool(form.get("whole"))
        draft = EventDraft(
            kind,
            needed_day(form, "happened_on"),
            resident_id=None if whole else resident_id,
            household_id=events.home_id_of(session, resident_id, actor=actor) if whole else None,
            source=source_of(actor, order),
            order_id=None if order is None else order.id,
            words=form.get("words", ""),
        )
        event = life.tell(session, draft, actor=actor, now=now)
        if event is None or not events.is_seen(session, event, actor=actor):
            return url_for("pages_life.thanks")
        return url_for("pages_life.show", life_event_id=event.id)

    return make(work, lambda actor, errors: render_form(actor, request.form, errors))


def source_of(actor: Actor, order: Order | None) -> Source:
    """Who told it: a helper, a call, or the desk."""
    if actor.kind is ActorKind.PERFORMER:
        return Source.HELPER
    return Source.DESK if order is None else Source.CALL


@blueprint.get("/thanks")
@allow(Right.LIFE_TELL)
def thanks() -> str:
    """What was told has reached who sees to it; who only tells reads no more."""
    return render_template("life/thanks.html")


@blueprint.get(EVENT)
@allow(Right.LIFE_READ)
def show(life_event_id: int) -> str:
    """One event: its visits, what it did, and its correction."""
    return render_event(life_event_id, current_actor(), {})


def render_event(event_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        event = events.open_event(session, event_id, actor=actor)
        (row,) = events.list_events(session, actor=actor, before=event.id + 1, limit=1)
        visits, did = events.visits_of(session, event), life.effects_of(session, event)
        return render_template(
            "life/show.html",
            event=event,
            resident=row.resident,
            address=events.address_of(session, event),
            said=events.words_of(event),
            visits=visits,
            gifts=gifting.spendings_of(session, [visit.id for visit, _, _ in visits]),
            funds=gifting.funds_for_care(session, event.community_id, actor=actor),
            holdings=gifting.holdings_of(session, event.community_id, actor=actor),
            yuan_of=yuan_of,
            visitors=visiting.visitors_of(session, event.community_id),
            did=did,
            left={one: gettext(PROGRAMME_LABELS[kind]) for one, kind in life.programmes_left(session, did).items()},
            visit_look=visit_look,
            unpaid=condoling.UNPAID,
            is_mine=event.withdrawal_asked_by == actor.user_id,
            now=clock.now(session),
            typed=request.form,
            errors=errors,
            **words(),
        )


def changed(event_id: int, work: Work) -> Response:
    """Do something about an event; a refusal is shown on its page."""
    return change(work, partial(render_event, event_id), url_for("pages_life.show", life_event_id=event_id))


def event_of(condolence_id: int) -> int:
    """The event for which a visit is owed; raises NotFound."""
    with transaction() as session:
        return condoling.find_visit(session, condolence_id, actor=current_actor()).event_id


@blueprint.post("/visits/<int(min=1, max=9223372036854775807):condolence_id>/visitor")
@allow(Right.LIFE_RUN)
@retrying
def name_visitor(condolence_id: int) -> Response:
    """Name who goes."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        chosen = number(request.form, "performer_id") or 0
        condoling.name_visitor(session, condolence_id, chosen, actor=actor, now=now)

    return changed(event_of(condolence_id), work)


@blueprint.post("/visits/<int(min=1, max=9223372036854775807):condolence_id>/gift")
@allow(Right.LIFE_RUN)
@retrying
def ask_gift(condolence_id: int) -> Response:
    """Ask for money that goes with a visit; another person approves it."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        about = {"fund_id": number(form, "fund_id") or 0, "holding_id": number(form, "holding_id") or 0}
        fen = fen_of(form.get("yuan", ""), "yuan")
        gifting.ask_gift(session, condolence_id, **about, fen=fen, actor=actor, now=now)

    return changed(event_of(condolence_id), work)


@blueprint.post("/visits/<int(min=1, max=9223372036854775807):condolence_id>/gift/withdrawal")
@allow(Right.LIFE_RUN)
@retrying
def withdraw_gift(condolence_id: int) -> Response:
    """Take back what one asked for oneself."""
    return changed(
        event_of(condolence_id),
        lambda session, actor, now: gifting.withdraw_gift(session, condolence_id, actor=actor, now=now),
    )


@blueprint.post(f"{EVENT}/withdrawal")
@allow(Right.LIFE_RUN)
@retrying
def ask_withdrawal(life_event_id: int) -> Response:
    """Say that it was told wrongly."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        life.ask_withdrawal(session, life_event_id, reason=request.form.get("reason", ""), actor=actor, now=now)

    return changed(life_event_id, work)


@blueprint.post(f"{EVENT}/withdrawal/approval")
@allow(Right.LIFE_RUN)
@retrying
def approve_withdrawal(life_event_id: int) -> Response:
    """Take it back, by another person."""
    return changed(
        life_event_id,
        lambda session, actor, now: life.approve_withdrawal(session, life_event_id, actor=actor, now=now),
    )


def chosen_year(now: datetime) -> int:
    """The year that was asked for, this one without a year that can be meant."""
    asked, this = number(request.args, "year") or 0, clock.today(now).year
    return asked if EARLIEST_YEAR <= asked <= this + 1 else this


@blueprint.get("/groups")
@allow(Right.LIFE_READ)
def list_groups() -> str:
    """The groups of 三访三问, their switches, and how far the year has covered them."""
    return render_groups(current_actor(), {})


def render_groups(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        now = clock.now(session)
        year = chosen_year(now)
        return render_template(
            "life/groups.html",
            views=groups.list_groups(session, actor=actor, now=now),
            covered={one.group.id: one for one in covering.coverage(session, year, actor=actor, now=now)},
            communities=communities_of(session, actor),
            year=year,
            typed=request.form,
            errors=errors,
            **words(),
        )


@blueprint.post("/groups")
@allow(Right.LIFE_RUN)
@retrying
def add_group() -> Response:
    """Another group, listed by hand; and the seeded ones, where they are not there yet."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        community_id = chosen_community()
        if not request.form.get("seeded"):
            groups.add_group(session, community_id, request.form.get("name", ""), actor=actor)
        groups.begin_groups(session, community_id, actor=actor)

    return change(work, render_groups, url_for("pages_life.list_groups"))


@blueprint.get(GROUP)
@allow(Right.LIFE_READ, limit=limits.SEARCH)
def group(care_group_id: int) -> str:
    """One group: its switches and who is listed."""
    return render_group(care_group_id, current_actor(), {})


def render_group(group_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed, and the residents who fit."""
    query = request.args.get("q", request.form.get("q", ""))[:100].strip()
    with transaction() as session:
        found = groups.find_group(session, group_id, actor=actor)
        now = clock.now(session)
        year = chosen_year(now)
        view = next(one for one in groups.list_groups(session, actor=actor, now=now) if one.group.id == found.id)
        return render_template(
            "life/group.html",
            view=view,
            members=groups.listed_members(session, found.id, actor=actor),
            missing=covering.missing(session, found.id, year, actor=actor, now=now),
            year=year,
            query=query,
            found=grid.search_residents(session, query, actor=actor, limit=MOST_FOUND).items if query else (),
            typed=request.form,
            errors=errors,
            **words(),
        )


@blueprint.post(f"{GROUP}/switches")
@allow(Right.LIFE_RUN)
@retrying
def switch(care_group_id: int) -> Response:
    """Let the ticked triggers hold for a group, and no other."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        ticked = set(request.form.getlist("triggers"))
        for trigger in Trigger:
            groups.switch(session, care_group_id, trigger, is_on=str(trigger) in ticked, actor=actor)

    return change(work, partial(render_group, care_group_id), url_for("pages_life.group", care_group_id=care_group_id))


@blueprint.post(f"{GROUP}/members")
@allow(Right.LIFE_RUN)
@retrying
def change_member(care_group_id: int) -> Response:
    """Enter a resident in a listed group, or take one out."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        resident_id = number(request.form, "resident_id") or 0
        deed = groups.end_member if request.form.get("ends") else groups.add_member
        deed(session, care_group_id, resident_id, actor=actor, now=now)

    return change(work, partial(render_group, care_group_id), url_for("pages_life.group", care_group_id=care_group_id))

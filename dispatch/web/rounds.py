"""年度发放: the rounds of the years, the list until it is frozen, who is left, each household to its signature."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.gateways import limits
from dispatch.models.market import RoundEntry
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.rounds import (
    ENTRY_LABELS,
    FINAL,
    ON_THE_WAY,
    ROUND_LABELS,
    SENDABLE,
    EntryState,
    RoundState,
)
from dispatch.services import grid, market
from dispatch.services.market import RoundDraft, rounds, signing
from dispatch.services.market.overview import lots_of_step
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.knowledge import read_day
from dispatch.web.orders.form import number
from dispatch.web.pages import Look, picture_of
from dispatch.web.stock import door
from dispatch.web.stock.parcels import amounts_of, goods_rows, read_signed, sees_names, shown_name

MOST_BYTES = 12 * 1024 * 1024
MOST_FOUND = 20
ID = door.ID
ROUND, ENTRY = f"/{ID.format('round_id')}", f"/entries/{ID.format('entry_id')}"
ROUND_LOOKS = {
    RoundState.LISTING: ("list-ul", "waiting"),
    RoundState.FROZEN: ("send", "moving"),
    RoundState.CLOSED: ("check-circle", "done"),
}
ENTRY_LOOKS = {
    EntryState.LISTED: ("hourglass-split", "waiting"),
    EntryState.OUT: ("send", "moving"),
    EntryState.REACHED: ("inbox", "soon"),
    EntryState.UNREACHED: ("exclamation-triangle", "late"),
    EntryState.DELIVERED: ("check-circle", "done"),
    EntryState.EXCUSED: ("x-circle", "quiet"),
}

blueprint = Blueprint("pages_rounds", __name__, url_prefix="/rounds")


def round_look(state: str) -> Look:
    """Word, shape and tone of a round's state."""
    icon, tone = ROUND_LOOKS[RoundState(state)]
    return Look(gettext(ROUND_LABELS[RoundState(state)]), icon, tone)


def entry_look(state: str) -> Look:
    """The same of a household of a list."""
    icon, tone = ENTRY_LOOKS[EntryState(state)]
    return Look(gettext(ENTRY_LABELS[EntryState(state)]), icon, tone)


@blueprint.get("")
@allow(Right.CAMPAIGNS_READ)
def listing() -> str:
    """The rounds and how far each is."""
    actor = current_actor()
    with transaction() as session:
        found = market.list_rounds(session, actor=actor)
        return render_template(
            "rounds/listing.html",
            rounds=found,
            far=market.progress_of_many(session, [one.id for one in found]),
            facilities=market.list_markets(session, actor=actor),
            may_run=actor.may(Right.CAMPAIGNS_RUN),
            look=round_look,
        )


@blueprint.get("/new")
@allow(Right.CAMPAIGNS_RUN)
def new() -> str:
    """The form of a new round: its name, and what a parcel holds."""
    return render_form(current_actor(), NOTHING_WRONG)


def render_form(actor: Actor, errors: Mapping[str, str]) -> str:
    """The form with what was typed; raises NotFound for a facility out of reach."""
    with transaction() as session:
        facility = market.find_facility(session, number(request.values, "facility_id") or 0, actor=actor)
        return render_template(
            "rounds/form.html",
            facility=facility,
            goods=goods_rows(session, facility, actor),
            say=door.amount_words,
            year=clock.today(clock.now(session)).year,
            typed=request.form,
            errors=errors,
        )


@blueprint.post("")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def plan() -> Response:
    """Begin a round's list."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form, facility = request.form, number(request.form, "facility_id") or 0
        bill = amounts_of(session, market.find_facility(session, facility, actor=actor), actor)
        draft = RoundDraft(number(form, "year") or 0, form.get("name", ""), facility, bill)
        market.plan_round(session, draft, actor=actor, now=now)

    return change(work, render_form, url_for("pages_rounds.listing"))


@blueprint.get(ROUND)
@allow(Right.CAMPAIGNS_READ, limit=limits.SEARCH)
def show(round_id: int) -> str:
    """One round: how far it is, who is left, and until it is frozen the search for more households."""
    return render_round(round_id, current_actor(), NOTHING_WRONG)


def render_round(round_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a round; raises NotFound."""
    query = request.values.get("q", "")[:100].strip()
    with transaction() as session:
        found = market.find_round(session, round_id, actor=actor)
        may_list = found.state == RoundState.LISTING and actor.may(Right.CAMPAIGNS_RUN)
        entries = market.entries_of(session, round_id)
        people = (
            grid.search_residents(session, query, actor=actor, limit=MOST_FOUND).items if query and may_list else ()
        )
        return render_template(
            "rounds/show.html",
            round=found,
            far=market.progress_of(session, round_id),
            bill=rounds.bill_of(session, round_id),
            left=[one for one in entries if one[0].state not in FINAL],
            settled=[one for one in entries if one[0].state in FINAL],
            found=people,
            query=query,
            may_list=may_list,
            may_run=actor.may(Right.CAMPAIGNS_RUN),
            name_of=partial(shown_name, whole=sees_names(actor)),
            say=door.amount_words,
            look=round_look,
            entry_look=entry_look,
            errors=errors,
        )


def changed(round_id: int, work: Work) -> Response:
    """Do one thing with a round and show it."""
    return change(work, partial(render_round, round_id), url_for("pages_rounds.show", round_id=round_id))


@blueprint.post(f"{ROUND}/entries")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def list_household(round_id: int) -> Response:
    """Put a household on the list."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        resident_id = number(request.form, "resident_id")
        if resident_id is None:
            raise Invalid("resident_id", "请先查找并选择居民")
        market.list_household(session, round_id, resident_id, actor=actor)

    return changed(round_id, work)


@blueprint.post(f"{ROUND}/freezing")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def freeze(round_id: int) -> Response:
    """The list is final."""
    return changed(round_id, lambda session, actor, now: market.freeze_round(session, round_id, actor=actor, now=now))


@blueprint.post(f"{ROUND}/closing")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def close(round_id: int) -> Response:
    """Everybody has a parcel or a reason."""
    return changed(round_id, lambda session, actor, now: market.close_round(session, round_id, actor=actor, now=now))


@blueprint.get(ENTRY)
@allow(Right.CAMPAIGNS_READ)
def entry(entry_id: int) -> str:
    """One household of a list."""
    return render_entry(entry_id, current_actor(), NOTHING_WRONG)


def render_entry(entry_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """Who gets the parcel and how far it is; what can be done now."""
    with transaction() as session:
        found, name, order = rounds.find_entry(session, entry_id, actor=actor)
        state, may_run = EntryState(found.state), actor.may(Right.CAMPAIGNS_RUN)
        about = market.find_round(session, found.round_id, actor=actor)
        is_open = about.state == RoundState.FROZEN and may_run
        return render_template(
            "rounds/entry.html",
            entry=found,
            round=about,
            name=shown_name(name, whole=sees_names(actor)),
            order=order if actor.may(Right.ORDERS_READ) else None,
            bill=rounds.bill_of(session, found.round_id),
            given=lots_of_step(session, found.move_id) if found.move_id else (),
            has_picture=signing.is_signed(session, found, actor=actor),
            may_send=is_open and state in SENDABLE,
            may_set_back=is_open and state is EntryState.REACHED,
            may_sign=is_open and state in ON_THE_WAY,
            today=clock.today(clock.now(session)),
            say=door.amount_words,
            look=entry_look,
            typed=request.form,
            errors=errors,
        )


def deed(entry_id: int, work: Work) -> Response:
    """Do one thing with a household and show it."""
    return change(work, partial(render_entry, entry_id), url_for("pages_rounds.entry", entry_id=entry_id))


@blueprint.post(f"{ENTRY}/delivery")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def send(entry_id: int) -> Response:
    """Have somebody take the parcel there: an order of the core."""
    return deed(entry_id, lambda session, actor, now: market.send_parcel(session, entry_id, actor=actor, now=now))


@blueprint.post(f"{ENTRY}/signature")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def sign(entry_id: int) -> Response:
    """Somebody signed; the goods leave the stock."""

    def work(session: Session, actor: Actor, now: datetime) -> RoundEntry:
        signer, day = request.form.get("signer", ""), read_day(request.form, "signed_on")
        signed = read_signed()
        return market.sign_parcel(session, entry_id, signer, signed=signed, signed_on=day, actor=actor, now=now)

    return deed(entry_id, work)


sign.most_bytes = MOST_BYTES  # type: ignore[attr-defined]


@blueprint.get(f"{ENTRY}/signature")
@allow(Right.CAMPAIGNS_READ)
def signature(entry_id: int) -> Response:
    """The picture of what was signed; each reading is audited."""
    actor = current_actor()
    with transaction() as session:
        found, _, _ = rounds.find_entry(session, entry_id, actor=actor)
        return picture_of(signing.read_signed(session, found, actor=actor))


@blueprint.post(f"{ENTRY}/setback")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def set_back(entry_id: int) -> Response:
    """Taken there and not handed over, for a reason."""
    reason = request.form.get("set_back", "")
    return deed(entry_id, lambda session, actor, _: rounds.set_back(session, entry_id, reason, actor=actor))


@blueprint.post(f"{ENTRY}/excuse")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def excuse(entry_id: int) -> Response:
    """No parcel, for a reason."""
    reason = request.form.get("reason", "")
    return deed(entry_id, lambda session, actor, _: market.excuse_household(session, entry_id, reason, actor=actor))

"""领取柜台: a card is read, goods are chosen and reserved, the holder signs, the slip is printed; key or finger."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, DispatchError, Invalid, NotFound
from dispatch.gateways import limits
from dispatch.models.access import User
from dispatch.models.market import Facility, HandOut
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.spoken import number_of, smallest
from dispatch.rules.funds.terms import Commodity
from dispatch.rules.market.double_dip import PROGRAMME_LABELS
from dispatch.rules.market.hand_outs import STATE_LABELS, WAY_LABELS, HandOutState, SigningWay, check_proxy
from dispatch.services import market
from dispatch.services.access import idempotency
from dispatch.services.market import counter, goods, hand_outs, refused_signings
from dispatch.services.market.hand_outs import Chosen, Listed, Signing
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.errors import STATUS_OF
from dispatch.web.orders.form import number, numbers
from dispatch.web.orders.views import names
from dispatch.web.pages import told

MOST_BYTES = 12 * 1024 * 1024
MOST_SHOWN = 10
PREFIX = "goods."
WEIGHED = "斤"
HANDED_OUT = {"HX-Trigger": "handed-out"}
"""Tells the list of the newest hand-outs that there is something new."""
HAND_OUT = "/counter/hand-outs/<int(min=1, max=9223372036854775807):hand_out_id>"

blueprint = Blueprint("pages_counter", __name__)


@dataclass(frozen=True, slots=True)
class Typed:
    """What the keeper has typed: the card, the facility, amounts by goods, the warnings that were read."""

    facility_id: int
    card: str
    amounts: Mapping[int, str]
    seen: frozenset[int]


def unit_of(unit: str, commodity: str) -> str:
    """The unit in which people say an amount."""
    return WEIGHED if commodity == Commodity.GRAM else unit


def said(amount: int, commodity: str) -> str:
    """An amount as people say it."""
    return number_of(amount, Commodity(commodity))


@blueprint.get("/counter")
@allow(Right.MARKET_KEEP)
def show() -> str:
    """The counter: a field for the card, and the newest hand-outs of this facility."""
    return render_template("counter/show.html", **seen(current_actor()))


@blueprint.get("/counter/newest")
@allow(Right.MARKET_KEEP)
def newest() -> str:
    """The newest hand-outs of this facility alone, as they stand now."""
    return render_template("counter/newest.html", **seen(current_actor()))


def seen(actor: Actor) -> dict[str, Any]:
    """What the page shows: the facilities of this keeper, the chosen one, its newest hand-outs."""
    with transaction() as session:
        now = clock.now(session)
        kept = kept_by(session, actor, now)
        chosen = number(request.args, "facility")
        here = next((one for one in kept if one.id == chosen), kept[0] if kept else None)
        found = hand_outs.newest(session, here.id, actor=actor, limit=MOST_SHOWN) if here else []
        people = names(session, User, {one.reserved_by for one in found if one.reserved_by})
    return {"kept": kept, "here": here, "found": found, "people": people, "state_word": state_word, "now": now}


def kept_by(session: Session, actor: Actor, now: datetime) -> list[Facility]:
    """The facilities with stock that this person keeps."""
    return [
        one
        for one in market.list_markets(session, actor=actor)
        if (keeper := market.keeper_of(session, one.id, now=now)) is not None and keeper.user_id == actor.user_id
    ]


def state_word(state: str) -> str:
    """How a hand-out stands."""
    return str(gettext(STATE_LABELS[HandOutState(state)]))


def read_typed() -> Typed:
    """What the form holds."""
    form = request.form
    amounts = {
        number({"lines": name.removeprefix(PREFIX)}, "lines") or 0: value.strip()
        for name, value in form.items()
        if name.startswith(PREFIX) and value.strip()
    }
    seen = frozenset(numbers(form.getlist("seen"), "seen"))
    return Typed(number(form, "facility_id") or 0, form.get("card", "")[:300], amounts, seen)


@blueprint.post("/counter/card")
@allow(Right.MARKET_KEEP, limit=limits.SEARCH)
@retrying
def read_card() -> Response:
    """Who holds the card, what the month allows, what may be chosen; a refusal in plain words."""
    return choosing(read_typed(), {})


def choosing(typed: Typed, errors: Mapping[str, str], status: int = 200) -> Response:
    """The part of the page where goods are chosen, with what was typed."""
    try:
        with transaction() as session:
            now = clock.now(session)
            there = counter.look(session, typed.facility_id, typed.card, actor=current_actor(), now=now)
    except DispatchError as error:
        return refusal(error)
    html = render_template(
        "counter/choosing.html",
        there=there,
        typed=typed,
        errors=errors,
        programme_word=lambda one: gettext(PROGRAMME_LABELS[one]),
        unit_of=unit_of,
        said=said,
    )
    return make_response(html, status)


def refusal(error: DispatchError) -> Response:
    """Why nothing can be handed out."""
    status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)
    return make_response(render_template("counter/refused.html", words=told(error)), status)


@blueprint.post("/counter/reservations")
@allow(Right.MARKET_KEEP)
@retrying
def reserve() -> Response:
    """Reserve what was chosen and show the list to be signed."""
    typed, actor = read_typed(), current_actor()
    try:
        with transaction() as session:
            now = clock.now(session)
            chosen = read_chosen(typed, goods.commodities_of(session, typed.amounts, actor=actor))
            made = hand_outs.reserve(
                session, typed.facility_id, typed.card, chosen, seen=typed.seen, actor=actor, now=now
            )
            lines, name = hand_outs.lines_of(session, made.id), counter.holder_name(session, made.card_id)
    except (Invalid, Conflict) as error:
        errors = {error.field if isinstance(error, Invalid) else "form": told(error)}
        return choosing(typed, errors, 422 if isinstance(error, Invalid) else 409)
    except DispatchError as error:
        return refusal(error)
    return make_response(signing_part(made, lines, name, now), HANDED_OUT)


def read_chosen(typed: Typed, commodities: Mapping[int, Commodity]) -> Sequence[Chosen]:
    """The amounts in their smallest unit; raises Invalid("lines")."""
    chosen = []
    for goods_id, written in typed.amounts.items():
        if goods_id not in commodities:
            raise Invalid("lines", "这种物品现在不能领,请重新选择")
        try:
            amount = smallest("lines", Decimal(written), commodities[goods_id])
        except InvalidOperation as error:
            raise Invalid("lines", "数量请填数字") from error
        chosen.append(Chosen(goods_id, amount))
    return chosen


def signing_part(made: HandOut, lines: Sequence[Listed], name: str | None, now: datetime) -> str:
    """The list that is signed, and where."""
    return render_template(
        "counter/signing.html",
        made=made,
        lines=lines,
        name=name,
        ways=[(one, gettext(word)) for one, word in WAY_LABELS.items()],
        unit_of=unit_of,
        said=said,
        seconds=int((made.reserved_until - now).total_seconds()),
        now=now,
    )


@blueprint.post(f"{HAND_OUT}/signature")
@allow(Right.MARKET_KEEP)
@retrying
def sign(hand_out_id: int) -> Response:
    """Take the signature, once per key; sent by the page's script, also later when the network was away."""
    actor = current_actor()
    try:
        body = signed(hand_out_id, actor)
    except DispatchError as error:
        tell_refused(hand_out_id, actor)
        status = next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)
        field = error.field if isinstance(error, Invalid) else None
        return make_response(jsonify({"detail": told(error), "field": field}), status)
    return make_response(jsonify(body))


def tell_refused(hand_out_id: int, actor: Actor) -> None:
    """Somebody learns of a signing that was made without a network and is refused now."""
    try:
        signed_at = read_moment(request.form)
    except Invalid:
        return
    with transaction() as session:
        refused_signings.tell(session, hand_out_id, signed_at, actor=actor, now=clock.now(session))


sign.most_bytes = MOST_BYTES  # type: ignore[attr-defined]


def signed(hand_out_id: int, actor: Actor) -> dict[str, Any]:
    """One signing in one transaction; a repeat with the same key gets the same answer."""
    route = f"market.sign:{hand_out_id}"
    with transaction() as session:
        hand_out = hand_outs.find(session, hand_out_id, actor=actor, locked=True)
        signing = read_signing()
        key = idempotency.check_key(request.headers.get(idempotency.HEADER, ""))
        said_at = signing.signed_at.isoformat()
        mark = idempotency.fingerprint({"list": signing.list_hash, "at": said_at, "way": str(signing.way)})
        stored = idempotency.replay(session, actor.principal, route, key, mark)
        if stored is not None:
            body: dict[str, Any] = json.loads(stored.body)
            return body
        hand_outs.sign(session, hand_out, signing, actor=actor, now=clock.now(session))
        slip_url = url_for("pages_counter.slip", hand_out_id=hand_out_id)
        body = {"state": hand_out.state, "number": hand_out_id, "slip": slip_url}
        idempotency.remember(session, actor.principal, route, key, idempotency.Stored(200, json.dumps(body).encode()))
        return body


def read_signing() -> Signing:
    """What the form holds; raises Invalid naming the field."""
    form = request.form
    way = form.get("way", "")
    if way not in set(SigningWay):
        raise Invalid("way", "请选择怎样签字")
    pictures = [content for one in request.files.getlist("signature") if (content := one.read())]
    if not pictures:
        raise Invalid("signature", "请签名,或选择签名的照片")
    signed_at = read_moment(form)
    proxy = check_proxy(form.get("proxy_name", "")[:60], form.get("proxy_relation", "")[:60])
    return Signing(SigningWay(way), pictures[0], form.get("list_hash", ""), signed_at, proxy)


def read_moment(form: Mapping[str, str]) -> datetime:
    """When it was signed; raises Invalid("signed_at")."""
    try:
        signed_at = datetime.fromisoformat(form.get("signed_at", ""))
    except ValueError as error:
        raise Invalid("signed_at", "签字的时间不对,请检查这台设备的时钟") from error
    if signed_at.tzinfo is None:
        raise Invalid("signed_at", "签字的时间不对,请检查这台设备的时钟")
    return signed_at


@blueprint.post(f"{HAND_OUT}/cancellation")
@allow(Right.MARKET_KEEP)
@retrying
def cancel(hand_out_id: int) -> Response:
    """Put back what was reserved."""
    actor = current_actor()
    try:
        with transaction() as session:
            found = hand_outs.find(session, hand_out_id, actor=actor, locked=True)
            hand_outs.cancel(session, found, actor=actor, now=clock.now(session))
    except NotFound:
        raise
    except DispatchError as error:
        return refusal(error)
    return make_response(render_template("counter/refused.html", words=gettext("已取消，物资已放回")), HANDED_OUT)


@blueprint.get(f"{HAND_OUT}/slip")
@allow(Right.MARKET_KEEP)
def slip(hand_out_id: int) -> str:
    """The slip of a hand-out, made for paper; no name and no ground on it."""
    actor = current_actor()
    with transaction() as session:
        found = hand_outs.find(session, hand_out_id, actor=actor)
        facility = market.find_facility(session, found.facility_id, actor=actor)
        people = names(session, User, {one for one in (found.reserved_by, found.recorded_by) if one})
        return render_template(
            "counter/slip.html",
            one=found,
            lines=hand_outs.lines_of(session, found.id),
            facility=facility,
            card=hand_outs.card_of(session, found),
            people=people,
            way=gettext(WAY_LABELS[SigningWay(found.way)]) if found.way else None,
            is_proxy=found.proxy_name is not None,
            state_word=state_word,
            unit_of=unit_of,
            said=said,
        )

"""坐席台: a call becomes a routed order without the mouse, previewed while it is typed, saved once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from flask import Response, make_response, render_template, request
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.gateways import limits
from dispatch.models.catalogue import Service
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.grid.phone import mask_phone, normalise_phone
from dispatch.rules.orders.duplicates import DuplicateReason
from dispatch.services import catalogue, grid, orders
from dispatch.services.access import audit, reach, vault
from dispatch.services.grid import Place
from dispatch.services.orders import OrderDraft, Preview
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.door import blueprint
from dispatch.web.orders.form import (
    SOURCE,
    field_name,
    new_key,
    number,
    read_draft,
    source_number,
    windows,
    with_known_answers,
    without,
)
from dispatch.web.orders.views import OrderRow, rows
from dispatch.web.pages import told

KINDS_SHOWN = 8
MOST_WRONG_FIELDS = 6
HOTLINE = "hotline"


@dataclass(slots=True)
class Look:
    """What the preview panel shows of a form that may be half filled in."""

    now: datetime
    place: Place
    has_address: bool = False
    service: Service | None = None
    preview: Preview | None = None
    duplicates: list[tuple[OrderRow, str]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


@blueprint.get("/desk")
@allow(Right.ORDERS_PLACE)
def desk() -> str:
    """The empty form; the telephone system may open it with ?phone=."""
    with transaction() as session:
        now = clock.now(session)
    phone = request.args.get("phone", "")
    return render_template("orders/desk.html", now=now, windows=windows(now), form_key=new_key(), phone=phone)


@blueprint.get("/desk/kinds")
@allow(Right.ORDERS_PLACE, limit=limits.SEARCH)
def kinds() -> str:
    """The kinds that fit what was typed: Chinese, pinyin, initials or what callers say."""
    actor = current_actor()
    with transaction() as session:
        found = catalogue.search_services(
            session, actor.organisation_id, request.args.get("kind_text", ""), offered=HOTLINE, limit=KINDS_SHOWN
        )
    return render_template("orders/kinds.html", services=found)


@blueprint.get("/desk/questions")
@allow(Right.ORDERS_PLACE)
def questions() -> str:
    """The questions of the chosen kind."""
    actor = current_actor()
    service_id = number(request.args, "service_id")
    if service_id is None or actor.organisation_id is None:
        return ""
    with transaction() as session:
        service = catalogue.find_service(session, actor.organisation_id, service_id=service_id)
    return render_template("orders/questions.html", service=service)


@blueprint.post("/desk/caller")
@allow(Right.CALLERS_READ, limit=limits.SEARCH)
def caller() -> str:
    """The caller card: who this number belongs to, where they live, what they asked for before."""
    actor = current_actor()
    text = request.form.get("caller_phone", "").strip()
    if not text:
        return render_template("orders/caller.html", is_empty=True, problem=None, people=[], past=[])
    try:
        phone = normalise_phone(text)
    except Invalid as error:
        return render_template("orders/caller.html", problem=told(error), people=[], past=[])
    index = vault.blind_index("phone", phone)
    with transaction() as session:
        now = clock.now(session)
        people = grid.find_caller(session, index, actor=actor)
        past = rows(session, orders.orders_of_caller(session, index, actor=actor), actor)
        audit.record(session, "callers.read", "residents", None, actor=actor, purpose="hotline_call")
    return render_template(
        "orders/caller.html", people=people, past=past, phone=mask_phone(phone), now=now, problem=None
    )


@blueprint.post("/desk/preview")
@allow(Right.ORDERS_PLACE, limit=limits.SEARCH)
def preview() -> str:
    """Who will get it and why, likely duplicates, due times; wrong fields are left out and named."""
    with transaction() as session:
        look = look_at(session, request.form, actor=current_actor())
    return render_template("orders/preview.html", look=look)


def look_at(session: Session, form: Mapping[str, str], *, actor: Actor) -> Look:
    """Look ahead with what is right so far."""
    now = clock.now(session)
    errors: dict[str, str] = {}
    draft = lenient_draft(form, errors)
    look = Look(now, Place(), has_address=bool(draft.address_text), errors=errors)
    if draft.service_id is not None and actor.organisation_id is not None:
        look.service = catalogue.find_service(session, actor.organisation_id, service_id=draft.service_id)
        draft = with_room(session, with_known_answers(draft, look.service), actor)
        look.preview = lenient_preview(session, draft, errors, actor=actor, now=now)
    if look.preview is not None:
        look.place = look.preview.place
        look.duplicates = duplicate_rows(session, look.preview, actor)
    else:
        look.place = place_of(session, with_room(session, draft, actor), actor)
    return look


def place_of(session: Session, draft: OrderDraft, actor: Actor) -> Place:
    """Where a draft is, by the cell that was picked or by its words."""
    return grid.resolve_place(
        session,
        draft.address_text,
        communities=None if actor.scope.everything else actor.scope.communities,
        stairwell_id=draft.stairwell_id,
        building_id=draft.building_id,
        room=draft.room,
    )


def with_room(session: Session, draft: OrderDraft, actor: Actor) -> OrderDraft:
    """The draft of a picked cell with the room that its words say: picking does not lose the room."""
    if draft.room or not draft.address_text or (draft.stairwell_id is None and draft.building_id is None):
        return draft
    said = place_of(session, replace(draft, stairwell_id=None, building_id=None), actor)
    return replace(draft, room=said.room)


def lenient_draft(form: Mapping[str, str], errors: dict[str, str]) -> OrderDraft:
    """The draft; a field that cannot be read is left out and named in `errors`."""
    readable = dict(form)
    for _ in range(MOST_WRONG_FIELDS):
        try:
            return read_draft(readable)
        except Invalid as error:
            errors[field_name(error.field)] = told(error)
            readable.pop(error.field, None)
            if error.field == "wanted_from":
                readable.pop("wanted", None)
    return OrderDraft(description="")


def lenient_preview(
    session: Session, draft: OrderDraft, errors: dict[str, str], *, actor: Actor, now: datetime
) -> Preview | None:
    """The preview of a draft without its wrong fields, which are named in `errors`."""
    for _ in range(MOST_WRONG_FIELDS):
        try:
            return orders.preview(session, draft, actor=actor, now=now)
        except Invalid as error:
            errors[field_name(error.field)] = told(error)
            reduced = without(draft, error.field)
            if reduced == draft:
                return None
            draft = reduced
    return None


def duplicate_rows(session: Session, looked: Preview, actor: Actor) -> list[tuple[OrderRow, str]]:
    """The likely duplicates with what they have in common, in words."""
    words = {
        DuplicateReason.SAME_STAIRWELL: gettext("同一楼道"),
        DuplicateReason.SAME_BUILDING: gettext("同一幢楼"),
        DuplicateReason.SAME_AREA: gettext("同一片区"),
        DuplicateReason.SAME_KIND: gettext("同一类别"),
        DuplicateReason.SAME_GROUP: gettext("同一大类"),
        DuplicateReason.SAME_CALLER: gettext("同一来电人"),
        DuplicateReason.SIMILAR_WORDS: gettext("说法相近"),
    }
    found = rows(session, [order for _, order in looked.duplicates], actor)
    reasons = [gettext("、").join(words[reason] for reason in match.reasons) for match, _ in looked.duplicates]
    return list(zip(found, reasons, strict=True))


@blueprint.post("/desk")
@allow(Right.ORDERS_PLACE, limit=limits.INTAKE)
def save() -> Response:
    """Save the call once: the form's key is kept with the order, a repeated or unanswered save finds it."""
    actor = current_actor()
    try:
        key = source_number(request.form.get("form_key", ""))
        number_of_order, is_repeat = place_once(request.form, key, actor)
    except Invalid as error:
        page = render_template("orders/errors.html", errors={field_name(error.field): told(error)})
        return make_response(page, 422, {"HX-Reswap": "innerHTML", "HX-Trigger-After-Settle": "order-refused"})
    page = render_placed(number_of_order, actor, is_repeat=is_repeat, is_new=True)
    return make_response(page, 201, {"HX-Trigger-After-Settle": "order-placed"})


def place_once(form: Mapping[str, str], key: str, actor: Actor) -> tuple[str, bool]:
    """Number of the order that this form became, and whether it had become it before."""
    draft = read_draft(form)
    try:
        return place_now(draft, key, actor), False
    except orders.AlreadyPlaced:
        with transaction() as session:
            found = session.execute(
                select(Order.number).where(
                    Order.source == SOURCE,
                    Order.source_number == key,
                    Order.created_by == actor.user_id,
                    reach.visible_orders(actor),
                )
            ).scalar_one_or_none()
        if found is None:
            raise
        return found, True


@retrying
def place_now(draft: OrderDraft, key: str, actor: Actor) -> str:
    """One transaction: the durable order."""
    with transaction() as session:
        if draft.service_id is not None and actor.organisation_id is not None:
            service = catalogue.find_service(session, actor.organisation_id, service_id=draft.service_id)
            draft = with_known_answers(draft, service)
        keyed = replace(with_room(session, draft, actor), source_number=key)
        return orders.receive(session, keyed, actor=actor, now=clock.now(session)).number


@blueprint.get("/desk/placed/<number>")
@allow(Right.ORDERS_PLACE)
def placed(number: str) -> str:
    """What has become of the order just saved: live until it is accepted."""
    return render_placed(number, current_actor(), is_repeat=False, is_new=False)


def render_placed(order_number: str, actor: Actor, *, is_repeat: bool, is_new: bool) -> str:
    """The panel with the number, the state and who is asked."""
    with transaction() as session:
        now = clock.now(session)
        order = orders.find(session, order_number, actor=actor)
        row = rows(session, [order], actor)[0]
        asked = [(recipient, name) for _, recipient, name in orders.offers_of(session, order)]
    return render_template(
        "orders/placed.html",
        row=row,
        asked=asked,
        now=now,
        is_repeat=is_repeat,
        is_new=is_new,
        form_key=new_key(),
        windows=windows(now),
    )

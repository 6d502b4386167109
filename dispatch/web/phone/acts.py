"""The addresses of the phone page: GET shows, POST acts, each act once per key."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Response, jsonify, make_response, redirect, render_template, request, send_from_directory, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.orders import Order
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.care.terms import MOOD_LABELS
from dispatch.services import orders, reports
from dispatch.services.access import idempotency
from dispatch.services.care import reporting
from dispatch.services.orders.offers import actor_of
from dispatch.transaction import retrying, transaction
from dispatch.web.access import open_to_all
from dispatch.web.pages import told
from dispatch.web.phone import form, views
from dispatch.web.phone.door import GONE, blueprint, by_link, refused, wants_json
from dispatch.web.vouchers.door import words

MOST_REPORT_BYTES = 32 * 1024 * 1024
STATIC = Path(__file__).parent.parent / "static"
NO_DATA = "a page and a script without any data"
LONGEST_ID = 18
GONE_STAGES = frozenset({"lapsed", "taken", "elsewhere", "over"})
FORM_FIELD = {"cost_fen": "cost", "fen": "yuan"}
PROOFS_OF_ARRIVAL = frozenset({"resident", "photo", "code"})


@dataclass(frozen=True, slots=True)
class Deed:
    """What a firm wants to do: its content, by which a repeat is known, and the work.

    An answer (accept, decline) is given to an offer; everything else needs an order that was accepted.
    """

    payload: Mapping[str, object]
    work: Callable[[Session, datetime], Order]
    is_answer: bool = False


@blueprint.get("/offline")
@open_to_all(NO_DATA)
def offline() -> str:
    """What the phone shows when the page is opened without a signal: what waits on the phone to be sent."""
    return render_template("phone/offline.html")


@blueprint.get("/worker.js")
@open_to_all(NO_DATA)
def worker() -> Response:
    """The service worker, from below /w/ so that its reach is the phone pages only."""
    return send_from_directory(STATIC, "phone-worker.js", mimetype="text/javascript")


@blueprint.get("/<token>")
@by_link
@retrying
def show(token: str) -> Response:
    """The order of the link at its stage; changes nothing. An offer that is over for this firm answers 410."""
    page = look(token)
    status = GONE if page.stage in GONE_STAGES else 200
    if wants_json():
        return make_response(jsonify(views.as_json(page)), status)
    return html(page, {}, {}, status)


@blueprint.get("/<token>/figures")
@by_link
@retrying
def figures(token: str) -> str:
    """The firm's own offers, work and fair share, while its link lives; of other firms nothing."""
    with transaction(EVERYTHING) as session:
        now = clock.now(session)
        performer_id = orders.open_link(session, token, now=now).performer.id
        own = reports.own_figures(session, performer_id, now=now)
        return render_template("phone/figures.html", own=own, back=url_for("phone.show", token=token))


@blueprint.post("/<token>/accept")
@by_link
def accept(token: str) -> Response:
    """Take the order."""
    return act(token, lambda: Deed({}, lambda session, now: orders.accept(session, token, now=now), is_answer=True))


@blueprint.post("/<token>/decline")
@by_link
def decline(token: str) -> Response:
    """Say no, with a reason."""

    def read() -> Deed:
        reason = form.reason_of(form.fields())
        return Deed(
            {"reason": reason},
            lambda session, now: orders.decline(session, token, reason=reason, now=now),
            is_answer=True,
        )

    return act(token, read)


@blueprint.post("/<token>/set-out")
@by_link
def set_out(token: str) -> Response:
    """On the way."""
    return act(token, lambda: Deed({}, lambda session, now: orders.set_out(session, token, now=now)))


@blueprint.post("/<token>/arrive")
@by_link
def arrive(token: str) -> Response:
    """At the door; `how` tells what shows it."""

    def read() -> Deed:
        how = form.text_of(form.fields(), "how") or "resident"
        if how not in PROOFS_OF_ARRIVAL:
            raise Invalid("how", "填写的内容不正确")
        return Deed({"how": how}, lambda session, now: orders.arrive(session, token, now=now, how=how))

    return act(token, read)


@blueprint.post("/<token>/finish")
@by_link
def finish(token: str) -> Response:
    """The work is done: result, cost, note, photos, signature; of a visit, how the elder was and what was said."""

    def read() -> Deed:
        report = form.report_of(form.fields())
        said = form.said_of(form.fields(), signed=report.signature is not None)

        def work(session: Session, now: datetime) -> Order:
            order = orders.finish(session, token, report, now=now)
            if said is not None:
                actor = actor_of(orders.open_link(session, token, now=now).recipient)
                reporting.record_end(session, order, said, actor=actor, now=now)
            return order

        return Deed(form.payload_of(report, said), work)

    return act(token, read)


finish.most_bytes = MOST_REPORT_BYTES  # type: ignore[attr-defined]


@blueprint.post("/<token>/give-back")
@by_link
def give_back(token: str) -> Response:
    """Accepted, but cannot come: it goes to the next one."""

    def read() -> Deed:
        reason = form.reason_of(form.fields())
        return Deed({"reason": reason}, lambda session, now: orders.give_back(session, token, reason=reason, now=now))

    return act(token, read)


@blueprint.post("/<token>/complaint-answer")
@by_link
def answer_complaint(token: str) -> Response:
    """What the firm says to a complaint about this order."""

    def read() -> Deed:
        sent = form.fields()
        chosen, said = form.text_of(sent, "complaint"), form.text_of(sent, "answer")
        if not (chosen.isascii() and chosen.isdigit() and len(chosen) <= LONGEST_ID):
            raise Invalid("complaint", "填写的内容不正确")
        return Deed(
            {"complaint": chosen, "answer": said},
            lambda session, now: orders.answer_by_link(session, token, int(chosen), answer=said, now=now),
        )

    return act(token, read)


def act(token: str, read: Callable[[], Deed]) -> Response:
    """Do one act; a wrong field is shown beside it with what was typed, machines and our script get JSON."""
    try:
        body, is_replayed = done(token, read(), form.key_of(form.fields()))
    except Invalid as error:
        return wrong(token, error)
    except orders.PapersEnded:
        step_aside(token)
        raise
    response = jsonify(body) if wants_json() else redirect(url_for("phone.show", token=token), 303)
    if is_replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return make_response(response)


@retrying
def done(token: str, deed: Deed, key: str | None) -> tuple[dict[str, Any], bool]:
    """One act in one transaction, once per key: what is confirmed of it (nothing personal), and if it is a repeat."""
    with transaction(EVERYTHING) as session:
        now = clock.now(session)
        recipient = orders.open_link(session, token, now=now).recipient
        principal = actor_of(recipient).principal
        route = f"{request.endpoint}.{recipient.id}"
        mark = idempotency.fingerprint(deed.payload)
        stored = idempotency.replay(session, principal, route, key, mark) if key else None
        if stored is not None:
            return json.loads(stored.body), True
        if not deed.is_answer and recipient.outcome != "accepted":
            raise orders.NotYours
        order = deed.work(session, now)
        stage = views.stage_of(orders.open_link(session, token, now=now))
        body = {"number": order.number, "stage": stage, "version": order.version}
        if key:
            answer = idempotency.Stored(200, json.dumps(body).encode())
            idempotency.remember(session, principal, route, key, answer)
        return body, False


@retrying
def step_aside(token: str) -> None:
    """What follows a refusal for papers, in a transaction of its own: the next round."""
    with transaction(EVERYTHING) as session:
        orders.step_aside(session, token, now=clock.now(session))


def wrong(token: str, error: Invalid) -> Response:
    """The refusal of a field, named as the form names it."""
    error.field = FORM_FIELD.get(error.field, error.field)
    if wants_json():
        return refused(error)
    sent = {name: value for name, value in request.form.items() if name != "key"}
    return html(look(token), {error.field: told(error)}, sent, 422)


def look(token: str) -> views.PhonePage:
    """The page of a link as it is now."""
    with transaction(EVERYTHING) as session:
        now = clock.now(session)
        return views.page_of(session, orders.open_link(session, token, now=now), now=now)


def html(page: views.PhonePage, errors: Mapping[str, str], sent: Mapping[str, str], status: int) -> Response:
    """The page for people."""
    return make_response(
        render_template(
            "phone/page.html",
            page=page,
            errors=errors,
            sent=sent,
            shown_fields=form.SHOWN_FIELDS,
            reasons=form.REASONS,
            new_key=form.new_key,
            act_url=lambda name: f"{request.path.rstrip('/') if request.method == 'GET' else base()}/{name}",
            most_photos=form.MOST_PHOTOS,
            moods=[(str(mood), gettext(word)) for mood, word in MOOD_LABELS.items()],
            **words(),
        ),
        status,
    )


def base() -> str:
    """The address of the page behind the address of an act."""
    return request.path.rsplit("/", 1)[0]

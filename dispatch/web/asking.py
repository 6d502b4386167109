"""三问 for the staff: questions to everybody, what was said to them, answering it."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import Actor, ActorKind, Right
from dispatch.rules.care.asking import (
    KIND_LABELS,
    OUTCOME_LABELS,
    SOURCE_LABELS,
    AskKind,
    EntrySource,
    Outcome,
    is_open,
)
from dispatch.services.care import asking
from dispatch.services.care.asking import AnswerDraft, AskingDraft, EntryDraft
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import Work, change, make
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.knowledge import needed_day, read_day
from dispatch.web.orders.form import new_key, number, one_of, source_number

ROWS = 50

blueprint = Blueprint("pages_asking", __name__, url_prefix="/asking")


def words() -> dict[str, dict[str, str]]:
    """The words of kinds, ways and outcomes in the reader's language."""
    return {
        "kinds": {str(one): gettext(word) for one, word in KIND_LABELS.items()},
        "sources": {str(one): gettext(word) for one, word in SOURCE_LABELS.items()},
        "outcomes": {str(one): gettext(word) for one, word in OUTCOME_LABELS.items()},
    }


@blueprint.get("")
@allow(Right.ASKING_TAKE)
def listing() -> str:
    """The questions, and what waits for an answer."""
    return render_listing(current_actor(), {})


def render_listing(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    before = number(request.args, "before")
    with transaction() as session:
        found = asking.list_askings(session, actor=actor, before=before, limit=ROWS + 1)
        may_read = actor.may(Right.ASKING_READ) and not before
        waiting = asking.list_entries(session, actor=actor, only_waiting=True) if may_read else []
        today = clock.today(clock.now(session))
        return render_template(
            "asking/listing.html",
            rows=found[:ROWS],
            following=found[ROWS - 1].asking.id if len(found) > ROWS else None,
            waiting=waiting,
            communities=communities_of(session, actor),
            is_open=lambda one: is_open(one.opens_on, one.closes_on, today),
            today=today,
            now=clock.now(session),
            typed=request.form,
            errors=errors,
            **words(),
        )


@blueprint.post("")
@allow(Right.ASKING_ANSWER)
@retrying
def open_asking() -> Response:
    """Ask everybody."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        form = request.form
        draft = AskingDraft(
            one_of(form, "kind", AskKind),
            form.get("title", ""),
            form.get("words", ""),
            opens_on=needed_day(form, "opens_on"),
            closes_on=read_day(form, "closes_on"),
        )
        made = asking.open_asking(session, chosen_community(), draft, actor=actor, now=now)
        return url_for("pages_asking.show", asking_id=made.id)

    return make(work, render_listing)


@blueprint.get("/<int(min=1, max=9223372036854775807):asking_id>")
@allow(Right.ASKING_TAKE)
def show(asking_id: int) -> str:
    """One question: what was said to it, and the form for what is said now."""
    return render_asking(asking_id, current_actor(), {"form_key": new_key()}, {})


def render_asking(asking_id: int, actor: Actor, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    """The page with what was typed; entries are shown to who reads them, answers to everybody."""
    before = number(request.args, "before")
    with transaction() as session:
        found = asking.find_asking(session, asking_id, actor=actor)
        entries = []
        if actor.may(Right.ASKING_READ):
            entries = asking.list_entries(session, actor=actor, asking_id=found.id, before=before, limit=ROWS + 1)
        return render_template(
            "asking/show.html",
            asking=found,
            entries=entries[:ROWS],
            following=entries[ROWS - 1].entry.id if len(entries) > ROWS else None,
            is_open=is_open(found.opens_on, found.closes_on, clock.today(clock.now(session))),
            now=clock.now(session),
            typed=typed,
            errors=errors,
            **words(),
        )


def changed(asking_id: int, work: Work) -> Response:
    """Do something about a question; a refusal is shown on its page with what was typed."""

    def render(actor: Actor, errors: Mapping[str, str]) -> str:
        return render_asking(asking_id, actor, request.form, errors)

    return change(work, render, url_for("pages_asking.show", asking_id=asking_id))


@blueprint.post("/<int(min=1, max=9223372036854775807):asking_id>/closing")
@allow(Right.ASKING_ANSWER)
@retrying
def close(asking_id: int) -> Response:
    """Take no more entries after today."""
    return changed(asking_id, lambda session, actor, now: asking.close_asking(session, asking_id, actor=actor, now=now))


@blueprint.post("/<int(min=1, max=9223372036854775807):asking_id>/entries")
@allow(Right.ASKING_TAKE)
@retrying
def take(asking_id: int) -> Response:
    """Keep what somebody said; the form sent twice is kept once."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        is_helper = actor.kind is ActorKind.PERFORMER
        draft = read_entry(EntrySource.HELPER if is_helper else EntrySource.DESK)
        asking.take_entry(session, asking_id, draft, actor=actor, now=now)

    return changed(asking_id, work)


def read_entry(source: EntrySource) -> EntryDraft:
    """What a form says; raises Invalid."""
    form = request.form
    return EntryDraft(
        form.get("words", ""),
        source,
        name=form.get("name", ""),
        phone=form.get("phone", ""),
        anonymous=bool(form.get("anonymous")),
        form_key=source_number(form.get("form_key", "")),
    )


@blueprint.get("/entries/<int(min=1, max=9223372036854775807):said_id>")
@allow(Right.ASKING_READ)
def entry(said_id: int) -> str:
    """One entry, and the form that answers it."""
    return render_entry(said_id, current_actor(), {})


def render_entry(said_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        return render_template(
            "asking/entry.html",
            one=asking.view_entry(session, said_id, actor=actor),
            now=clock.now(session),
            typed=request.form,
            errors=errors,
            **words(),
        )


@blueprint.post("/entries/<int(min=1, max=9223372036854775807):said_id>/answer")
@allow(Right.ASKING_ANSWER)
@retrying
def answer(said_id: int) -> Response:
    """Answer an entry and publish it."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        outcome = one_of(form, "outcome", Outcome)
        draft = AnswerDraft(outcome, form.get("answer", ""), form.get("shown", ""), form.get("order", ""))
        asking.answer_entry(session, said_id, draft, actor=actor, now=now)

    return change(work, partial(render_entry, said_id), url_for("pages_asking.entry", said_id=said_id))

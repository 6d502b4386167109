"""三问 over HTTP: questions, what is said to them, answers."""

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.rules.access.roles import Right
from dispatch.rules.care.asking import AskKind, EntrySource, Outcome
from dispatch.schemas import asking as schemas
from dispatch.schemas.beneficiaries import NothingMore
from dispatch.services.care import asking
from dispatch.services.care.asking import AnswerDraft, AskingDraft, AskingRow, EntryDraft, OpenedEntry
from dispatch.transaction import transaction

blueprint = Blueprint("asking", __name__, url_prefix="/api/care", description="三问 · Three asks")

ASKING = "/solicitations/<int(min=1, max=9223372036854775807):asking_id>"
SAID = "/entries/<int(min=1, max=9223372036854775807):said_id>"
OF_ASKING = ("id", "community_id", "kind", "title", "words", "opens_on", "closes_on")
OF_ENTRY = ("id", "solicitation_id", "source", "anonymous", "said_at", "outcome", "answer", "shown", "answered_at")


def asking_out(row: AskingRow) -> dict[str, Any]:
    """What leaves of a question."""
    plain = {name: getattr(row.asking, name) for name in OF_ASKING}
    return plain | {"entries": row.entries, "waiting": row.waiting}


def entry_out(opened: OpenedEntry) -> dict[str, Any]:
    """What leaves of an entry."""
    plain = {name: getattr(opened.entry, name) for name in OF_ENTRY}
    said = {name: getattr(opened, name) for name in ("words", "name", "phone", "order_number")}
    return plain | said


@blueprint.route("/solicitations")
class Solicitations(MethodView):
    """The questions."""

    @allow(Right.ASKING_TAKE)
    @blueprint.arguments(schemas.AskingQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.AskingsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List questions, newest first."""
        with transaction() as session:
            rows = asking.list_askings(session, actor=actor(), before=query["cursor"], limit=query["limit"] + 1)
        shown = rows[: query["limit"]]
        following = shown[-1].asking.id if len(rows) > query["limit"] else None
        return {"items": [asking_out(row) for row in shown], "next": following}

    @allow(Right.ASKING_ANSWER)
    @blueprint.takes(schemas.OpenAsking, schemas.AskingOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Ask everybody: a need, an idea or a policy."""

        def work(session: Session) -> Answer:
            said = {name: value for name, value in data.items() if name != "community_id"}
            draft = AskingDraft(**{**said, "kind": AskKind(data["kind"])})
            made = asking.open_asking(session, data["community_id"], draft, actor=actor(), now=clock.now(session))
            return 201, schemas.AskingOut().dump(asking_out(AskingRow(made, 0, 0))), {}

        return once("solicitations.open", data, work)


@blueprint.route(f"{ASKING}/closing")
class Closing(MethodView):
    """The end of a question."""

    @allow(Right.ASKING_ANSWER)
    @blueprint.takes(NothingMore, schemas.AskingOut)
    def post(self, data: Mapping[str, Any], asking_id: int) -> Response:
        """Take no more entries after today. 409 where none are taken any more."""

        def work(session: Session) -> Answer:
            asking.close_asking(session, asking_id, actor=actor(), now=clock.now(session))
            (row,) = asking.list_askings(session, actor=actor(), before=asking_id + 1, limit=1)
            return 200, schemas.AskingOut().dump(asking_out(row)), {}

        return once(f"solicitations.close:{asking_id}", data, work)


@blueprint.route(f"{ASKING}/entries")
class Entries(MethodView):
    """What was said to a question."""

    @allow(Right.ASKING_READ)
    @blueprint.arguments(schemas.AskingEntryQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.AskingEntriesOut)
    def get(self, query: Mapping[str, Any], asking_id: int) -> Mapping[str, Any]:
        """List entries, newest first."""
        with transaction() as session:
            asking.find_asking(session, asking_id, actor=actor())
            found = asking.list_entries(
                session,
                actor=actor(),
                asking_id=asking_id,
                only_waiting=query["waiting"],
                before=query["cursor"],
                limit=query["limit"] + 1,
            )
        shown = found[: query["limit"]]
        following = shown[-1].entry.id if len(found) > query["limit"] else None
        return {"items": [entry_out(one) for one in shown], "next": following}

    @allow(Right.ASKING_TAKE)
    @blueprint.takes(schemas.TakeAskingEntry, schemas.AskingEntryOut, status=201)
    def post(self, data: Mapping[str, Any], asking_id: int) -> Response:
        """Keep what somebody said at the desk or to a helper. 409 where none are taken any more."""

        def work(session: Session) -> Answer:
            draft = EntryDraft(**{**data, "source": EntrySource(data["source"])})
            entry = asking.take_entry(session, asking_id, draft, actor=actor(), now=clock.now(session))
            opened = asking.view_entry(session, entry.id, actor=actor())
            location = url_for("asking.OneEntry", said_id=entry.id)
            return 201, schemas.AskingEntryOut().dump(entry_out(opened)), {"Location": location}

        return once(f"entries.take:{asking_id}", data, work)


@blueprint.route(SAID)
class OneEntry(MethodView):
    """One entry."""

    @allow(Right.ASKING_READ)
    @blueprint.response(200, schemas.AskingEntryOut)
    def get(self, said_id: int) -> Mapping[str, Any]:
        """Show one entry."""
        with transaction() as session:
            return entry_out(asking.view_entry(session, said_id, actor=actor()))


@blueprint.route(f"{SAID}/answer")
class EntryAnswer(MethodView):
    """The answer to an entry."""

    @allow(Right.ASKING_ANSWER)
    @blueprint.takes(schemas.AnswerAskingEntry, schemas.AskingEntryOut)
    def post(self, data: Mapping[str, Any], said_id: int) -> Response:
        """Answer an entry and publish it, once. 409 where it was answered."""

        def work(session: Session) -> Answer:
            draft = AnswerDraft(**{**data, "outcome": Outcome(data["outcome"])})
            asking.answer_entry(session, said_id, draft, actor=actor(), now=clock.now(session))
            return 200, schemas.AskingEntryOut().dump(entry_out(asking.view_entry(session, said_id, actor=actor()))), {}

        return once(f"entries.answer:{said_id}", data, work)

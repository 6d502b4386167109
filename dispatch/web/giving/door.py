"""The blueprint of the pages about giving, and what they share."""

from flask import Blueprint, request
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.access import Organisation
from dispatch.rules.access.roles import Actor
from dispatch.rules.market.pledges import (
    KIND_LABELS,
    SOURCE_LABELS,
    STATE_LABELS,
    PledgeKind,
    PledgeSource,
    PledgeState,
)
from dispatch.services.access import reach
from dispatch.web.orders.form import number
from dispatch.web.pages import Look

LOOKS = {
    PledgeState.OPEN: ("hourglass-split", "waiting"),
    PledgeState.FETCHING: ("send", "moving"),
    PledgeState.FETCHED: ("inbox", "soon"),
    PledgeState.RECEIVED: ("check-circle", "done"),
    PledgeState.WITHDRAWN: ("x-circle", "quiet"),
}

blueprint = Blueprint("pages_giving", __name__, url_prefix="/giving")


def pledge_look(state: str) -> Look:
    """Word, shape and tone of a pledge's state."""
    icon, tone = LOOKS[PledgeState(state)]
    return Look(gettext(STATE_LABELS[PledgeState(state)]), icon, tone)


def kind_word(kind: str) -> str:
    """Money or goods."""
    return str(gettext(KIND_LABELS[PledgeKind(kind)]))


def source_word(source: str) -> str:
    """How a promise reached us."""
    return str(gettext(SOURCE_LABELS[PledgeSource(source)]))


def chosen_community() -> int:
    """The community that the form names; raises Invalid."""
    found = number(request.form, "community_id")
    if found is None:
        raise Invalid("community_id", "请选择社区")
    return found


def communities_of(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """Id and name of the communities in reach."""
    wanted = reach.among(Organisation.__table__.c.id, actor.scope.communities)
    query = select(Organisation.id, Organisation.name).where(Organisation.kind == "community", wanted)
    return [(row.id, row.name) for row in session.execute(query.order_by(Organisation.id))]

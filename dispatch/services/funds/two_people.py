"""What one person may not do alone: above which amount, and how an entry says who asked for it and who approved."""

from dataclasses import replace

from sqlalchemy import BigInteger, func, select
from sqlalchemy.orm import Session

from dispatch.models.funds import Spending
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.draft import Draft, Maker
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.services.access import policies

ABOVE = "funds.approve_above_fen"
ORIGIN = "funds.spending"


def above_fen(session: Session, community_id: int) -> int:
    """Above how many fen a community wants a second person, as it is now."""
    return int(policies.read(session, community_id, (ABOVE,))[ABOVE])


def fen_alone(session: Session, community_id: int, kind: EntryKind, purpose: Purpose | None) -> int:
    """How many fen left by hand for a purpose within the days of adding up, approved by nobody."""
    about = (community_id, str(kind), None if purpose is None else str(purpose))
    return session.scalars(select(func.fen_alone(*about, type_=BigInteger))).one()


def approved(draft: Draft, asked: Spending, actor: Actor) -> Draft:
    """The draft of what was asked for: made by who asked, approved by the actor."""
    return replace(
        draft,
        origin=ORIGIN,
        origin_id=asked.id,
        approved_by=actor.user_id,
        maker=Maker(asked.asked_by, asked.asked_by_key),
    )

"""What one person may not do alone: above which amount, and how an entry says who asked for it and who approved."""

from dataclasses import replace

from sqlalchemy import BigInteger, func, select
from sqlalchemy.orm import Session

from dispatch.models.funds import Spending
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.booking import NEEDS_TWO
from dispatch.rules.funds.draft import Draft, Maker, fen_moved
from dispatch.services.access import policies
from dispatch.services.funds.post import lock_head

ABOVE = "funds.approve_above_fen"
ORIGIN = "funds.spending"


def above_fen(session: Session, community_id: int) -> int:
    """Above how many fen a community wants a second person, as it is now."""
    return int(policies.read(session, community_id, (ABOVE,))[ABOVE])


def is_too_much(session: Session, draft: Draft, *, actor: Actor) -> bool:
    """Whether a draft, with what nobody approved of its kind and purpose within the days of adding up, takes two.

    It is judged in line behind whatever is posted before it. The house itself asks nobody.
    """
    if actor.principal == "system" or draft.kind not in NEEDS_TWO:
        return False
    lock_head(session, draft.community_id)
    about = (draft.community_id, str(draft.kind), None if draft.purpose is None else str(draft.purpose))
    alone = session.scalars(select(func.fen_alone(*about, type_=BigInteger))).one()
    return fen_moved(draft.lines) + alone > above_fen(session, draft.community_id)


def approved(draft: Draft, asked: Spending, actor: Actor) -> Draft:
    """The draft of what was asked for: made by who asked, approved by the actor."""
    return replace(
        draft,
        origin=ORIGIN,
        origin_id=asked.id,
        approved_by=actor.user_id,
        maker=Maker(asked.asked_by, asked.asked_by_key),
    )

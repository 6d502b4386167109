"""Booking by hand: the fund says the community, and everything else has to be in it."""

from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.funds import Entry
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.booking import Booking, draft_of
from dispatch.services.funds.post import post
from dispatch.services.funds.reading import find_fund


def book(session: Session, booking: Booking, *, actor: Actor, now: datetime) -> Entry:
    """Post what somebody books; raises Invalid naming the field, and what `post` raises."""
    try:
        fund = find_fund(session, booking.fund_id, actor=actor)
    except NotFound as error:
        raise Invalid("fund_id", "没有这个基金，请重新选择") from error
    if fund.closed_at is not None:
        raise Invalid("fund_id", "这个基金已经关闭，请改选别的基金")
    return post(session, draft_of(booking, fund.community_id), actor=actor, now=now)

"""Booking by hand: the fund says the community, and everything else has to be in it."""

from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.errors import Conflict
from dispatch.models.funds import Entry
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.booking import Booking, draft_of
from dispatch.services.funds.opening import Counted, opening_of
from dispatch.services.funds.post import post
from dispatch.services.funds.reading import find_open_fund
from dispatch.services.funds.two_people import is_too_much


class NeedsApproval(Conflict):
    """这一笔（连同几天内同一用途没有审批过的）超过了一个人可以经手的金额，请先提交申请，由另一位审批"""


def book(session: Session, booking: Booking, *, actor: Actor, now: datetime) -> Entry:
    """Post what somebody books; raises Invalid naming the field, NeedsApproval, and what `post` raises."""
    fund = find_open_fund(session, booking.fund_id, actor=actor)
    draft = draft_of(booking, fund.community_id)
    if is_too_much(session, draft, actor=actor):
        raise NeedsApproval
    return post(session, draft, actor=actor, now=now)


def take_over(session: Session, counted: Counted, *, actor: Actor, now: datetime) -> Entry:
    """Open the books of a holding with all that was counted there, in one entry.

    Raises Invalid naming the field, NeedsApproval, and what `post` raises.
    """
    draft = opening_of(session, counted, actor=actor)
    if is_too_much(session, draft, actor=actor):
        raise NeedsApproval
    return post(session, draft, actor=actor, now=now)

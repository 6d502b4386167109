"""Booking by hand: the fund says the community, and everything else has to be in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid
from dispatch.models.funds import Entry
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.booking import FORM, Booking, draft_of
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import EntryKind
from dispatch.services.funds.post import post
from dispatch.services.funds.reading import find_open_fund
from dispatch.services.funds.spending import must_be_approved
from dispatch.services.funds.wishes import Wish


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted at a holding when the books were taken over: fen by fund and wish, on which day."""

    holding_id: int
    fen: Mapping[Wish, int]
    counted_on: date | None = None
    words: str = ""
    form_key: int | None = None


class NeedsApproval(Conflict):
    """这笔支出（连同几天内同一用途没有审批过的）超过了一个人可以经手的金额，请先提交支出申请，由另一位审批"""


def book(session: Session, booking: Booking, *, actor: Actor, now: datetime) -> Entry:
    """Post what somebody books; raises Invalid naming the field, NeedsApproval, and what `post` raises."""
    fund = find_open_fund(session, booking.fund_id, actor=actor)
    draft = draft_of(booking, fund.community_id)
    if must_be_approved(session, booking, actor=actor):
        raise NeedsApproval
    return post(session, draft, actor=actor, now=now)


def take_over(session: Session, counted: Counted, *, actor: Actor, now: datetime) -> Entry:
    """Open the books of a holding with all that was counted there, in one entry; raises Invalid, what `post` raises."""
    found = {wish.fund_id: find_open_fund(session, wish.fund_id, actor=actor) for wish in counted.fen}
    if not found:
        raise Invalid("counted", "请至少填写一个基金的现有金额")
    communities = {fund.community_id for fund in found.values()}
    if len(communities) > 1:
        raise Invalid("counted", "一次只能登记一个社区的开账")
    lines = [
        line
        for wish, fen in counted.fen.items()
        for line in at(Dimension(wish.fund_id, earmark_id=wish.earmark_id), counted.holding_id, fen)
    ]
    draft = Draft(
        communities.pop(),
        EntryKind.OPENING,
        tuple(lines),
        happened_on=counted.counted_on,
        words=counted.words,
        origin=None if counted.form_key is None else FORM,
        origin_id=counted.form_key,
    )
    return post(session, draft, actor=actor, now=now)

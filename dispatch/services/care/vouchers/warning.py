"""Before vouchers end: who looks after them is told once for each last day how many are not used up."""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Voucher
from dispatch.models.funds import Account, Balance
from dispatch.rules.care.vouchers import VoucherState, said
from dispatch.services import notify
from dispatch.services.access import policies

WARN_DAYS = "care.voucher_warn_days"
ENDING = "vouchers_end"


def warn_vouchers(session: Session, *, now: datetime) -> int:
    """Raise an alarm for each community and last day that comes within its days of warning; how many are new."""
    today, raised = clock.today(now), 0
    rows = session.execute(
        select(Voucher.community_id, Voucher.expires_on, func.count(), func.sum(Balance.amount))
        .join(Account, Account.earmark_id == Voucher.earmark_id)
        .join(Balance, Balance.account_id == Account.id)
        .where(
            Voucher.state == str(VoucherState.OPEN),
            Voucher.expires_on >= today,
            Account.side == "custody",
            Balance.amount > 0,
        )
        .group_by(Voucher.community_id, Voucher.expires_on)
        .order_by(Voucher.community_id, Voucher.expires_on)
    ).all()
    for community_id, day, count, fen in rows:
        if day <= today + timedelta(days=int(policies.policy(session, community_id, WARN_DAYS))):
            facts = {"count": count, "day": day.isoformat(), "amount": said(int(fen))}
            subject = subject_of(community_id, day)
            raised += notify.raise_alarm(
                session, kind=ENDING, subject=subject, level="notice", community_id=community_id, facts=facts
            )
    return raised


def clear_warning(session: Session, voucher: Voucher, *, now: datetime) -> None:
    """The last day is over: nobody need be told any more."""
    subject = subject_of(voucher.community_id, voucher.expires_on)
    notify.clear_alarms(session, kinds=(ENDING,), subject=subject, now=now)


def subject_of(community_id: int, day: date) -> str:
    """What an alarm is about."""
    return f"vouchers:{community_id}:{day.isoformat()}"

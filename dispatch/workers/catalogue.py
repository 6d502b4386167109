"""What the clock's jobs of the catalogue do: papers that end, calendars that are missing, posts nobody holds."""

from collections import Counter
from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, grid, notify
from dispatch.services.access import policies

EXPIRING = "papers_expiring"
EXPIRED = "papers_expired"
MISSING = "calendar_missing"
VACANT = "posts_vacant"


def papers_expiring(session: Session, job: Claimed) -> None:
    """Alarm and tell the firm of each paper that ends soon, and of each that has ended: once each.

    The days of warning are those of the organisation that holds the performer (firms.papers_warning_days).
    """
    now = clock.now(session)
    today = clock.today(now)
    for paper in catalogue.papers_settled(session, today):
        notify.clear_alarms(session, subject=paper.subject, kinds=(EXPIRING, EXPIRED), now=now)
    for organisation_id in catalogue.organisations_of_performers(session):
        days = int(policies.policy(session, organisation_id, "firms.papers_warning_days"))
        papers = catalogue.papers_to_tell(session, today, warning_days=days, organisation_id=organisation_id)
        for paper in papers:
            tell(session, paper, job)
        catalogue.papers_told(session, papers)
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def tell(session: Session, paper: catalogue.EndingPaper, job: Claimed) -> None:
    """Raise the alarm of one paper, and send the performer a notice."""
    now = clock.now(session)
    has_ended = paper.days_left < 0
    kind = EXPIRED if has_ended else EXPIRING
    facts = {"paper_id": paper.id, "performer_id": paper.performer_id, "until": paper.valid_until.isoformat()}
    if has_ended:
        notify.clear_alarms(session, subject=paper.subject, kinds=(EXPIRING,), now=now)
    notify.raise_alarm(
        session,
        kind=kind,
        subject=paper.subject,
        level="warning" if has_ended else "notice",
        organisation_id=paper.organisation_id,
        facts=facts,
    )
    notify.tell_performer(
        session,
        dedupe=f"{kind}:{paper.id}:{paper.valid_until}",
        template=kind,
        performer_id=paper.performer_id,
        order_id=None,
        lane=Lane(job.lane),
        facts={"until": paper.valid_until.isoformat()},
        now=now,
    )


def calendar_missing(session: Session, job: Claimed) -> None:
    """Alarm each organisation that keeps a calendar and whose next year is missing; clear what was entered."""
    now = clock.now(session)
    today = clock.today(now)
    for organisation_id in grid.roots(session):
        missing = catalogue.missing_year(session, organisation_id, today)
        for year in (today.year, today.year + 1):
            subject = f"calendar:{organisation_id}:{year}"
            if year == missing:
                notify.raise_alarm(
                    session,
                    kind=MISSING,
                    subject=subject,
                    level="warning",
                    organisation_id=organisation_id,
                    facts={"year": year},
                )
            else:
                notify.clear_alarms(session, subject=subject, kinds=(MISSING,), now=now)
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def posts_vacant(session: Session, job: Claimed) -> None:
    """Alarm each community of the posts that nobody holds, one alarm by kind of post; clear what was filled."""
    now = clock.now(session)
    for community_id in grid.communities(session):
        vacant = Counter(post.kind for post in grid.vacant_posts(session, community_id, clock.today(now)))
        for kind in grid.PostKind:
            subject = f"posts:{community_id}:{kind}"
            if vacant[kind]:
                notify.raise_alarm(
                    session,
                    kind=VACANT,
                    subject=subject,
                    level="notice",
                    community_id=community_id,
                    facts={"post": str(kind), "number": vacant[kind]},
                )
            else:
                notify.clear_alarms(session, subject=subject, kinds=(VACANT,), now=now)
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "catalogue.papers_expiring": papers_expiring,
    "catalogue.calendar_missing": calendar_missing,
    "catalogue.posts_vacant": posts_vacant,
}

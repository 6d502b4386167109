"""Telling performers and users: each once, through the right channel, with the link sealed."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.notify import Notice
from dispatch.queue import Job
from dispatch.rules.queue import Lane
from dispatch.services import notify
from tests.factories.notify import actor_of, make_performer, make_place, make_user

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TOKEN = "a-link-token-of-an-offer"


def tell(session: Session, performer_id: int, dedupe: str, lane: Lane = Lane.NOTIFY) -> None:
    notify.tell_performer(
        session,
        dedupe=dedupe,
        template="offer",
        performer_id=performer_id,
        order_id=7,
        link_token=TOKEN,
        lane=lane,
        now=NOW,
    )


def jobs(session: Session) -> list[Job]:
    return list(session.scalars(select(Job).where(Job.kind == "notify.deliver").order_by(Job.id)))


def test_telling_twice_makes_one_notice_and_one_job(session: Session) -> None:
    performer = make_performer(session, make_place(session).district_id)
    tell(session, performer.id, "offer:1")
    tell(session, performer.id, "offer:1")
    notice = session.scalars(select(Notice).where(Notice.dedupe == "offer:1")).one()
    assert (notice.state, notice.channel) == ("waiting", "webhook")
    assert [(job.reference, job.lane) for job in jobs(session)] == [(notice.id, Lane.NOTIFY)]


def test_a_pressing_notice_travels_in_the_emergency_lane(session: Session) -> None:
    performer = make_performer(session, make_place(session).district_id)
    tell(session, performer.id, "offer:2", Lane.EMERGENCY)
    assert [job.lane for job in jobs(session)] == [Lane.EMERGENCY]


def test_the_link_is_sealed_and_opens_only_in_its_own_notice(session: Session) -> None:
    performer = make_performer(session, make_place(session).district_id)
    tell(session, performer.id, "offer:3")
    notice = session.scalars(select(Notice).where(Notice.dedupe == "offer:3")).one()
    assert notice.secret is not None
    assert TOKEN.encode() not in notice.secret
    assert notify.link_token(notice) == TOKEN


def test_a_performer_of_the_app_is_told_in_the_house_and_no_job_is_made(session: Session) -> None:
    performer = make_performer(session, make_place(session).district_id, channel="app")
    tell(session, performer.id, "offer:4")
    notice = session.scalars(select(Notice).where(Notice.dedupe == "offer:4")).one()
    assert (notice.state, notice.delivered_at) == ("delivered", NOW)
    assert jobs(session) == []


def test_many_notices_of_two_lanes_are_told_in_one_go(session: Session) -> None:
    place = make_place(session)
    performers = [make_performer(session, place.district_id) for _ in range(3)]
    lanes = (Lane.EMERGENCY, Lane.NOTIFY, Lane.NOTIFY)
    notify.tell_performers(
        session,
        [
            notify.PerformerNotice(f"many:{one.id}", "offer", one.id, 7, lane)
            for one, lane in zip(performers, lanes, strict=True)
        ],
        now=NOW,
    )
    told = select(func.count(Notice.id)).where(Notice.dedupe.like("many:%"))
    assert session.execute(told).scalar_one() == 3
    assert sorted(job.lane for job in jobs(session)) == [Lane.EMERGENCY, Lane.NOTIFY, Lane.NOTIFY]


def test_an_unknown_performer_cannot_be_told(session: Session) -> None:
    with pytest.raises(NotFound):
        tell(session, 999_999, "offer:5")


def test_a_user_reads_a_notice_once_and_sees_no_other_users_notices(session: Session) -> None:
    place = make_place(session)
    user, other = make_user(session, place.community_id), make_user(session, place.community_id)
    for _ in range(2):
        notify.tell_user(session, dedupe=f"user:{user.id}", template="escalation", user_id=user.id, order_id=7, now=NOW)
    reader = actor_of(user, place.scope)
    (notice,) = notify.inbox_of(session, actor=reader)
    assert notify.unread_count(session, actor=reader) == 1
    assert notify.inbox_of(session, actor=actor_of(other, place.scope)) == []
    with pytest.raises(NotFound):
        notify.mark_read(session, notice.id, actor=actor_of(other, place.scope), now=NOW)
    notify.mark_read(session, notice.id, actor=reader, now=NOW)
    notify.mark_read(session, notice.id, actor=reader, now=datetime(2026, 11, 24, tzinfo=UTC))
    assert notice.read_at == NOW
    assert notify.inbox_of(session, actor=reader, unread=True) == []
    assert notify.unread_count(session, actor=reader) == 0

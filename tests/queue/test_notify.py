"""Delivering notices with real commits: what a crash, a failure or a late offer does to a message."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from dispatch.errors import Unavailable
from dispatch.gateways.messages import Message, Messages, Remembered, Trouble, Uncertain
from dispatch.models.notify import Alarm, Effect, Notice
from dispatch.models.orders import Offer, Order
from dispatch.queue import Claimed
from dispatch.rules.access.roles import Role
from dispatch.rules.queue import MOST_ATTEMPTS, Lane
from dispatch.services import notify, orders
from dispatch.services.access import vault
from dispatch.services.orders import told
from dispatch.workers import notify as worker
from tests.conftest import Database
from tests.factories.world import make_world, staff

PERSONAL = ("张三", "17400000001", "501甲", "1幢", "厨房")


@dataclass(slots=True)
class Scene:
    """A committed order that is offered to one firm, its waiting notice, and receivers in memory."""

    database: Database
    receivers: Remembered
    number: str
    notice_id: int

    def job(self, attempts: int = 1, lane: Lane = Lane.NOTIFY) -> Claimed:
        """The delivery's job in its n-th try."""
        moment = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
        return Claimed(1, "notify.deliver", self.notice_id, {}, int(lane), moment, attempts, 1)

    def notice(self) -> Notice:
        """The notice as it stands."""
        with self.database.session() as session:
            return session.get_one(Notice, self.notice_id)

    def effect(self) -> Effect:
        """The one effect of the notice."""
        with self.database.session() as session:
            return session.scalars(select(Effect).where(Effect.notice_id == self.notice_id)).one()

    def alarms(self) -> list[Alarm]:
        """The alarms about notices that were not delivered."""
        with self.database.session() as session:
            return list(session.scalars(select(Alarm).where(Alarm.kind == "notice_not_delivered")))

    def fails(self, *troubles: Trouble) -> None:
        """Let the first sendings meet these troubles, each one later fare well."""
        self.receivers.plan = lambda _message, sending: (
            troubles[sending - 1] if sending <= len(troubles) else Trouble.NONE
        )


def make_scene(database: Database, channel: str, *, confidential: bool = False) -> Scene:
    """An order placed and routed to its one firm, which is told by `channel`."""
    with database.session() as session:
        world = make_world(session, firms=1)
        firm = world.firms[0]
        firm.channel = channel
        firm.webhook_secret = vault.seal(f"performers.webhook_secret.{firm.uid}", "shared")
        firm.email = vault.seal(f"performers.email.{firm.uid}", "f001@firms.example")
        draft = orders.OrderDraft(
            description="厨房下水道堵了",
            service_code="drain_clearing",
            stairwell_id=world.stairwells[0].id,
            room="501甲",
            caller_phone="17400000001",
            caller_name="张三",
            confidential=confidential,
        )
        now = datetime.now(UTC)
        order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)
        orders.route(session, order.id, now=now)
        notice_id = session.scalars(select(Notice.id)).one()
        session.commit()
        return Scene(database, Remembered(), order.number, notice_id)


def running(made: Scene) -> Iterator[Scene]:
    """Receivers in memory while the test runs."""
    before = Messages.way
    Messages.way = made.receivers
    yield made
    Messages.way = before


@pytest.fixture(params=["webhook", "email"])
def scene(committed: Database, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The scene on each channel that leaves the house."""
    yield from running(make_scene(committed, request.param))


@pytest.fixture
def by_webhook(committed: Database) -> Iterator[Scene]:
    """The scene by webhook."""
    yield from running(make_scene(committed, "webhook"))


@pytest.fixture
def by_mail(committed: Database) -> Iterator[Scene]:
    """The scene by e-mail."""
    yield from running(make_scene(committed, "email"))


def test_a_delivered_notice_is_marked_and_its_link_forgotten(scene: Scene) -> None:
    assert scene.notice().secret is not None
    worker.deliver(scene.job())
    notice, effect = scene.notice(), scene.effect()
    assert (notice.state, notice.secret) == ("delivered", None)
    assert notice.delivered_at is not None
    assert (effect.state, effect.attempts, effect.receiver_reference) == ("sent", 1, "200")


def test_a_job_that_is_run_twice_sends_once(scene: Scene) -> None:
    worker.deliver(scene.job())
    worker.deliver(scene.job(2))
    assert len(scene.receivers.arrivals) == 1


def test_the_message_tells_number_kind_and_area_and_nothing_personal(scene: Scene) -> None:
    worker.deliver(scene.job())
    (message,) = scene.receivers.arrivals
    text = message.text + message.subject + message.body.decode()
    assert scene.number in message.text
    assert scene.number in message.subject
    assert all(word in text for word in ("管道疏通", "一片区", "/w/"))
    assert not any(word in text for word in PERSONAL)


def test_a_confidential_order_keeps_kind_and_area_out_of_the_message(committed: Database) -> None:
    for scene in running(make_scene(committed, "email", confidential=True)):
        worker.deliver(scene.job())
        (message,) = scene.receivers.arrivals
        assert scene.number in message.text
        assert not any(word in message.text + message.subject for word in ("管道", "片区", *PERSONAL))


def crash_between_send_and_mark(scene: Scene, attempts: int) -> None:
    """Claim and send, then die before the mark."""
    outgoing = worker.prepare(scene.job(attempts))
    assert outgoing is not None
    scene.receivers.send(worker.message_of(outgoing))


def test_after_a_crash_a_webhook_goes_again_with_the_same_bytes_and_is_known_there(by_webhook: Scene) -> None:
    crash_between_send_and_mark(by_webhook, 1)
    crash_between_send_and_mark(by_webhook, 2)
    worker.deliver(by_webhook.job(3))
    assert len(by_webhook.receivers.accepted) == 1
    assert len({message.body for message in by_webhook.receivers.arrivals}) == 1
    assert by_webhook.effect().receiver_reference == "409"


def test_a_repeat_has_the_same_bytes_even_when_the_order_has_changed_meanwhile(scene: Scene) -> None:
    crash_between_send_and_mark(scene, 1)
    with scene.database.session() as session:
        session.execute(update(Order).values(urgency="booked"))
        session.commit()
    worker.deliver(scene.job(2))
    first, second = scene.receivers.arrivals
    assert (first.body, first.text, first.subject) == (second.body, second.text, second.subject)


def test_after_a_crash_an_e_mail_goes_once_more_and_never_a_third_time(by_mail: Scene) -> None:
    crash_between_send_and_mark(by_mail, 1)
    crash_between_send_and_mark(by_mail, 2)
    worker.deliver(by_mail.job(3))
    assert len(by_mail.receivers.arrivals) == 2
    assert (by_mail.notice().state, by_mail.effect().state) == ("failed", "unknown")
    assert [alarm.facts["why"] for alarm in by_mail.alarms()] == ["unknown"]


def test_after_one_crash_an_e_mail_is_sent_again_and_counted(by_mail: Scene) -> None:
    crash_between_send_and_mark(by_mail, 1)
    worker.deliver(by_mail.job(2))
    assert (by_mail.effect().state, by_mail.effect().attempts) == ("sent", 2)


def test_a_try_that_certainly_did_not_arrive_does_not_count_as_a_sending(by_mail: Scene) -> None:
    by_mail.fails(Trouble.BEFORE, Trouble.BEFORE, Trouble.BEFORE)
    for attempts in (1, 2, 3):
        with pytest.raises(Unavailable):
            worker.deliver(by_mail.job(attempts))
        assert (by_mail.effect().state, by_mail.effect().attempts) == ("failed", 0)
    worker.deliver(by_mail.job(4))
    assert (by_mail.effect().state, by_mail.effect().attempts) == ("sent", 1)
    assert by_mail.alarms() == []


def test_an_e_mail_that_twice_left_an_uncertain_end_is_not_sent_again(by_mail: Scene) -> None:
    by_mail.fails(Trouble.AFTER, Trouble.AFTER)
    for attempts in (1, 2):
        with pytest.raises(Uncertain):
            worker.deliver(by_mail.job(attempts))
    worker.deliver(by_mail.job(3))
    assert len(by_mail.receivers.arrivals) == 2
    assert by_mail.effect().state == "unknown"


def test_a_webhook_with_uncertain_ends_is_sent_again_until_it_is_confirmed(by_webhook: Scene) -> None:
    by_webhook.fails(Trouble.AFTER, Trouble.AFTER, Trouble.AFTER)
    for attempts in (1, 2, 3):
        with pytest.raises(Uncertain):
            worker.deliver(by_webhook.job(attempts))
    worker.deliver(by_webhook.job(4))
    assert len(by_webhook.receivers.accepted) == 1
    assert (by_webhook.effect().state, by_webhook.effect().attempts) == ("sent", 4)


def test_a_refusal_is_final_and_alarms_the_desk_while_the_round_stays_open(scene: Scene) -> None:
    scene.fails(Trouble.REFUSED)
    worker.deliver(scene.job())
    assert (scene.notice().state, scene.notice().secret, scene.effect().state) == ("failed", None, "failed")
    (alarm,) = scene.alarms()
    assert (alarm.level, alarm.facts["why"], alarm.order_id) == ("warning", "refused", scene.notice().order_id)
    with scene.database.session() as session:
        assert session.scalars(select(Offer.closed_at)).one() is None


def test_the_last_failure_alarms_the_desk_and_ends_the_job(scene: Scene) -> None:
    scene.fails(*[Trouble.BEFORE] * MOST_ATTEMPTS)
    for attempts in range(1, MOST_ATTEMPTS):
        with pytest.raises(Unavailable):
            worker.deliver(scene.job(attempts))
    assert scene.alarms() == []
    worker.deliver(scene.job(MOST_ATTEMPTS, Lane.EMERGENCY))
    (alarm,) = scene.alarms()
    assert (alarm.facts["why"], alarm.level) == ("unreachable", "emergency")
    assert scene.notice().state == "failed"


def test_an_offer_that_has_closed_is_not_sent_any_more(scene: Scene) -> None:
    with scene.database.session() as session:
        session.execute(update(Offer).values(closed_at=datetime.now(UTC), outcome="withdrawn"))
        session.commit()
    worker.deliver(scene.job())
    assert scene.receivers.arrivals == []
    assert (scene.notice().state, scene.notice().secret) == ("superseded", None)
    assert scene.alarms() == []


def test_an_offer_whose_hold_time_is_over_is_not_sent_any_more(scene: Scene) -> None:
    with scene.database.session() as session:
        session.execute(update(Offer).values(hold_until=datetime.now(UTC)))
        session.commit()
    worker.deliver(scene.job())
    assert scene.receivers.arrivals == []
    assert scene.notice().state == "superseded"


def test_a_reminder_about_an_order_that_another_performs_is_not_sent(by_webhook: Scene) -> None:
    with by_webhook.database.session() as session:
        offered = session.get_one(Notice, by_webhook.notice_id)
        assert offered.performer_id is not None
        assert offered.order_id is not None
        notify.tell_performer(
            session,
            dedupe="escalation:1",
            template="escalation",
            performer_id=offered.performer_id,
            order_id=offered.order_id,
            lane=Lane.NOTIFY,
            now=datetime.now(UTC),
        )
        by_webhook.notice_id = session.scalars(select(Notice.id).where(Notice.template == "escalation")).one()
        session.commit()
    worker.deliver(by_webhook.job())
    assert by_webhook.receivers.arrivals == []
    assert by_webhook.notice().state == "superseded"


def test_a_notice_about_no_order_is_sent_as_well(by_mail: Scene) -> None:
    with by_mail.database.session() as session:
        performer_id = session.scalars(select(Notice.performer_id)).one()
        assert performer_id is not None
        notify.tell_performer(
            session,
            dedupe="papers_expiring:1",
            template="papers_expiring",
            performer_id=performer_id,
            order_id=None,
            lane=Lane.PERIODIC,
            facts={"until": "2026-12-31"},
            now=datetime.now(UTC),
        )
        by_mail.notice_id = session.scalars(select(Notice.id).where(Notice.order_id.is_(None))).one()
        session.commit()
    worker.deliver(by_mail.job())
    assert ["2026-12-31" in message.text for message in by_mail.receivers.arrivals] == [True]


def test_an_inbox_says_the_same_of_an_order_as_a_message_even_when_the_offer_is_over(scene: Scene) -> None:
    with scene.database.session() as session:
        session.execute(update(Offer).values(closed_at=datetime.now(UTC), outcome="withdrawn"))
        text = told.inbox_text(session, session.get_one(Notice, scene.notice_id))
    assert all(word in text for word in (scene.number, "管道疏通", "一片区"))
    assert not any(word in text for word in PERSONAL)


def test_no_transaction_is_open_while_a_message_is_sent(scene: Scene) -> None:
    seen: list[int] = []

    def look(_message: Message, _sending: int) -> Trouble:
        seen.append(scene.database.engine.pool.checkedout())  # type: ignore[attr-defined]
        return Trouble.NONE

    plan: Callable[[Message, int], Trouble] = look
    scene.receivers.plan = plan
    worker.deliver(scene.job())
    assert seen == [0]

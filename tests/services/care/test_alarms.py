"""Alarm devices: what they report becomes an order, joins one, is noted or told to the desk; once, and never lost."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import AlarmContact, AlarmDevice, AlarmEvent, AlarmRefusal, AlarmState
from dispatch.models.notify import Alarm, Notice
from dispatch.models.orders import Order, OrderEvent
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.care.signals import Meaning
from dispatch.services import orders
from dispatch.services.care import alarms
from dispatch.services.care.alarms import Heed, Reason
from tests.factories.alarms import PRESS, Watched, device_of, report, watched
from tests.factories.visits import resident
from tests.factories.world import make_world, staff
from tests.statements import statements

KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture
def home(session: Session) -> Watched:
    return watched(session, make_world(session))


def orders_of(session: Session, home: Watched) -> list[Order]:
    """The orders that the device has led to."""
    events = select(AlarmEvent.order_id).where(AlarmEvent.device_id == home.device.id)
    return list(session.scalars(select(Order).where(Order.id.in_(events)).order_by(Order.id)))


def open_kinds(session: Session, device: AlarmDevice) -> set[str]:
    """The open alarms about a device."""
    query = select(Alarm.kind).where(Alarm.subject == f"device:{device.id}", Alarm.cleared_at.is_(None))
    return set(session.scalars(query))


def test_a_press_is_an_emergency_order_at_the_elder_s_home(session: Session, home: Watched) -> None:
    assert report(session, home.device) is Heed.KEPT
    (order,) = orders_of(session, home)
    assert (order.urgency, order.confidential, order.origin) == ("emergency", True, "care.alarm")
    assert (order.caller_resident_id, order.stairwell_id) == (home.elder.id, home.world.stairwells[0].id)
    orders.route(session, order.id, now=clock.now(session))
    assert order.state == "offered"
    assert [one.performer_id for _, one, _ in orders.offers_of(session, order)] == [home.helper.id]


def test_a_repeated_frame_is_answered_and_doubles_nothing(session: Session, home: Watched) -> None:
    assert [report(session, home.device) for _ in range(3)] == [Heed.KEPT, Heed.AGAIN, Heed.AGAIN]
    assert len(orders_of(session, home)) == 1
    assert session.execute(select(func.count()).select_from(AlarmEvent)).scalar_one() == 1


def test_a_second_press_while_somebody_is_out_joins_and_urges_and_later_is_an_order_of_its_own(
    session: Session, home: Watched
) -> None:
    report(session, home.device, sequence=1)
    assert report(session, home.device, sequence=2) is Heed.KEPT
    (order,) = orders_of(session, home)
    assert order.urged == 1
    orders.void(session, order, reason="误按", actor=SYSTEM, now=clock.now(session))
    report(session, home.device, sequence=3)
    assert len(orders_of(session, home)) == 2


def test_a_fall_and_a_press_are_two_matters_and_the_other_keys_are_ordinary_orders(
    session: Session, home: Watched
) -> None:
    home.device.model = "three_keys"
    for sequence, event in enumerate((PRESS, "1103 00 001", "1101 00 002", "1101 00 003"), start=1):
        report(session, home.device, event, sequence)
    assert [order.urgency for order in orders_of(session, home)] == ["emergency", "emergency", "same_day", "same_day"]


def test_battery_and_mains_change_the_state_and_a_cancelled_alarm_changes_nothing(
    session: Session, home: Watched
) -> None:
    state = session.get_one(AlarmState, home.device.id)
    report(session, home.device, "1302 00 000", 1)
    report(session, home.device, "1301 00 000", 2)
    assert None not in {state.battery_low_since, state.mains_lost_since}
    report(session, home.device, "3301 00 000", 3)
    assert (state.battery_low_since is None, state.mains_lost_since) == (False, None)
    report(session, home.device, PRESS, 4)
    report(session, home.device, "1406 00 001", 5)
    (order,) = orders_of(session, home)
    assert order.state == "awaiting_dispatch"


def test_what_nobody_can_act_on_is_kept_and_told_to_the_desk(session: Session, home: Watched) -> None:
    assert report(session, home.device, "1999 00 001") is Heed.KEPT
    bare = device_of(session, home.world, None)
    assert report(session, bare) is Heed.KEPT
    assert open_kinds(session, home.device) == {"device_code_unknown"}
    assert open_kinds(session, bare) == {"device_uninstalled"}
    session.execute(text("UPDATE services SET is_active = false WHERE code = 'alarm'"))
    orphan = device_of(session, home.world, resident(session, home.world))
    assert report(session, orphan) is Heed.KEPT
    assert open_kinds(session, orphan) == {"device_unplaced"}
    levels = select(Alarm.level).where(Alarm.kind == "device_unplaced")
    assert session.scalars(levels).all() == ["emergency"]
    assert session.execute(select(func.count()).select_from(AlarmEvent)).scalar_one() == 3


def test_an_installation_test_proves_the_device_and_sends_nobody(session: Session, home: Watched) -> None:
    alarms.begin_test(session, home.device.id, actor=SYSTEM, now=clock.now(session))
    assert report(session, home.device) is Heed.KEPT
    assert orders_of(session, home) == []
    assert (home.device.state, home.device.testing_until) == ("tested", None)
    assert session.scalars(select(AlarmEvent.is_test)).all() == [True]


def test_refused_frames_are_counted_by_day_and_alarmed_as_what_they_say(session: Session, home: Watched) -> None:
    now = clock.now(session)
    for meaning in (None, None, Meaning.EMERGENCY):
        alarms.refuse(session, "BEEF", Reason.UNKNOWN, meaning=meaning, now=now)
    (row,) = session.scalars(select(AlarmRefusal)).all()
    assert (row.number, row.meaning, row.organisation_id) == (3, "emergency", home.world.district.id)
    levels = session.scalars(select(Alarm.level).where(Alarm.kind == "device_refused").order_by(Alarm.id)).all()
    assert list(levels) == ["warning", "emergency"]
    device_of(session, home.world, None, account="BEEF")
    assert session.scalars(select(Alarm).where(Alarm.kind == "device_refused", Alarm.cleared_at.is_(None))).all() == []


def test_children_are_written_to_by_consent_when_it_rings_and_when_it_is_over(session: Session, home: Watched) -> None:
    now = clock.now(session)
    told = alarms.ContactDraft(
        "child", "陈小明", "13800005678", "ming@example.org", told_alarm=True, told_end=True, has_consented=True
    )
    silent = alarms.ContactDraft("neighbour", "王阿姨", "13800005679")
    for draft in (told, silent):
        alarms.add_contact(session, home.device.id, draft, actor=SYSTEM, now=now)
    report(session, home.device)
    (order,) = orders_of(session, home)
    letters = select(Notice.template).where(Notice.template.like("alarm%")).order_by(Notice.id)
    assert session.scalars(letters).all() == ["alarm_raised"]
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    order.state = "finished"
    for _ in range(2):
        assert alarms.order_changed(session, order.id, order.version, now=now)
    assert session.scalars(letters).all() == ["alarm_raised", "alarm_ended"]
    facts = session.scalars(select(Notice.facts).where(Notice.template.like("alarm%"))).all()
    assert all(home.elder.name not in str(one) for one in facts)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "friend"}, "kind"),
        ({"name": " "}, "name"),
        ({"phone": "1"}, "phone"),
        ({"email": "x"}, "email"),
        ({"told_end": True, "email": "a@b.example"}, "has_consented"),
        ({"told_alarm": True, "has_consented": True}, "email"),
        ({"told_visit": True, "has_consented": True}, "email"),
    ],
)
def test_a_contact_that_cannot_be_is_refused_by_its_field(
    session: Session, home: Watched, changes: dict[str, object], field: str
) -> None:
    values: dict[str, object] = {"kind": "child", "name": "陈小明", "phone": "13800005678"}
    draft = alarms.ContactDraft(**(values | changes))  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        alarms.add_contact(session, home.device.id, draft, actor=SYSTEM, now=clock.now(session))
    assert refused.value.field == field


def test_the_chain_is_called_in_turn_and_stands_in_the_order_s_history(session: Session, home: Watched) -> None:
    now, desk = clock.now(session), staff(session, home.world, Role.OPERATOR)
    for kind, name in (("home", "陈婆婆"), ("child", "陈小明"), ("neighbour", "王阿姨")):
        draft = alarms.ContactDraft(kind, name, "13800005678")
        alarms.add_contact(session, home.device.id, draft, actor=desk, now=now)
    report(session, home.device)
    (order,) = orders_of(session, home)
    names = []
    for outcome in ("no_answer", "goes", "confirmed"):
        following = alarms.alarm_of(session, order.number, actor=desk, now=now).following
        assert following is not None
        names.append(following.name)
        contact_id = following.contact.id if following.contact else None
        alarms.record_call(
            session, order.number, kind=following.kind, outcome=outcome, contact_id=contact_id, actor=desk, now=now
        )
    alarms.record_call(session, order.number, kind="rescue_120", outcome="answered", actor=desk, now=now)
    shown = alarms.alarm_of(session, order.number, actor=desk, now=now)
    assert (names, shown.following, shown.confirmed) == (["陈婆婆", "陈小明", "王阿姨"], None, True)
    remarks = session.scalars(
        select(OrderEvent.facts).where(OrderEvent.action == "remark").order_by(OrderEvent.version)
    )
    assert [one["outcome"] for one in remarks] == ["no_answer", "goes", "confirmed", "answered"]
    with pytest.raises(NotFound):
        alarms.alarm_of(session, "HQ-nothing", actor=desk, now=now)


def test_contacts_move_up_when_one_is_taken_off(session: Session, home: Watched) -> None:
    now = clock.now(session)
    made = [
        alarms.add_contact(
            session, home.device.id, alarms.ContactDraft("child", name, "13800005678"), actor=SYSTEM, now=now
        )
        for name in "甲乙丙"
    ]
    for _ in range(2):
        alarms.end_contact(session, made[0].id, actor=SYSTEM, now=now)
    ranks = select(AlarmContact.name, AlarmContact.rank).where(AlarmContact.ended_at.is_(None)).order_by("rank")
    assert [tuple(row) for row in session.execute(ranks)] == [("乙", 1), ("丙", 2)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": ""}, "number"),
        ({"account": "12"}, "account"),
        ({"account": "XYZ1"}, "account"),
        ({"model": "no such"}, "model"),
        ({"poll_seconds": 1}, "poll_seconds"),
        ({"key": "abc"}, "key"),
    ],
)
def test_a_device_that_cannot_be_is_refused_by_its_field(
    session: Session, home: Watched, changes: dict[str, object], field: str
) -> None:
    draft = alarms.DeviceDraft(**({"number": "N1", "account": "1234"} | changes))  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        alarms.register_device(session, home.world.community.id, draft, actor=SYSTEM, now=clock.now(session))
    assert refused.value.field == field


def test_account_number_and_elder_have_one_device_in_use_and_a_recovered_one_is_over(
    session: Session, home: Watched
) -> None:
    now, account = clock.now(session), home.device.account
    for number, taken, field in (("other", account, "account"), (home.device.number, "1234", "number")):
        draft = alarms.DeviceDraft(number, taken)
        with pytest.raises(Invalid) as refused:
            alarms.register_device(session, home.world.community.id, draft, actor=SYSTEM, now=now)
        assert refused.value.field == field
    spare = device_of(session, home.world, None, key=KEY)
    assert alarms.key_of(spare) == bytes.fromhex(KEY)
    with pytest.raises(Invalid) as refused:
        alarms.install_device(session, spare.id, resident_id=home.elder.id, consent_by="self", actor=SYSTEM, now=now)
    assert refused.value.field == "resident_id"
    order = alarms.ask_recovery(session, home.elder.id, now=now)
    assert order is not None
    assert alarms.ask_recovery(session, home.elder.id, now=now) is None
    assert alarms.watch(session, now=now + timedelta(days=30)) == 0
    alarms.recover_device(session, home.device.id, actor=SYSTEM, now=now)
    assert alarms.lock_devices(session, [account]) == {}
    assert device_of(session, home.world, home.elder, account=account).state == "installed"


def test_another_device_takes_the_place_with_consent_and_contacts_and_is_tested_anew(
    session: Session, home: Watched
) -> None:
    now = clock.now(session)
    child = alarms.ContactDraft("child", "陈小明", "13800005678", "ming@example.org", told_end=True, has_consented=True)
    consented = alarms.add_contact(session, home.device.id, child, actor=SYSTEM, now=now - timedelta(days=9))
    spare = device_of(session, home.world, None)
    with pytest.raises(Invalid) as refused:
        alarms.swap_device(session, home.device.id, by=home.device.id, actor=SYSTEM, now=now)
    assert refused.value.field == "by"
    made = alarms.swap_device(session, home.device.id, by=spare.id, actor=SYSTEM, now=now)
    assert (home.device.state, made.state, made.resident_id) == ("recovered", "installed", home.elder.id)
    (shown,) = [one for one in alarms.chain_of(session, made, now=now) if one.contact is not None]
    assert (shown.name, shown.phone) == ("陈小明", "+8613800005678")
    assert shown.contact is not None
    assert shown.contact.consented_at == consented.consented_at
    assert [one.device.id for one in alarms.list_devices(session, actor=SYSTEM)] == [made.id]


def test_what_came_in_is_never_changed_by_anybody(session: Session, home: Watched) -> None:
    report(session, home.device)
    for sql in ("UPDATE alarm_events SET code = '1100'", "DELETE FROM alarm_events", "DELETE FROM alarm_calls"):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(sql))


def test_a_silent_device_is_told_of_once_put_to_sleep_with_somebody_sent_and_wakes_by_a_word(
    session: Session, home: Watched
) -> None:
    now, state = clock.now(session), session.get_one(AlarmState, home.device.id)
    alarms.note_heard(session, [alarms.Standing(home.device, state)], now=now, real=now)
    assert [alarms.watch(session, now=now + timedelta(seconds=one)) for one in (200, 211, 300)] == [0, 1, 0]
    assert open_kinds(session, home.device) == {"device_silent"}
    week = now + timedelta(days=8)
    session.refresh(state)
    for _ in range(2):
        alarms.review(session, now=week)
    assert (home.device.state, checks(session, home)) == ("dormant", 1)
    standing = alarms.lock_devices(session, [home.device.account])[home.device.account]
    alarms.note_heard(session, [standing], now=week, real=week)
    assert (home.device.state, "device_silent" in open_kinds(session, home.device)) == ("installed", False)


def checks(session: Session, home: Watched) -> int:
    """How often somebody was sent to look at the device."""
    query = select(func.count()).where(Order.origin == "care.device", Order.origin_id == home.device.id)
    return session.execute(query).scalar_one()


def test_for_mains_and_battery_somebody_is_sent_once_a_need(session: Session, home: Watched) -> None:
    now = clock.now(session)
    report(session, home.device, "1301 00 000", 1)
    assert (alarms.watch(session, now=now), checks(session, home)) == (0, 0)
    later = now + timedelta(hours=4, minutes=1)
    session.execute(text("UPDATE alarm_states SET heard_at = :later"), {"later": later})
    for _ in range(2):
        alarms.watch(session, now=later)
    assert checks(session, home) == 1
    report(session, home.device, "1302 00 000", 2)
    session.execute(text("UPDATE alarm_states SET battery_low_since = :later"), {"later": later + timedelta(hours=1)})
    session.execute(text("UPDATE alarm_states SET heard_at = :later"), {"later": later + timedelta(hours=2)})
    for _ in range(2):
        alarms.watch(session, now=later + timedelta(hours=2))
    assert checks(session, home) == 2


def test_the_quarter_s_test_is_asked_for_once_and_over_when_it_was_made(session: Session, home: Watched) -> None:
    late = datetime(2027, 3, 20, 4, tzinfo=UTC)
    session.execute(text("UPDATE alarm_states SET heard_at = :late"), {"late": late})
    for _ in range(2):
        assert alarms.review(session, now=late) == 1
    assert open_kinds(session, home.device) == {"device_test_due"}
    alarms.begin_test(session, home.device.id, actor=SYSTEM, now=clock.now(session))
    report(session, home.device)
    assert open_kinds(session, home.device) == set()


def test_watching_asks_as_often_for_many_devices_as_for_one(session: Session, home: Watched) -> None:
    sent, later = [], clock.now(session) + timedelta(days=1)
    assert alarms.watch(session, now=later) == 1
    for number in (1, 6):
        for _ in range(number):
            device_of(session, home.world, resident(session, home.world))
        with statements(session) as asked:
            assert alarms.watch(session, now=later) == number
        sent.append(len(asked))
    assert sent[0] == sent[1]


def test_who_lives_elsewhere_sees_no_device(session: Session, home: Watched) -> None:
    stranger = staff(session, make_world(session), Role.OPERATOR)
    desk = staff(session, home.world, Role.OPERATOR)
    assert [one.device.id for one in alarms.list_devices(session, actor=desk)] == [home.device.id]
    assert list(alarms.list_devices(session, actor=stranger)) == []
    with pytest.raises(NotFound):
        alarms.find_device(session, home.device.id, actor=stranger)
    assert Counter(one.resident for one in alarms.list_devices(session, actor=desk)) == {"陈婆婆": 1}
    assert timedelta(0) < alarms.begin_test(
        session, home.device.id, actor=desk, now=clock.now(session)
    ).testing_until - clock.now(session)  # type: ignore[operator]

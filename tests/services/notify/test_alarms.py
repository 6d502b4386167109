"""Alarms: one open per kind and subject, seen by whoever has it in reach, cleared with its cause."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.rules.access.roles import Scope
from dispatch.services import notify
from tests.factories.notify import Place, actor_of, make_place, make_user

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def raised(session: Session, place: Place, subject: str, level: str = "warning", kind: str = "order_waits") -> bool:
    return notify.raise_alarm(
        session,
        kind=kind,
        subject=subject,
        level=level,
        organisation_id=place.district_id,
        community_id=place.community_id,
        order_id=int(subject.removeprefix("order:")),
    )


def test_the_same_alarm_is_open_once_and_can_be_raised_anew_when_it_was_cleared(session: Session) -> None:
    place = make_place(session)
    assert raised(session, place, "order:1")
    assert not raised(session, place, "order:1")
    notify.clear_alarms(session, order_id=1, kinds=("order_waits",), now=NOW)
    assert raised(session, place, "order:1")


def test_only_the_named_kinds_are_cleared_and_none_means_all(session: Session) -> None:
    place = make_place(session)
    actor = actor_of(make_user(session, place.district_id), place.scope)
    raised(session, place, "order:2")
    raised(session, place, "order:2", kind="order_late")
    notify.clear_alarms(session, order_id=2, kinds=("order_waits",), now=NOW)
    assert [alarm.kind for alarm in notify.open_alarms(session, actor=actor)] == ["order_late"]
    notify.clear_alarms(session, subject="order:2", kinds=None, now=NOW)
    assert notify.open_alarms(session, actor=actor) == []


def test_an_alarm_is_cleared_by_order_or_by_subject_not_by_nothing(session: Session) -> None:
    with pytest.raises(ValueError, match="by order or by subject"):
        notify.clear_alarms(session, kinds=None, now=NOW)


def test_the_most_pressing_alarm_stands_first(session: Session) -> None:
    place = make_place(session)
    actor = actor_of(make_user(session, place.district_id), place.scope)
    for number, level in enumerate(("notice", "emergency", "warning"), start=10):
        raised(session, place, f"order:{number}", level)
    levels = [alarm.level for alarm in notify.open_alarms(session, actor=actor)]
    assert levels == ["emergency", "warning", "notice"]


def test_an_alarm_is_seen_once_by_whoever_has_it_in_reach_and_by_nobody_else(session: Session) -> None:
    place = make_place(session)
    user = make_user(session, place.district_id)
    actor = actor_of(user, place.scope)
    stranger = actor_of(make_user(session, place.district_id), Scope())
    colleague = actor_of(make_user(session, place.district_id), place.scope)
    raised(session, place, "order:20")
    (alarm,) = notify.open_alarms(session, actor=actor)
    assert notify.open_alarms(session, actor=stranger) == []
    with pytest.raises(NotFound):
        notify.see_alarm(session, alarm.id, actor=stranger, now=NOW)
    notify.see_alarm(session, alarm.id, actor=actor, now=NOW)
    notify.see_alarm(session, alarm.id, actor=colleague, now=datetime(2026, 11, 24, tzinfo=UTC))
    assert (alarm.seen_at, alarm.seen_by) == (NOW, user.id)

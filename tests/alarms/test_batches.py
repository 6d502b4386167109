"""A batch of frames in one transaction: as many statements for many as for few, nobody waits for another's trouble."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.gateways import dc09
from dispatch.models.care import AlarmDevice, AlarmEvent
from dispatch.models.orders import Order
from dispatch.services.care import alarms
from dispatch.transaction import Doors
from dispatch.workers.alarm import Limits, Receiver, Refusals, Waiting, judge
from dispatch.workers.alarm.judging import Verdict
from dispatch.workers.alarm.server import Place, started
from tests.alarms.accounts import check
from tests.alarms.storm import make_town
from tests.alarms.wire import PRESS, Caller
from tests.conftest import Database
from tests.statements import statements

FEW, MANY = 2, 32
MOST = 17
"""Statements of a batch, from the beginning of its transaction to its end."""

REMEMBERED = re.compile(r"FROM (policies|services|calendar_days|calendar_years)\b")
"""What is asked anew when five seconds are over, whenever that is."""


def presses(accounts: list[str], sequence: int = 1) -> list[Waiting]:
    """A press of each device, as it waits for its answer."""
    return [Waiting(dc09.read(Caller(0, account).frame(PRESS, sequence)[1:-1])) for account in accounts]


def results(answers: Sequence[Verdict | None]) -> list[str | None]:
    """What became of each."""
    return [None if one is None else one.result for one in answers]


def test_a_storm_asks_as_often_as_one_alarm(committed: Database) -> None:
    with committed.session() as session:
        accounts = make_town(session, FEW + MANY)
        session.commit()
    assert Doors.engine is not None
    sent, up_since, refusals = [], started(), Refusals(30.0)
    for group in (accounts[:FEW], accounts[FEW:]):
        with statements(Doors.engine) as asked:
            answers = judge(presses(group), up_since, refusals)
        assert results(answers) == ["accepted"] * len(group)
        sent.append(sum(1 for one in asked if REMEMBERED.search(one) is None))
    assert sent[0] == sent[1] <= MOST
    check(committed, accounts)


def test_a_device_that_somebody_holds_keeps_no_other_waiting_and_is_heard_afterwards(committed: Database) -> None:
    with committed.session() as session:
        accounts = make_town(session, MANY)
        session.commit()
    frames, up_since, refusals = presses([*accounts, "F00D"]), started(), Refusals(30.0)
    with committed.session() as holder:
        alarms.lock_devices(holder, accounts[:1])
        answers = judge(frames, up_since, refusals)
    assert results(answers) == [None, *["accepted"] * (MANY - 1), "refused"]
    assert results(judge(frames[:1], up_since, refusals)) == ["accepted"]
    check(committed, accounts)


async def answered_while_held(frames: list[Waiting], holder: Session) -> list[bytes | None]:
    """The answers to a batch: those of all but the first come while the holder holds, that of the first afterwards."""
    receiver = Receiver(Limits(), started())
    loop = asyncio.get_running_loop()
    places = [Place(is_poll=False, number=n, waiting=one, answer=loop.create_future()) for n, one in enumerate(frames)]
    with receiver.pool:
        work = asyncio.create_task(receiver.serve(places))
        await asyncio.gather(*(one.answer for one in places[1:]))
        assert not places[0].answer.done()
        holder.rollback()
        await work
    return [one.answer.result() for one in places]


def test_an_order_that_somebody_holds_keeps_only_its_own_alarm_waiting(committed: Database) -> None:
    with committed.session() as session:
        accounts = make_town(session, 4)
        session.commit()
    judge(presses(accounts[:1]), started(), Refusals(30.0))
    with committed.session() as holder:
        holder.scalars(select(Order).with_for_update()).all()
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(asyncio.run, answered_while_held(presses(accounts, 2), holder)).result()
    assert None not in answers
    with committed.session() as session:
        events = select(AlarmDevice.account, func.count()).join(AlarmEvent, AlarmEvent.device_id == AlarmDevice.id)
        kept = Counter({row[0]: row[1] for row in session.execute(events.group_by(AlarmDevice.account))})
        urged = session.scalars(select(Order.urged).order_by(Order.id)).all()
    assert kept == Counter([accounts[0], *accounts])
    assert list(urged) == [1, 0, 0, 0]

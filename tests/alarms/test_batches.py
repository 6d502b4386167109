"""A batch of frames in one transaction: as many statements for many as for one."""

from collections.abc import Sequence

from dispatch.gateways import dc09
from dispatch.services.care import alarms
from dispatch.transaction import Doors
from dispatch.workers.alarm import Refusals, Waiting, judge
from dispatch.workers.alarm.judging import Verdict
from dispatch.workers.alarm.server import started
from tests.alarms.accounts import check
from tests.alarms.storm import make_town
from tests.alarms.wire import PRESS, Caller
from tests.conftest import Database
from tests.statements import statements

FEW, MANY = 1, 32
MOST = 16
"""Statements of a batch, from the beginning of its transaction to its end."""


def presses(accounts: list[str]) -> list[Waiting]:
    """A press of each device, as it waits for its answer."""
    return [Waiting(dc09.read(Caller(0, account).frame(PRESS, 1)[1:-1])) for account in accounts]


def results(answers: Sequence[Verdict | None]) -> list[str | None]:
    """What became of each."""
    return [None if one is None else one.result for one in answers]


def test_a_storm_asks_as_often_as_one_alarm(committed: Database) -> None:
    with committed.session() as session:
        accounts = make_town(session, FEW + FEW + MANY)
        session.commit()
    assert Doors.engine is not None
    sent, up_since, refusals = [], started(), Refusals(30.0)
    for group in (accounts[:FEW], accounts[FEW : FEW + FEW], accounts[FEW + FEW :]):
        with statements(Doors.engine) as asked:
            answers = judge(presses(group), up_since, refusals)
        assert results(answers) == ["accepted"] * len(group)
        sent.append(len(asked))
    assert sent[1] == sent[2] <= MOST
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

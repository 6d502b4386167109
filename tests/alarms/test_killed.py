"""The receiver's own process is killed in the middle of a storm: none is lost, none doubled, each alarm is an order."""

from pathlib import Path

from dispatch.web.system import RECEIVERS, ReceiversCollector
from tests.alarms.accounts import check
from tests.alarms.storm import Storm, make_town, receiving, run
from tests.conftest import Database

DEVICES, ALARMS, KILLS = 60, 24, 2


def test_alarms_survive_the_death_of_their_receiver(committed: Database, tmp_path: Path) -> None:
    with committed.session() as session:
        accounts = make_town(session, DEVICES)
        session.commit()
    with receiving(committed, tmp_path / "alarm.log") as process:
        storm = Storm(process)
        run(storm.blow(accounts, accounts[:ALARMS], kills=KILLS))
        run(storm.alarm(accounts[ALARMS]))
        told = ReceiversCollector(tmp_path / RECEIVERS).collect()
    assert (storm.polls, len(storm.seconds), storm.kills) == (DEVICES, ALARMS + 1, KILLS)
    check(committed, accounts[: ALARMS + 1])
    accepted = [one for family in told for one in family.samples if one.labels.get("result") == "accepted"]
    assert sum(one.value for one in accepted) >= 1

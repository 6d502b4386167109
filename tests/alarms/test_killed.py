"""The receiver's own process is killed in the middle of a storm: none is lost, none doubled, each alarm is an order."""

import asyncio
from pathlib import Path

from tests.alarms.accounts import check
from tests.alarms.storm import Storm, make_town, receiving
from tests.conftest import Database

DEVICES, ALARMS, KILLS = 60, 24, 2


def test_alarms_survive_the_death_of_their_receiver(committed: Database, tmp_path: Path) -> None:
    with committed.session() as session:
        accounts = make_town(session, DEVICES)
        session.commit()
    with receiving(committed, tmp_path / "alarm.log") as process:
        storm = Storm(process)
        asyncio.run(storm.blow(accounts, accounts[:ALARMS], kills=KILLS))
    assert (storm.polls, len(storm.seconds), storm.kills) == (DEVICES, ALARMS, KILLS)
    check(committed, accounts[:ALARMS])

"""A town of devices polls and two hundred press within a second, while the receiver is killed again and again.

Short by default; DISPATCH_TEST_LONG=1 is a thousand devices and two hundred alarms.
"""

from pathlib import Path

from tests.alarms.accounts import check
from tests.alarms.storm import Storm, make_town, receiving, run
from tests.conftest import Database
from tests.faults.sizes import LONG

DEVICES, ALARMS, KILLS = (1_000, 200, 5) if LONG else (200, 60, 3)


def test_a_storm_of_alarms_is_kept_whole(committed: Database, tmp_path: Path) -> None:
    with committed.session() as session:
        accounts = make_town(session, DEVICES)
        session.commit()
    with receiving(committed, tmp_path / "alarm.log") as process:
        calm = Storm(process)
        run(calm.blow(accounts, accounts[:1], kills=0))
        storm = Storm(process)
        run(storm.blow(accounts, accounts[1 : ALARMS + 1], kills=KILLS))
    print(calm.figures(), storm.figures(), sep="\n")  # noqa: T201 - the figures, shown with -rP
    assert (storm.polls, len(storm.seconds), storm.kills) == (DEVICES, ALARMS, KILLS)
    check(committed, accounts[: ALARMS + 1])

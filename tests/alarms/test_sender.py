"""Somebody else's dialler (from PyPI) works against the receiver: plain and under keys, TCP and UDP, both formats."""

from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.models.care import AlarmDevice, AlarmEvent
from tests.alarms.conftest import KEYS, Station

dialling: Any = import_module("my_dc09_spt.dc09_spt")
messages: Any = import_module("my_dc09_spt.msg.dc09_msg")
paths: Any = import_module("my_dc09_spt.comm.transpath")


def told(station: Station, account: str) -> list[tuple[int, str, str, str]]:
    """Number, code, zone and meaning of what a device has reported."""
    query = (
        select(AlarmEvent.sequence, AlarmEvent.code, AlarmEvent.zone, AlarmEvent.meaning)
        .join(AlarmDevice, AlarmDevice.id == AlarmEvent.device_id)
        .where(AlarmDevice.account == account)
        .order_by(AlarmEvent.id)
    )
    with station.database.session() as session:
        return [tuple(row) for row in session.execute(query)]


@pytest.mark.parametrize("way", ["tcp", "udp"])
@pytest.mark.parametrize("size", [None, 16, 32])
@pytest.mark.filterwarnings("ignore::DeprecationWarning:my_dc09_spt")
def test_a_dialler_that_is_not_ours_has_its_events_acknowledged(station: Station, way: str, size: int | None) -> None:
    account = "3001" if size is None else station.sealed[size]
    key = None if size is None else KEYS[size]
    dialler = dialling.dc09_spt(account, receiver=1, line=2)
    dialler.set_path("main", "primary", "127.0.0.1", station.port, account=account, key=key, type=way)
    dialler.send_msg("ADM-CID", {"code": 101, "q": 1, "zone": 1})
    dialler.send_msg("SIA-DCS", {"code": "YT", "zone": "3"})
    assert dialler.notSent() == 0
    assert told(station, account) == [(1, "1101", "001", "emergency"), (2, "YT", "3", "battery_low")]


@pytest.mark.parametrize("size", [None, 16, 32])
@pytest.mark.filterwarnings("ignore::DeprecationWarning:my_dc09_spt")
def test_its_poll_is_acknowledged_in_words_that_it_understands(station: Station, size: int | None) -> None:
    account = "3001" if size is None else station.sealed[size]
    key = None if size is None else KEYS[size]
    builder = messages.dc09_msg(account, key, None, None)
    path = paths.TransPath("127.0.0.1", station.port, account, key=key, type="tcp").connect()
    answer = path.sendAndReceive(builder.dc09poll().encode()).decode()
    path.disconnect()
    word, away = builder.dc09answer(0, answer)
    assert word == "ACK"
    assert (away is None) == (size is None)

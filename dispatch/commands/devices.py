"""The alarm devices as `dispatch doctor` sees them: the receiver, who was heard, who is silent, what was refused."""

import socket
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.engine import Connection

from config.settings import Settings
from dispatch.commands.findings import Finding

RECEIVER_SECONDS = 2.0

STANDING = text(
    "SELECT count(*), count(*) FILTER (WHERE silent_since IS NOT NULL), "
    "extract(epoch FROM clock_timestamp() - max(spoke_at)) FROM alarm_states "
    "JOIN alarm_devices ON alarm_devices.id = device_id WHERE state IN ('installed', 'tested', 'dormant')"
)
REFUSED = text(
    "SELECT reason, sum(number) FROM alarm_refusals WHERE day = (dispatch_now() AT TIME ZONE 'Asia/Shanghai')::date "
    "GROUP BY reason ORDER BY reason"
)


def examine(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Look at them; nothing but a word where none stands in a home."""
    number, silent, waited = connection.execute(STANDING).one()
    if not number:
        yield Finding(well=True, sentence="alarm devices: none stands in a home")
        return
    yield receiver(settings)
    heard = "none was ever heard" if waited is None else f"the last word came {float(waited):.0f} s ago"
    yield Finding(well=True, sentence=f"alarm devices: {number} in homes, {silent} silent, {heard}", noted=bool(silent))
    yield from refused(connection)


def receiver(settings: Settings) -> Finding:
    """Whether somebody listens for devices under the address of the settings."""
    host, port = settings.alarm_host, settings.alarm_port
    try:
        socket.create_connection((host, port), timeout=RECEIVER_SECONDS).close()
    except OSError as error:
        sentence = f"alarm devices: nobody listens on {host}:{port} ({type(error).__name__}): no alarm is heard here"
        return Finding(well=False, sentence=sentence)
    return Finding(well=True, sentence=f"alarm devices: the receiver listens on {host}:{port}")


def refused(connection: Connection) -> Iterator[Finding]:
    """What was refused today; `clock` are devices whose clock is too far from ours."""
    for reason, number in connection.execute(REFUSED):
        yield Finding(well=True, sentence=f"alarm devices: {number} frames refused today ({reason})", noted=True)

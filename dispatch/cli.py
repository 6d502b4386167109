"""The `dispatch` command: one table of sub-commands, and the one place that loads a module by its name.

Nearly every sub-command needs a part of the house that is slow to load (Flask, Celery, SQLAlchemy), and
`dispatch up` must need none of them. So the table names modules, and only the chosen one is imported.
Each is a door: `describe(parser)` adds its options, `run(arguments)` does it and returns the exit code.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from config.settings import BadSetting

EXIT_USAGE = 2


class Door(Protocol):
    """What a module in dispatch/commands offers."""

    def describe(self, parser: argparse.ArgumentParser) -> None:
        """Add the sub-command's own options and its longer help."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; returns the exit code."""


@dataclass(frozen=True, slots=True)
class Command:
    """One sub-command: its line in the overview and the module behind it."""

    summary: str
    module: str


COMMANDS = {
    "up": Command("start everything as children of one process, and keep it alive", "dispatch.commands.up"),
    "web": Command("serve the pages and the API (gunicorn)", "dispatch.commands.web"),
    "worker": Command("do jobs when Celery's hints arrive", "dispatch.commands.worker"),
    "sweep": Command("do every job that is due, with or without the broker", "dispatch.commands.sweep"),
    "beat": Command("send the tick that opens periods (Celery beat)", "dispatch.commands.beat"),
    "alarm": Command("receive alarm devices (SIA DC-09 over TCP and UDP)", "dispatch.commands.alarm"),
    "init": Command("bring the database to the newest structure", "dispatch.commands.init"),
    "demo": Command("load the demo community, or play a day in it", "dispatch.commands.demo"),
    "inbox": Command("receive the demo firms' webhooks and mail", "dispatch.commands.inbox"),
    "user": Command("make a user, set a password, give a role", "dispatch.commands.user"),
    "keys": Command("count what is sealed under which key, and seal it anew", "dispatch.commands.keys"),
    "doctor": Command("look whether everything that is needed is there and well", "dispatch.commands.doctor"),
    "recount": Command("have every order counted anew for the reports", "dispatch.commands.recount"),
    "verify": Command("check the promise's invariants on the live database", "dispatch.commands.verify"),
}


def overview() -> argparse.ArgumentParser:
    """The parser of the first word, which knows every sub-command by its summary."""
    lines = [f"  {name:<8}{command.summary}" for name, command in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="dispatch",
        description="后庆派单 · Houqing Dispatch: a call becomes a finished order.",
        epilog="\n".join(["commands:", *lines, "", "`dispatch <command> --help` tells more."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=True,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="command", help="one of those below")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit code (2: wrong use or a setting that cannot be used)."""
    given = list(sys.argv[1:] if words is None else words)
    name = overview().parse_args(given[:1]).command
    door = cast("Door", importlib.import_module(COMMANDS[name].module))
    parser = argparse.ArgumentParser(prog=f"dispatch {name}", description=COMMANDS[name].summary)
    door.describe(parser)
    arguments = parser.parse_args(given[1:])
    try:
        return door.run(arguments)
    except BadSetting as error:
        print(f"dispatch: {error}", file=sys.stderr)
        return EXIT_USAGE


if __name__ == "__main__":
    sys.exit(main())

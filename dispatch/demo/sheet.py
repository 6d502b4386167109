"""The sheet of a demo installation (HOME/demo.json): where it is, who can log in, with which keys."""

from pathlib import Path
from typing import Any

from config.settings import Settings
from dispatch.demo.community import Community
from dispatch.demo.credentials import DemoSecrets
from dispatch.demo.loading.accounts import SCOPES
from dispatch.demo.staff import StaffMember
from dispatch.rules.access.tokens import spoken
from dispatch.supervisor.home import read_json, write_json
from dispatch.supervisor.inbox import FOLDER as INBOX
from dispatch.supervisor.inbox import PORTS, choose_ports

FILE = "demo.json"
CARDS_SHOWN = 5


def write_sheet(settings: Settings, community: Community) -> Path:
    """Write the sheet in one step, readable by its owner only; returns where."""
    path = settings.home / FILE
    write_json(path, sheet(settings, community))
    return path


def sheet(settings: Settings, community: Community) -> dict[str, Any]:
    """The content: the same for every load of an installation."""
    secrets = DemoSecrets(settings.secret)
    return {
        "base_url": settings.base_url,
        "accounts": [account(one, secrets) for one in community.staff],
        "api_keys": {name: secrets.api_key(name) for name in SCOPES},
        "voucher_cards": [spoken(secrets.voucher_token(number)) for number in range(CARDS_SHOWN)],
        "love_cards": [secrets.card_token(number) for number in range(CARDS_SHOWN)],
        "inbox": str(settings.home / INBOX),
        "logs": str(settings.home / "logs"),
        "seed": community.seed,
        "today": community.today.isoformat(),
    }


def account(one: StaffMember, secrets: DemoSecrets) -> dict[str, str]:
    """One account with its password; nobody of the demo is asked for a second factor before enrolling one."""
    return {
        "role": str(one.role),
        "login": one.login,
        "password": secrets.password(one.login),
        "name": one.name,
    }


def inbox_url(home: Path) -> str:
    """Where firms' webhooks lead: the demo inbox that runs beside."""
    ports = read_json(home / INBOX / PORTS) or choose_ports(home)[0]
    return f"http://127.0.0.1:{ports['http']}"

"""`dispatch init`: migrations, and the starting values that a release has added, as the owner role."""

import argparse

from config import seed
from config.settings import BadSetting, get_settings
from dispatch import clock
from dispatch.commands.migrating import migrate
from dispatch.db import make_engine
from dispatch.rules.access.roles import EVERYTHING
from dispatch.services.access import policies
from dispatch.transaction import Doors, transaction


def describe(parser: argparse.ArgumentParser) -> None:
    """No options: the address is a setting."""
    parser.epilog = "Settings: DISPATCH_OWNER_DATABASE_URL (the embedded server's owner role by default)."


def run(_arguments: argparse.Namespace) -> int:
    """Bring the database to the newest structure; raises BadSetting when its owner is not named."""
    if not get_settings().owner_database_url:
        reason = "DISPATCH_OWNER_DATABASE_URL is missing: migrations need the owner of the database"
        raise BadSetting(reason)
    migrate()
    added = complete_policies()
    if added:
        print(f"新增设置 {added} 项 · {added} starting values added")
    return 0


def complete_policies() -> int:
    """Add the policies that this release knows and the installation does not; returns how many."""
    Doors.open(make_engine(get_settings().owner_database_url))
    with transaction(EVERYTHING) as session:
        values = {policy.key: policy.value for policy in seed.policies()}
        return policies.complete(session, values, clock.now(session))

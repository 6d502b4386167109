"""`dispatch init`: migrations, as the owner role."""

import argparse

from config.settings import BadSetting, get_settings
from dispatch import boot


def describe(parser: argparse.ArgumentParser) -> None:
    """No options: the address is a setting."""
    parser.epilog = "Settings: DISPATCH_OWNER_DATABASE_URL (the embedded server's owner role by default)."


def run(_arguments: argparse.Namespace) -> int:
    """Bring the database to the newest structure; raises BadSetting when its owner is not named."""
    if not get_settings().owner_database_url:
        reason = "DISPATCH_OWNER_DATABASE_URL is missing: migrations need the owner of the database"
        raise BadSetting(reason)
    boot.migrate()
    return 0

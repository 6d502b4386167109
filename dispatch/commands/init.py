"""`dispatch init`: migrations, as the owner role."""

import argparse

from dispatch import boot


def describe(parser: argparse.ArgumentParser) -> None:
    """No options: the address is a setting."""
    parser.epilog = "Settings: DISPATCH_OWNER_DATABASE_URL (the embedded server's owner role by default)."


def run(_arguments: argparse.Namespace) -> int:
    """Bring the database to the newest structure."""
    boot.migrate()
    return 0

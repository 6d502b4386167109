"""`dispatch recount`: forget every count and have all orders counted anew by the jobs."""

import argparse
import sys

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from dispatch import boot, clock
from dispatch.rules.access.roles import EVERYTHING
from dispatch.services import reports
from dispatch.transaction import transaction

EXIT_UNKNOWN = 2
TAKE_TIME = text("SELECT set_config('statement_timeout', '0', true)")


def describe(parser: argparse.ArgumentParser) -> None:
    """What it is for."""
    parser.epilog = (
        "For figures that `dispatch verify` finds wrong, and after a change of figures.repeat_days. Reports show "
        "nothing at first and fill up while the jobs count, some hundred orders at a time; orders are not touched."
    )


def run(_arguments: argparse.Namespace) -> int:
    """Forget and ask for the count."""
    boot.boot(pool_size=1)
    try:
        with transaction(EVERYTHING) as session:
            session.execute(TAKE_TIME)
            waiting = reports.count_anew(session, now=clock.now(session))
    except SQLAlchemyError as error:
        print(f"dispatch recount: the database cannot be asked ({type(error).__name__})", file=sys.stderr)
        return EXIT_UNKNOWN
    print(f"{waiting} 张订单等待重新统计 · orders wait to be counted")
    return 0

"""What every process needs first: settings checked, logging, the engine."""

import ctypes
import signal
import sys

import structlog
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from config.logging import configure_logging
from config.settings import get_settings
from dispatch.clock import ClockSetting
from dispatch.db import make_engine
from dispatch.errors import DispatchError
from dispatch.services.access import audit, vault
from dispatch.transaction import Doors

log = structlog.get_logger()
PR_SET_PDEATHSIG = 1


class RefusesToStart(DispatchError):
    """配置不安全,拒绝启动:%(reasons)s"""


def boot(*, pool_size: int = 8) -> Engine:
    """Read the settings, set up logging, open the engine; refuse what is unsafe outside the demo."""
    settings = get_settings()
    configure_logging()
    engine = make_engine(settings.database_url, pool_size=pool_size)
    if not settings.demo:
        reasons = settings.problems() + database_problems(engine)
        if reasons:
            raise RefusesToStart(reasons="; ".join(reasons))
    Doors.open(engine)
    return engine


def database_problems(engine: Engine) -> list[str]:
    """Reasons in the database to refuse to start outside the demo: a superuser, a shifted clock, another digest."""
    with engine.connect() as connection:
        is_superuser = connection.execute(text("SELECT usesuper FROM pg_user WHERE usename = current_user")).scalar()
        shifted = connection.execute(ClockSetting.__table__.select()).first()
        digest = audit.digest_of_chain(Session(connection))
    problems = []
    if is_superuser:
        problems.append("the application is connected as a database superuser")
    if shifted is not None:
        problems.append("the clock of this database is shifted, which only a demo may do")
    if digest not in {None, vault.chosen_digest()}:
        problems.append(f"DISPATCH_DIGEST: this database was begun with {digest}, and nobody would be found by phone")
    return problems


def reopen() -> None:
    """After a fork: drop the parent's connections without closing them, so that the child makes its own."""
    if Doors.engine is not None:
        Doors.engine.dispose(close=False)


def die_with_parent() -> None:
    """In a forked child: the kernel kills it when its parent ends, however it ends (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

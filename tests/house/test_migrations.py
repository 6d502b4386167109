"""The migrations: one head, repeatable, and they make what the models say."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.commands.migrating import alembic_config
from dispatch.rules.orders.states import legal_edges
from tests.conftest import Servers

ROOT = Path(__file__).parent.parent.parent


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


def test_the_settings_file_and_the_code_name_the_same_migrations() -> None:
    from_file = ScriptDirectory.from_config(Config(str(ROOT / "alembic.ini")))
    assert Path(from_file.dir).resolve() == Path(ScriptDirectory.from_config(alembic_config()).dir).resolve()


def test_migrating_again_changes_nothing_and_nothing_is_missing(servers: Servers) -> None:
    assert servers.postgres.is_ready()
    command.upgrade(alembic_config(), "head")
    command.check(alembic_config())


def test_the_database_knows_the_life_cycle_of_the_rules(session: Session) -> None:
    stored = {tuple(row) for row in session.execute(text("SELECT from_state, action, to_state FROM legal_edges"))}
    assert stored == {(str(origin), str(action), str(to)) for origin, action, to in legal_edges() if origin is not None}

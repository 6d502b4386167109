"""The migrations of this installation: only who migrates or looks loads what they need."""

from pathlib import Path

from alembic import command
from alembic.config import Config

ROOT = Path(__file__).resolve().parents[2]


def alembic_config() -> Config:
    """The migrations of this installation."""
    config = Config(str(ROOT / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def migrate() -> None:
    """Bring the database to the newest migration, as its owner; safe to repeat and to run at once."""
    command.upgrade(alembic_config(), "head")

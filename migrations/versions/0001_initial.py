"""The first tables of the house."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"


def run_file(name: str) -> None:
    """Run a file of statements as it stands: the driver is asked directly, so that % is no parameter."""
    driver = op.get_bind().connection.driver_connection
    driver.execute((SQL / name).read_text(encoding="utf-8"))


def upgrade() -> None:
    """Make the clock, the tables, the life cycle's edges, the grants and the fences."""
    for name in ("before_tables.sql", "tables.sql", "after_tables.sql"):
        run_file(name)


def downgrade() -> None:
    """The first migration has nothing to go back to: restore a backup instead."""
    message = "the first migration cannot be undone; restore a backup"
    raise RuntimeError(message)

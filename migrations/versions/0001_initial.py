"""The first tables of the house."""

from pathlib import Path

from alembic import op

from dispatch.models import metadata
from dispatch.rules.orders.states import legal_edges

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
    connection = op.get_bind()
    run_file("before_tables.sql")
    metadata.create_all(connection)
    op.bulk_insert(
        metadata.tables["legal_edges"],
        [
            {"from_state": origin, "action": action, "to_state": target}
            for origin, action, target in sorted(edge for edge in legal_edges() if edge[0] is not None)
        ],
    )
    run_file("after_tables.sql")


def downgrade() -> None:
    """Not offered: the first migration has nothing to go back to."""
    raise NotImplementedError

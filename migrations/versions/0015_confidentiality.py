"""An order is made confidential later in its life, and lifted again: the new edges."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

EDGES = Path(__file__).parent.parent / "sql" / "edges_of_confidentiality.sql"


def upgrade() -> None:
    """Add the edges."""
    op.get_bind().connection.driver_connection.execute(EDGES.read_text(encoding="utf-8"))


def downgrade() -> None:
    """A history that holds these steps cannot be told without them: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)

"""What is void, merged or answered in the call is never due: its sheet does not change when a limit passes."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Have the orders counted again whose sheets still wait for a limit."""
    op.execute(
        "INSERT INTO order_changes (order_id) SELECT order_id FROM order_counts "
        "WHERE fate <> 'kept' AND 'not_due' IN (signing, arrival, closing, answering) ORDER BY order_id"
    )


def downgrade() -> None:
    """The totals would hold counts of another rule: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)

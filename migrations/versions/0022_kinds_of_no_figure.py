"""A confidential order stands in every figure, under no kind and no building."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let sheets and totals be of no kind, and have every confidential order counted again."""
    op.alter_column("order_counts", "service_id", nullable=True)
    op.execute("ALTER TABLE figure_totals DROP CONSTRAINT ck_figure_totals_has_kind")
    op.execute(
        "INSERT INTO order_changes (order_id) SELECT order_id FROM order_counts "
        "JOIN orders ON orders.id = order_counts.order_id WHERE orders.confidential ORDER BY order_id"
    )


def downgrade() -> None:
    """The totals would hold counts of another rule: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)

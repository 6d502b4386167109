"""The list of orders is read along an index, newest first, however many communities are in reach."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_orders_newest", "orders", ["created_at", "id"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("ix_orders_newest", "orders")

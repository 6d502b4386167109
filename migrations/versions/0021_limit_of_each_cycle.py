"""An order that is opened again has a service limit of its own: from when it runs."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; an order that was opened again before keeps the limit of its first cycle."""
    op.add_column("orders", sa.Column("service_since", sa.DateTime(timezone=True)))
    op.execute(
        "ALTER TABLE orders ADD CONSTRAINT ck_orders_service_since "
        "CHECK (service_since >= created_at AND service_since <= service_due_at)"
    )


def downgrade() -> None:
    """Limits would count from another instant than they were told: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)

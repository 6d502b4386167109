"""An order can be held, extended, urged, merged, split and answered finally: its columns and the new edges."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

EDGES = Path(__file__).parent.parent / "sql" / "edges_of_requests.sql"
COUNTERS = ("urged", "repeat_calls", "extensions")
ORIGINS = ("merged_into_id", "split_from_id")


def upgrade() -> None:
    """Add the columns, their keys and checks, and the edges."""
    for name in ("held_since", "held_until"):
        op.add_column("orders", sa.Column(name, sa.DateTime(timezone=True)))
    for name in COUNTERS:
        op.add_column("orders", sa.Column(name, sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("orders", sa.Column("final_answer", sa.Boolean(), server_default=sa.false(), nullable=False))
    for name in ORIGINS:
        op.add_column("orders", sa.Column(name, sa.BigInteger()))
        op.create_foreign_key(
            f"fk_orders_community_id_{name}", "orders", "orders", ["community_id", name], ["community_id", "id"]
        )
    hold = "num_nonnulls(held_since, held_until) IN (0, 2) AND held_since < held_until"
    op.create_check_constraint("hold", "orders", hold)
    op.create_check_constraint("merged", "orders", "(state = 'merged') = (merged_into_id IS NOT NULL)")
    op.create_check_constraint("not_of_itself", "orders", "id NOT IN (merged_into_id, split_from_id)")
    op.create_index(
        "ix_orders_merged_into", "orders", ["merged_into_id"], postgresql_where=sa.text("merged_into_id IS NOT NULL")
    )
    op.get_bind().connection.driver_connection.execute(EDGES.read_text(encoding="utf-8"))


def downgrade() -> None:
    """An order that was held or merged cannot be told without these: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)

"""Kinds may have escalation levels of their own; whom a level was told to, how, and who dealt with it."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "escalation_recipients.sql"
LEVELS = (
    "escalation_levels IS NULL OR CASE jsonb_typeof(escalation_levels) WHEN 'array' "
    "THEN jsonb_array_length(escalation_levels) BETWEEN 1 AND 10 ELSE false END"
)


def moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    """A column with an instant."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def reference(name: str, table: str, *, nullable: bool = True) -> sa.Column[object]:
    """A column that names a row of another table."""
    return sa.Column(name, sa.BigInteger(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def upgrade() -> None:
    """Add the column, the table and its fence."""
    op.add_column("services", sa.Column("escalation_levels", JSONB()))
    op.create_check_constraint("escalation_levels", "services", LEVELS)
    op.create_table(
        "escalation_recipients",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        reference("community_id", "organisations"),
        reference("escalation_id", "escalations", nullable=False),
        reference("user_id", "users"),
        reference("performer_id", "performers"),
        sa.Column("state", sa.String(), nullable=False),
        moment("reached_at", nullable=False),
        moment("told_at"),
        moment("handled_at"),
        sa.UniqueConstraint("escalation_id", "user_id"),
        sa.UniqueConstraint("escalation_id", "performer_id"),
        sa.CheckConstraint("num_nonnulls(user_id, performer_id) = 1", name="receiver"),
        sa.CheckConstraint("state IN ('told', 'waiting', 'digested', 'spared')", name="state"),
        sa.CheckConstraint("(told_at IS NULL) = (state IN ('waiting', 'spared'))", name="told"),
    )
    for name in ("user_id", "performer_id"):
        op.create_index(
            f"ix_escalation_recipients_{name}",
            "escalation_recipients",
            [name, "reached_at"],
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Remove them."""
    op.drop_table("escalation_recipients")
    op.drop_constraint("ck_services_escalation_levels", "services")
    op.drop_column("services", "escalation_levels")

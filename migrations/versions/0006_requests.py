"""Requests with their decisions, helpers' tasks, supervision; what must be over before an order may end."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql" / "requests.sql"
NOW = sa.text("dispatch_now()")


def moment(name: str, *, nullable: bool = True, default: sa.TextClause | None = None) -> sa.Column[object]:
    """A column with an instant."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def person(name: str, table: str = "users") -> sa.Column[object]:
    """A column that names a user or key."""
    return sa.Column(name, sa.BigInteger(), sa.ForeignKey(f"{table}.id"))


def upgrade() -> None:
    """Add tables, columns, triggers and fences."""
    for name, kind in (("task", sa.String()), ("answer", sa.String())):
        op.add_column("assignments", sa.Column(name, kind))
    op.add_column("assignments", sa.Column("must_finish", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_check_constraint("helper", "assignments", "NOT must_finish OR (role = 'assist' AND task IS NOT NULL)")
    make_requests()
    index_requests()
    make_supervisions()
    op.get_bind().connection.driver_connection.execute(SQL.read_text(encoding="utf-8"))


def make_requests() -> None:
    """The table order_requests."""
    op.create_table(
        "order_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("cycle", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(), server_default="pending", nullable=False),
        person("asked_by"),
        person("asked_by_key", "api_keys"),
        moment("asked_at", nullable=False, default=NOW),
        sa.Column("grounds", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), server_default="", nullable=False),
        sa.Column("wish", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        moment("decide_due_at", nullable=False),
        person("decided_by"),
        person("decided_by_key", "api_keys"),
        moment("decided_at"),
        sa.Column("decision", sa.String()),
        sa.ForeignKeyConstraint(["community_id", "order_id"], ["orders.community_id", "orders.id"]),
        sa.UniqueConstraint("order_id", "kind", "number"),
        sa.CheckConstraint("kind IN ('return', 'extension', 'hold', 'help', 'reroute', 'final_answer')", name="kind"),
        sa.CheckConstraint("state IN ('pending', 'granted', 'refused', 'withdrawn')", name="state"),
        sa.CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name="decided"),
        sa.CheckConstraint("num_nonnulls(asked_by, asked_by_key) = 1", name="asker"),
        sa.CheckConstraint(
            "state NOT IN ('granted', 'refused') OR (num_nonnulls(decided_by, decided_by_key) = 1 "
            "AND decided_by IS DISTINCT FROM asked_by OR decided_by IS NULL AND decided_by_key <> asked_by_key)",
            name="second_person",
        ),
    )


def index_requests() -> None:
    """What waits: one of a kind for an order, and the list of what is to be decided."""
    pending = sa.text("state = 'pending'")
    op.create_index(
        "ix_order_requests_pending", "order_requests", ["order_id", "kind"], unique=True, postgresql_where=pending
    )
    op.create_index(
        "ix_order_requests_to_decide",
        "order_requests",
        ["community_id", "decide_due_at", "id"],
        postgresql_where=pending,
    )


def make_supervisions() -> None:
    """The table supervisions."""
    op.create_table(
        "supervisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("organisations.id")),
        sa.Column("order_id", sa.BigInteger(), sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        person("asked_by"),
        moment("asked_at", nullable=False, default=NOW),
        sa.Column("reason", sa.String(), nullable=False),
        moment("due_at", nullable=False),
        person("ended_by"),
        moment("ended_at"),
        sa.Column("finding", sa.String()),
        sa.UniqueConstraint("order_id", "number"),
        sa.CheckConstraint("num_nulls(ended_at, finding) IN (0, 2)", name="ended"),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index("ix_supervisions_open", "supervisions", ["order_id"], unique=True, postgresql_where=is_open)
    op.create_index("ix_supervisions_due", "supervisions", ["due_at"], postgresql_where=is_open)


def downgrade() -> None:
    """What was asked and decided is history: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)

"""Who does work may be somebody of the register, and whoever dies is asked no more; leaders of the grid are known."""

from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say which resident a person is who does work, within the community."""
    op.execute("ALTER TABLE performers ADD COLUMN resident_id BIGINT")
    op.create_foreign_key(
        op.f("fk_performers_community_id_resident_id"),
        "performers",
        "residents",
        ["community_id", "resident_id"],
        ["community_id", "id"],
    )
    op.create_check_constraint(op.f("ck_performers_resident"), "performers", "resident_id IS NULL OR kind <> 'firm'")
    op.execute("CREATE INDEX ix_performers_resident_id ON performers (resident_id) WHERE resident_id IS NOT NULL")
    op.execute(
        "UPDATE performers SET resident_id = posts.resident_id FROM posts WHERE performers.code = 'LD' || posts.id "
        "AND performers.kind = 'helper' AND performers.community_id = posts.community_id "
        "AND posts.resident_id IS NOT NULL"
    )


def downgrade() -> None:
    """Who is who was entered by people: restore a backup instead."""
    message = "this migration cannot be undone; restore a backup"
    raise RuntimeError(message)

"""Alembic's door: migrations run as the owner role, on the address that the settings name."""

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from config.settings import get_settings
from dispatch.models import metadata


def run_online() -> None:
    """Bring the database up in one transaction; a second process that migrates at once waits its turn."""
    url = context.get_x_argument(as_dictionary=True).get("url") or get_settings().owner_database_url
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_type=True,
            transaction_per_migration=False,
        )
        with context.begin_transaction():
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('dispatch.migrations'))")
            context.run_migrations()
    engine.dispose()


run_online()

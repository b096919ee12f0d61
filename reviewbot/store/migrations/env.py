"""Run by Alembic: upgrades over the connection, and in the transaction, that `migrate` opened."""

from alembic import context

from reviewbot.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()

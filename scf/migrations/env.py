"""Alembic's environment: one connection, given by ``scf.db.migrate``."""

from alembic import context
from sqlalchemy import text

from scf.schema import metadata

connection = context.config.attributes["connection"]
is_sqlite = connection.dialect.name == "sqlite"
if is_sqlite:
    # Outside the transaction, where the setting has an effect: a rebuild would cascade otherwise.
    connection.execute(text("PRAGMA foreign_keys=OFF"))
    connection.commit()
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=is_sqlite,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()

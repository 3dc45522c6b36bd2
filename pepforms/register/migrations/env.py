"""Alembic's way in: the migrations run on the connection that the register hands over, in its transaction."""

from alembic import context

from pepforms.register.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,  # for the names of constraints
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()

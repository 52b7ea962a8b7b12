"""Runs the migrations on the connection handed over by records.database.migrate."""

from alembic import context
from sqlmodel import SQLModel

from records import tables  # noqa: F401  # importing the tables fills SQLModel.metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True, compare_type=True)
with context.begin_transaction():
    context.run_migrations()

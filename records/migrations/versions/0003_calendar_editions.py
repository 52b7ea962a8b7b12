"""Loaded tables of bank holidays, provisional days of tasks, receipts of letters"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import records.tables

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('calendar_edition',
    sa.Column('edition', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('nation', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('checked_on', sa.Date(), nullable=False),
    sa.Column('known_until', sa.Date(), nullable=False),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('loaded_at', records.tables.UTCDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('edition', name=op.f('pk_calendar_edition'))
    )
    with op.batch_alter_table('calendar_edition', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_calendar_edition_nation'), ['nation'], unique=False)
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.add_column(sa.Column('provisional', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.add_column(sa.Column('received_on', sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_column('received_on')
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.drop_column('provisional')
    with op.batch_alter_table('calendar_edition', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_calendar_edition_nation'))
    op.drop_table('calendar_edition')

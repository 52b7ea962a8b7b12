"""The inbox: messages kept before anything is asked of the engine"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import records.tables

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'inbox',
        sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('command_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('content_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('message', sa.Text(), nullable=False),
        sa.Column('arrived_at', records.tables.UTCDateTime(timezone=True), nullable=False),
        sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('next_at', records.tables.UTCDateTime(timezone=True), nullable=False),
        sa.Column('result', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column('settled_at', records.tables.UTCDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('case_id', 'command_id', name=op.f('pk_inbox')),
    )
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_inbox_state'), ['state'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_inbox_state'))
    op.drop_table('inbox')

"""Texts put before the message that names them, and who read what"""

import sqlalchemy as sa
from alembic import op

import records.tables

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('case_text', schema=None) as batch_op:
        batch_op.add_column(sa.Column('put_at', records.tables.UTCDateTime(timezone=True), nullable=True))
    op.create_table(
        'read_log',
        sa.Column('n', sa.Integer(), nullable=False),
        sa.Column('at', records.tables.UTCDateTime(timezone=True), nullable=False),
        sa.Column('who', sa.String(), nullable=False),
        sa.Column('how', sa.String(), nullable=False),
        sa.Column('case_id', sa.String(), nullable=False),
        sa.Column('what', sa.String(), nullable=False),
        sa.Column('why', sa.String(), nullable=True),
        sa.PrimaryKeyConstraint('n', name=op.f('pk_read_log')),
    )
    with op.batch_alter_table('read_log', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_read_log_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_read_log_case_id'), ['case_id'], unique=False)


def downgrade() -> None:
    op.drop_table('read_log')
    with op.batch_alter_table('case_text', schema=None) as batch_op:
        batch_op.drop_column('put_at')

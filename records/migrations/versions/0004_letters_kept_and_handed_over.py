"""The bytes of letters, and what became of each with its carrier"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import records.tables

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('letter_file',
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('notice', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('ending', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('case_id', 'notice', 'ending', name=op.f('pk_letter_file'))
    )
    op.create_table('hand_over',
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('notice', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('carrier', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('method', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reference', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('carrier_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('problem', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('first_at', records.tables.UTCDateTime(timezone=True), nullable=False),
    sa.Column('changed_at', records.tables.UTCDateTime(timezone=True), nullable=False),
    sa.Column('settled', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('case_id', 'notice', name=op.f('pk_hand_over'))
    )
    with op.batch_alter_table('hand_over', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_hand_over_reference'), ['reference'], unique=False)
        batch_op.create_index(batch_op.f('ix_hand_over_settled'), ['settled'], unique=False)
        batch_op.create_index(batch_op.f('ix_hand_over_state'), ['state'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('hand_over', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_hand_over_state'))
        batch_op.drop_index(batch_op.f('ix_hand_over_settled'))
        batch_op.drop_index(batch_op.f('ix_hand_over_reference'))
    op.drop_table('hand_over')
    op.drop_table('letter_file')

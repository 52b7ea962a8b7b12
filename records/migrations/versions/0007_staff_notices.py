"""What staff are told of by email"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import records.tables

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('staff_notice',
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('task', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reader', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reminder', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('body', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('wording', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('what', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('due', sa.Date(), nullable=True),
    sa.Column('cites', sa.JSON(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('mail', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('mail_on', sa.Date(), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_at', records.tables.UTCDateTime(timezone=True), nullable=True),
    sa.Column('problem', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('created_at', records.tables.UTCDateTime(timezone=True), nullable=False),
    sa.Column('changed_at', records.tables.UTCDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('case_id', 'task', 'reader', 'reminder', name=op.f('pk_staff_notice'))
    )
    with op.batch_alter_table('staff_notice', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_notice_body'), ['body'], unique=False)
        batch_op.create_index(batch_op.f('ix_staff_notice_state'), ['state'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('staff_notice', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_notice_state'))
        batch_op.drop_index(batch_op.f('ix_staff_notice_body'))
    op.drop_table('staff_notice')

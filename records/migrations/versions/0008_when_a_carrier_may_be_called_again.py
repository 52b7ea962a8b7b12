"""When a carrier may be called again about a letter"""

import sqlalchemy as sa
from alembic import op

import records.tables

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('hand_over', schema=None) as batch_op:
        batch_op.add_column(sa.Column('not_before', records.tables.UTCDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('hand_over', schema=None) as batch_op:
        batch_op.drop_column('not_before')

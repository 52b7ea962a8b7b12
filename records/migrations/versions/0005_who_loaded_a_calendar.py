"""Who loaded a table of bank holidays"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('calendar_edition', schema=None) as batch_op:
        batch_op.add_column(sa.Column('loaded_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('calendar_edition', schema=None) as batch_op:
        batch_op.drop_column('loaded_by')

"""The contact desk"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('installation',
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('value', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_installation'))
    )
    op.create_table('desk_entry',
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('body', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('person', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('entry', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_desk_entry'))
    )
    with op.batch_alter_table('desk_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_desk_entry_person'), ['person'], unique=False)

    op.create_table('desk_key',
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('case_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('key', 'case_id', name=op.f('pk_desk_key'))
    )
    with op.batch_alter_table('desk_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_desk_key_case_id'), ['case_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('desk_key', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_desk_key_case_id'))

    op.drop_table('desk_key')
    with op.batch_alter_table('desk_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_desk_entry_person'))

    op.drop_table('desk_entry')
    op.drop_table('installation')

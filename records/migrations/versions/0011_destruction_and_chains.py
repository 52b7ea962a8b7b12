"""Destructions and their certificates, a chain of sign-offs, and tables that only grow"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

import records.tables
from records.append_only import guard, unguard

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString
GUARDED = ('log', 'sign_off_line', 'certificate')


def upgrade() -> None:
    op.create_table('sign_off_line',
    sa.Column('case_id', TEXT(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('about', TEXT(), nullable=False),
    sa.Column('slot', sa.Integer(), nullable=False),
    sa.Column('person', TEXT(), nullable=False),
    sa.Column('human', TEXT(), nullable=False),
    sa.Column('office', TEXT(), nullable=True),
    sa.Column('grade', sa.Integer(), nullable=True),
    sa.Column('as_deputy', sa.Boolean(), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('hash', TEXT(), nullable=False),
    sa.PrimaryKeyConstraint('case_id', 'n', name=op.f('pk_sign_off_line'))
    )
    op.create_table('destruction',
    sa.Column('case_id', TEXT(), nullable=False),
    sa.Column('body', TEXT(), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('done', sa.JSON(), nullable=False),
    sa.Column('certificate', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_destruction'))
    )
    with op.batch_alter_table('destruction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_destruction_body'), ['body'], unique=False)
        batch_op.create_index(batch_op.f('ix_destruction_certificate'), ['certificate'], unique=False)
        batch_op.create_index(batch_op.f('ix_destruction_on'), ['on'], unique=False)
    op.create_table('certificate',
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('issued_at', records.tables.UTCDateTime(timezone=True), nullable=False),
    sa.Column('case_hash', TEXT(), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('hash', TEXT(), nullable=False),
    sa.PrimaryKeyConstraint('n', name=op.f('pk_certificate'))
    )
    with op.batch_alter_table('certificate', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_certificate_case_hash'), ['case_hash'], unique=False)
    with op.batch_alter_table('case', schema=None) as batch_op:
        batch_op.add_column(sa.Column('signed_lines', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('signed_hash', TEXT(), nullable=False, server_default=''))
    for table in GUARDED:
        guard(op.get_bind(), table)


def downgrade() -> None:
    for table in GUARDED:
        unguard(op.get_bind(), table)
    with op.batch_alter_table('case', schema=None) as batch_op:
        batch_op.drop_column('signed_hash')
        batch_op.drop_column('signed_lines')
    op.drop_table('certificate')
    op.drop_table('destruction')
    op.drop_table('sign_off_line')

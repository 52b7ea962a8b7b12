"""Keys that sign acts, and what came unsigned"""

from datetime import datetime, timezone

import sqlalchemy as sa
from alembic import op

import records.tables

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = records.tables.UTCDateTime(timezone=True)
    op.create_table('signing_key',
    sa.Column('kid', sa.String(), nullable=False),
    sa.Column('public_key', sa.String(), nullable=False),
    sa.Column('holder', sa.String(), nullable=False),
    sa.Column('person', sa.String(), nullable=True),
    sa.Column('staff', sa.Boolean(), nullable=False),
    sa.Column('bodies', sa.JSON(), nullable=False),
    sa.Column('customer', sa.Boolean(), nullable=False),
    sa.Column('calendar', sa.Boolean(), nullable=False),
    sa.Column('local', sa.Boolean(), nullable=False),
    sa.Column('valid_from', instant, nullable=False),
    sa.Column('valid_to', instant, nullable=True),
    sa.Column('revoked_at', instant, nullable=True),
    sa.Column('revoked_why', sa.String(), nullable=True),
    sa.Column('loaded_at', instant, nullable=False),
    sa.Column('loaded_by', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('kid', name=op.f('pk_signing_key'))
    )
    op.create_table('security_log',
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('at', instant, nullable=False),
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('door', sa.String(), nullable=False),
    sa.Column('claimed_by', sa.String(), nullable=False),
    sa.Column('do', sa.String(), nullable=False),
    sa.Column('command_id', sa.String(), nullable=False),
    sa.Column('kid', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('n', name=op.f('pk_security_log'))
    )
    with op.batch_alter_table('security_log', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_security_log_case_id'), ['case_id'], unique=False)
    op.create_table('refused_count',
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('door', sa.String(), nullable=False),
    sa.Column('hour', sa.String(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('told', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('case_id', 'door', 'hour', name=op.f('pk_refused_count'))
    )
    since = datetime.now(timezone.utc).isoformat()  # noqa: TID251  # from this moment on the records ask for signatures
    op.execute(sa.text("INSERT INTO installation (name, value) VALUES ('acts-are-signed-since', :since)").bindparams(since=since))


def downgrade() -> None:
    op.execute("DELETE FROM installation WHERE name IN ('acts-are-signed-since', 'signed-messages-lie-at-most-days')")
    op.drop_table('refused_count')
    with op.batch_alter_table('security_log', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_security_log_case_id'))
    op.drop_table('security_log')
    op.drop_table('signing_key')

"""Every staff list a body ever had, and the grade beside the office in the log"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

import records.tables
from records.append_only import guard, unguard

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'staff_list',
        sa.Column('body', sa.String(), nullable=False),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.Column('loaded_at', records.tables.UTCDateTime(timezone=True), nullable=True),
        sa.Column('in_force_from', records.tables.UTCDateTime(timezone=True), nullable=True),
        sa.Column('loaded_by', sa.String(), nullable=True),
        sa.Column('source', sa.String(), nullable=False),
        sa.Column('sha256', sa.String(), nullable=False),
        sa.Column('entries', sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint('body', 'n', name=op.f('pk_staff_list')),
    )
    with op.batch_alter_table('log', schema=None) as batch_op:
        batch_op.add_column(sa.Column('grade', sa.Integer(), nullable=True))
    _present_lists_become_the_first()
    guard(op.get_bind(), 'staff_list')


def _present_lists_become_the_first() -> None:
    staff = sa.table('staff', sa.column('body'), sa.column('person'), sa.column('entry', sa.JSON()))
    kept = sa.table(
        'staff_list', sa.column('body'), sa.column('n'), sa.column('source'), sa.column('sha256'), sa.column('entries', sa.JSON())
    )
    connection = op.get_bind()
    lists: dict[str, list[dict[str, object]]] = {}
    for body, entry in connection.execute(sa.select(staff.c.body, staff.c.entry).order_by(staff.c.body, staff.c.person)).all():
        lists.setdefault(body, []).append(entry)
    for body, entries in lists.items():
        entries.sort(key=lambda one: str(one['id']))
        sha256 = hashlib.sha256(json.dumps(entries, sort_keys=True, separators=(',', ':')).encode()).hexdigest()
        connection.execute(sa.insert(kept).values(body=body, n=1, source='as an earlier release had it', sha256=sha256, entries=entries))


def downgrade() -> None:
    connection = op.get_bind()
    unguard(connection, 'log')
    with op.batch_alter_table('log', schema=None) as batch_op:
        batch_op.drop_column('grade')
    guard(connection, 'log')
    unguard(connection, 'staff_list')
    op.drop_table('staff_list')

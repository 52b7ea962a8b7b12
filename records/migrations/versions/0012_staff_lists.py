"""Every staff list a body ever had, and the grade beside the office in the log"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

import records.tables

revision = '0012'
down_revision = '0008'
branch_labels = None
depends_on = None

REFUSED = 'staff lists are added, never altered'


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
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


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


APPEND_ONLY = {
    'sqlite': tuple(
        f"CREATE TRIGGER staff_list_no_{act.lower()} BEFORE {act} ON staff_list BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        for act in ('UPDATE', 'DELETE')
    ),
    'postgresql': (
        f"CREATE FUNCTION staff_list_refuses() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER staff_list_added_only BEFORE UPDATE OR DELETE ON staff_list FOR EACH ROW EXECUTE FUNCTION staff_list_refuses()",
    ),
}


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP TRIGGER staff_list_added_only ON staff_list')
        op.execute('DROP FUNCTION staff_list_refuses()')
    with op.batch_alter_table('log', schema=None) as batch_op:
        batch_op.drop_column('grade')
    op.drop_table('staff_list')

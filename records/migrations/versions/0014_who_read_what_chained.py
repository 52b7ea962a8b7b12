"""Who read what: with what was shown and what the reader was to the case, append-only and chained"""

import sqlalchemy as sa
from alembic import op

from records.append_only import guard, unguard
from records.chain import FIRST
from records.reads import HEAD, line_hash
from records.tables import UTCDateTime

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

NEW = ('body', 'shows', 'part', 'stage', 'person', 'hash')


def upgrade() -> None:
    with op.batch_alter_table('read_log', schema=None) as batch_op:
        for name in NEW:
            batch_op.add_column(sa.Column(name, sa.String(), nullable=False, server_default=''))
        batch_op.create_index(batch_op.f('ix_read_log_person'), ['person'], unique=False)
    _chain()
    guard(op.get_bind(), 'read_log')


def _chain() -> None:
    """Chain the lines of an earlier release, as they stand and with numbers that follow one another."""
    connection, metadata = op.get_bind(), sa.MetaData()
    lines = sa.Table('read_log', metadata, *(sa.Column(name, sa.String()) for name in ('who', 'how', 'case_id', 'what', 'why', *NEW)),
                     sa.Column('n', sa.Integer(), primary_key=True), sa.Column('at', UTCDateTime()))
    heads = sa.Table('installation', metadata, sa.Column('name', sa.String(), primary_key=True), sa.Column('value', sa.String()))
    n, before = 0, FIRST
    for row in connection.execute(sa.select(lines).order_by(lines.c.n)).mappings().all():
        n, facts = n + 1, dict(row)
        facts |= {'n': n, 'shows': facts['shows'] or 'payloads'}
        before = facts['hash'] = line_hash(before, facts)
        connection.execute(sa.update(lines).where(lines.c.n == row['n']).values(facts))
    connection.execute(sa.insert(heads).values(name=HEAD, value=f'{n} {before}'))


def downgrade() -> None:
    unguard(op.get_bind(), 'read_log')
    op.execute(f"DELETE FROM installation WHERE name = '{HEAD}'")
    with op.batch_alter_table('read_log', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_read_log_person'))
        for name in reversed(NEW):
            batch_op.drop_column(name)

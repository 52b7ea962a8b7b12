"""The security log append-only and chained, marks of what was refused, and what a key may do fixed"""

from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op

from records.append_only import guard, unguard
from records.chain import FIRST
from records.fixed_keys import guard_keys, unguard_keys
from records.security import FIELDS, HEAD, line_hash
from records.signing_keys import CONTENTS
from records.tables import UTCDateTime

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

WORKERS_REPLACED_WITHIN = timedelta(days=1)
"""How long workers of the release before may go on recording acts, of which they keep less."""


def upgrade() -> None:
    op.create_table('refused_mark',
    sa.Column('case_id', sa.String(), nullable=False),
    sa.Column('door', sa.String(), nullable=False),
    sa.Column('mark', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('case_id', 'door', 'mark', name=op.f('pk_refused_mark'))
    )
    with op.batch_alter_table('security_log', schema=None) as batch_op:
        batch_op.add_column(sa.Column('hash', sa.String(), nullable=False, server_default=''))
    _chain()
    with op.batch_alter_table('security_log', schema=None) as batch_op:
        batch_op.alter_column('hash', existing_type=sa.String(), existing_nullable=False, server_default=None)
    guard(op.get_bind(), 'security_log')
    guard_keys(op.get_bind())
    since = datetime.now(timezone.utc) + WORKERS_REPLACED_WITHIN  # noqa: TID251  # from then on an act is kept so that it can be rebuilt
    op.execute(sa.text("INSERT INTO installation (name, value) VALUES (:name, :since)").bindparams(name=CONTENTS, since=since.isoformat()))


def _chain() -> None:
    """Chain the lines of an earlier release, as they stand and with numbers that follow one another."""
    connection, metadata = op.get_bind(), sa.MetaData()
    texts = (sa.Column(name, sa.String()) for name in (*FIELDS, 'hash') if name != 'n')
    lines = sa.Table('security_log', metadata, *texts, sa.Column('n', sa.Integer(), primary_key=True), sa.Column('at', UTCDateTime()))
    heads = sa.Table('installation', metadata, sa.Column('name', sa.String(), primary_key=True), sa.Column('value', sa.String()))
    n, before = 0, FIRST
    for row in connection.execute(sa.select(lines).order_by(lines.c.n)).mappings().all():
        n, facts = n + 1, dict(row)
        facts['n'] = n
        before = facts['hash'] = line_hash(before, facts)
        connection.execute(sa.update(lines).where(lines.c.n == row['n']).values(facts))
    connection.execute(sa.insert(heads).values(name=HEAD, value=f'{n} {before}'))


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM installation WHERE name IN (:head, :contents)").bindparams(head=HEAD, contents=CONTENTS))
    unguard_keys(op.get_bind())
    unguard(op.get_bind(), 'security_log')
    with op.batch_alter_table('security_log', schema=None) as batch_op:
        batch_op.drop_column('hash')
    op.drop_table('refused_mark')

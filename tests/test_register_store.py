"""The register's store: made and brought up to date by itself, the same on SQLite and on PostgreSQL."""

import datetime as dt

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pepforms.register import audit
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Child, Table


def test_migrations_make_exactly_the_tables_that_the_code_works_with(register: Register) -> None:
    with register.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


def test_every_time_comes_back_in_utc_with_its_zone(register: Register) -> None:
    summer = dt.datetime(2026, 7, 1, 9, 30, 15, 123456, dt.timezone(dt.timedelta(hours=1)))
    with register.writing() as session:
        session.add(Child(lcs_person_id="900005", added_at=summer))
    with register.reading() as session:
        child = session.get_one(Child, "900005")
        assert child.added_at == summer
        assert child.added_at.utcoffset() == dt.timedelta(0)
    with pytest.raises(sa.exc.StatementError, match="without its zone"), register.writing() as session:
        session.add(Child(lcs_person_id="900006", added_at=summer.replace(tzinfo=None)))


@pytest.mark.parametrize("deed", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_the_audit(register: Register, deed: str) -> None:
    with register.writing() as session:
        audit.append(session, "officer", "tried", "nothing")
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), register.engine.begin() as connection:
        connection.execute(sa.text(deed))
    with register.reading() as session:
        assert session.scalar(sa.select(Audit.actor)) == "officer"

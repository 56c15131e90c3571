"""What PostgreSQL's planner knows of tables that have just grown.

A first large import makes a table many times what it was when the planner last counted it. Until
autovacuum comes round, a minute or more later, each look-up is planned as for an empty table: what
should be a seek then reads everything between two firms, for every invoice.
"""

from typing import Final

from sqlalchemy import text

from scf.db.engine import Database

# As many rows as one slice of an import brings; below that any plan is quick.
_LEAST: Final = 1_000
_GROWN: Final = text(
    """
    SELECT format('%I.%I', grown.schemaname, grown.relname)
    FROM pg_stat_user_tables AS grown JOIN pg_class ON pg_class.oid = grown.relid
    WHERE pg_table_is_visible(relid) AND n_mod_since_analyze >= greatest(:least, reltuples)
    """
)


def count_anew(db: Database) -> list[str]:
    """Have the planner count the tables that doubled since it last did; gives their names.

    SQLite plans without counting. A table that one may not analyse, or that somebody analyses at
    this moment, is passed over.
    """
    if db.dialect != "postgresql":
        return []
    with db.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        grown = sorted(conn.execute(_GROWN, {"least": _LEAST}).scalars())
        for table in grown:
            conn.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {table}")
    return grown

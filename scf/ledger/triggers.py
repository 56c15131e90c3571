"""The triggers that keep the books true, in the words of both engines; they stand here only.

Postings are inserted first (their key to the entry is deferred), the entry last: its trigger sees
all of them and refuses an entry with none, or with a sum that is not zero in each currency. After
the entry exists no posting can join it, and nothing can be changed or deleted.

A SQLite table rebuild drops a table's triggers without a word: migrations go through
``scf.db.migrate.rebuild_table`` which puts them back.
"""

_IMMUTABLE = (
    "ledger_entry",
    "ledger_posting",
    "ledger_no_entry",
    "fx_rate",
    "ledger_revaluation",
    "audit_log",
    "audit_seal",
    "invoice_fact",
    "risk_policy",
    "risk_assessment",
    "model_score",
    "model_file",
    "price_assessment",
)


def _sqlite() -> dict[str, str]:
    made = {
        "entry_balanced": """
            CREATE TRIGGER entry_balanced BEFORE INSERT ON ledger_entry BEGIN
              SELECT RAISE(ABORT, 'LEDGER_EMPTY: an entry needs postings')
              WHERE NOT EXISTS (SELECT 1 FROM ledger_posting p WHERE p.entry_id = NEW.id);
              SELECT RAISE(ABORT, 'LEDGER_UNBALANCED: debits and credits differ')
              WHERE EXISTS (SELECT 1 FROM ledger_posting p WHERE p.entry_id = NEW.id
                            GROUP BY p.currency HAVING sum(p.amount_minor) <> 0);
              SELECT RAISE(ABORT, 'LEDGER_FOREIGN_ACCOUNT: an account of another book')
              WHERE EXISTS (SELECT 1 FROM ledger_posting p JOIN account a ON a.id = p.account_id
                            WHERE p.entry_id = NEW.id AND a.org_id <> NEW.org_id);
              SELECT RAISE(ABORT, 'LEDGER_PERIOD: the period of this day is closed')
              WHERE EXISTS (SELECT 1 FROM ledger_period d WHERE d.org_id = NEW.org_id
                            AND d.state IN ('CLOSED', 'OPENING')
                            AND NEW.booked_on BETWEEN d.from_on AND d.to_on);
            END""",
        "posting_closed": """
            CREATE TRIGGER posting_closed BEFORE INSERT ON ledger_posting BEGIN
              SELECT RAISE(ABORT, 'LEDGER_CLOSED: the entry exists already')
              WHERE EXISTS (SELECT 1 FROM ledger_entry e WHERE e.id = NEW.entry_id);
            END""",
    }
    for table in _IMMUTABLE:
        for act in ("UPDATE", "DELETE"):
            name = f"{table}_no_{act.lower()}"
            made[name] = (
                f"CREATE TRIGGER {name} BEFORE {act} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, 'IMMUTABLE: {table} is never changed'); END"
            )
    return made


def _postgresql() -> dict[str, str]:
    made = {
        # One look at the postings answers all three questions.
        "entry_balanced_function": """
            CREATE OR REPLACE FUNCTION entry_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE currencies bigint; uneven boolean; astray boolean;
            BEGIN
              SELECT count(*), bool_or(total <> 0), bool_or(strange)
              INTO currencies, uneven, astray FROM (
                SELECT sum(p.amount_minor) AS total, bool_or(a.org_id <> NEW.org_id) AS strange
                FROM ledger_posting p JOIN account a ON a.id = p.account_id
                WHERE p.entry_id = NEW.id GROUP BY p.currency) AS told;
              IF currencies = 0 THEN
                RAISE EXCEPTION 'LEDGER_EMPTY: an entry needs postings';
              END IF;
              IF uneven THEN
                RAISE EXCEPTION 'LEDGER_UNBALANCED: debits and credits differ';
              END IF;
              IF astray THEN
                RAISE EXCEPTION 'LEDGER_FOREIGN_ACCOUNT: an account of another book';
              END IF;
              RETURN NEW;
            END $$""",
        # The shared lock makes a close wait for entries that are under way, and the reverse. Not
        # part of entry_balanced, which is asked again at COMMIT.
        "period_open_function": """
            CREATE OR REPLACE FUNCTION period_open() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE found record;
            BEGIN
              FOR found IN SELECT state FROM ledger_period
                           WHERE org_id = NEW.org_id AND state <> 'OPEN'
                           AND NEW.booked_on BETWEEN from_on AND to_on FOR SHARE LOOP
                IF found.state IN ('CLOSED', 'OPENING') THEN
                  RAISE EXCEPTION 'LEDGER_PERIOD: the period of this day is closed';
                END IF;
              END LOOP;
              RETURN NEW;
            END $$""",
        "period_open": (
            "CREATE TRIGGER period_open BEFORE INSERT ON ledger_entry "
            "FOR EACH ROW EXECUTE FUNCTION period_open()"
        ),
        "posting_closed_function": """
            CREATE OR REPLACE FUNCTION posting_closed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF EXISTS (SELECT 1 FROM ledger_entry e WHERE e.id = NEW.entry_id) THEN
                RAISE EXCEPTION 'LEDGER_CLOSED: the entry exists already';
              END IF;
              RETURN NEW;
            END $$""",
        "never_changed_function": """
            CREATE OR REPLACE FUNCTION never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              RAISE EXCEPTION 'IMMUTABLE: % is never changed', TG_TABLE_NAME;
            END $$""",
        "entry_balanced": (
            "CREATE TRIGGER entry_balanced BEFORE INSERT ON ledger_entry "
            "FOR EACH ROW EXECUTE FUNCTION entry_balanced()"
        ),
        # Again at COMMIT: two transactions cannot slip postings under one entry between them.
        "entry_balanced_at_commit": (
            "CREATE CONSTRAINT TRIGGER entry_balanced_at_commit AFTER INSERT ON ledger_entry "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_balanced()"
        ),
        "posting_closed": (
            "CREATE TRIGGER posting_closed BEFORE INSERT ON ledger_posting "
            "FOR EACH ROW EXECUTE FUNCTION posting_closed()"
        ),
    }
    for table in _IMMUTABLE:
        made[f"{table}_no_change"] = (
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION never_changed()"
        )
        made[f"{table}_no_truncate"] = (
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION never_changed()"
        )
    return made


TRIGGERS = {"sqlite": _sqlite(), "postgresql": _postgresql()}

"""Nothing of the platform is reachable by having been forgotten."""

from scf import schema
from scf.bootstrap import load_slices
from scf.db.runner import COMMANDS
from scf.db.visibility import DECLARED
from scf.parties.access import MAY
from tests.house.sources import report

# Machinery that no page, route or command line shows to an actor.
INTERNAL = {
    "audit_seal",
    "audit_seal_row",
    "idempotency",
    "personal_salt",
    "rate_window",
    "registry_entry",
    "worker_heartbeat",
}


def test_every_table_says_who_sees_its_rows() -> None:
    load_slices()
    declared = {str(model.__tablename__) for model in DECLARED}
    found = sorted(set(schema.metadata.tables) - declared - INTERNAL)
    assert not found, report(found, "@visible_to in the visibility.py of the table's slice")


def test_the_list_of_internal_tables_names_only_tables() -> None:
    assert not INTERNAL - set(schema.metadata.tables)


def test_every_command_says_who_may_call_it() -> None:
    load_slices()
    found = sorted(set(COMMANDS) - set(MAY))
    assert not found, report(found, "a row in scf/parties/access.py: the roles that may")
    nobody = sorted(name for name in COMMANDS if not MAY[name])
    assert not nobody, report(nobody, "at least one role, or no command")

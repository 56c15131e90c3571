"""What the bank says, handed in as files: answers to payments, and statements."""

from hashlib import sha256
from typing import Any, Final

from flask import render_template, request
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.reporting import receipts as reporting
from scf.settlement import statements
from scf.settlement.own_accounts.reading import own_accounts
from scf.settlement.readers import StatementMapping
from web import sessions
from web.context import actor, platform
from web.portal.officer.desk import act, errors_of, officer, page, reading

MAX_FILE: Final = 8 * 1024 * 1024
MAX_FILES: Final = 10
FORM_ROOM: Final = 65_536


@officer.url_value_preprocessor
def _room_for_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Read more than other pages do; the form's own token comes after the files and is checked."""
    if endpoint == "officer.hand_in_bank_files" and sessions.may_bring_a_file(request):
        request.max_content_length = MAX_FILE * MAX_FILES + FORM_ROOM


@page("/bank-files", "bank_statement.read")
def bank_files() -> str:
    """Show the drop for the bank's files and the statements read so far."""
    return _shown([], {})


def _shown(read: list[dict[str, Any]], errors: dict[str, str]) -> str:
    with reading() as session:
        rows = reporting.statements(session)
        waiting = reporting.waiting(session)
        apart = reporting.apart(session, rows)
        accounts = own_accounts(session.connection(), actor().org_id)
    return render_template(
        "officer/bank_files.html",
        statements=rows,
        waiting=len(waiting),
        apart=apart,
        read=read,
        accounts=accounts,
        errors=errors,
        may_hand_in=may(actor(), "bank_file.hand_in"),
    )


@page("/bank-files", "bank_file.hand_in", method="POST")
def hand_in_bank_files() -> Any:  # noqa: ANN401 - a page with its status
    """Read the files one after the other; each has its effect once, however often it is sent."""
    files = [file for file in request.files.getlist("files") if file.filename][:MAX_FILES]
    if not files:
        return _shown([], {"files": _("Choose a file of the bank.")}), 422
    read: list[dict[str, Any]] = []
    mapping, brought = _mapping_among(files, read)
    account = request.form.get("account", "")[:64]
    for number, (name, content) in enumerate(brought):
        try:
            said = {
                "name": name,
                "sha256": sha256(content).hexdigest(),
                "mapping": mapping.mark if mapping else "",
                "account": account,
            }
            act("bank_file.hand_in", said, part=str(number))
            result = statements.read_file(
                platform(), actor(), content, name, mapping=mapping, account=account
            )
        except ScfError as refusal:
            read.append({"name": name, "problem": errors_of(refusal)["form"], "findings": []})
        else:
            read.append({"name": name, "problem": "", **result})
    bad = any(one["problem"] or not one.get("read", True) for one in read)
    return _shown(read, {}), 422 if bad else 200


def _mapping_among(
    files: list[FileStorage], read: list[dict[str, Any]]
) -> tuple[StatementMapping | None, list[tuple[str, bytes]]]:
    """Take the mapping of a bank's tables (JSON) from among the files that came together."""
    mapping: StatementMapping | None = None
    others: list[tuple[str, bytes]] = []
    for file in files:
        name, content = (file.filename or "")[:200], file.read()
        if not name.lower().endswith(".json"):
            others.append((name, content))
            continue
        try:
            mapping = StatementMapping.from_json(content)
        except ScfError as refusal:
            read.append({"name": name, "problem": errors_of(refusal)["form"], "findings": []})
    if mapping is not None and not others:
        words = _("A mapping says how tables are read; hand in the table together with it.")
        read.append({"name": name, "problem": words, "findings": []})
    return mapping, others

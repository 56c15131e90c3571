"""What the bank says: its files handed in, and the statements and entries that they brought."""

import datetime as dt
from hashlib import sha256
from typing import Final

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlmodel import col

from scf.db.runner import invalid_input
from scf.db.types import Currency
from scf.kernel.errors import InvalidInput
from scf.settlement import statements
from scf.settlement.models import BankEntry, BankStatement
from scf.settlement.readers import BankFormat, StatementMapping, bank_format
from scf.settlement.readers.table_mapping import MAX_MAPPING
from web.api.v1 import described
from web.api.v1.bank_entries import EntryPage, shown_entry
from web.api.v1.files import BYTES, sent_file
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one
from web.context import actor, platform
from web.refusals import finding_text

resource = Blueprint("bank-statements", __name__)

# Read while the caller waits, so far smaller than an upload of documents.
MAX_FILE: Final = 8 * 1024 * 1024
_READ: Final = frozenset({BankFormat.PAIN_002, *statements.STATEMENTS})


class BankFinding(Answer):
    """What needs a person's eye, with its place in the file."""

    severity: str
    code: str
    place: str
    message: str
    value: str


class BankFileRead(Answer):
    """What came of a file: of a statement its entries, of a status report its answers."""

    entries: int = 0
    new_entries: int = 0
    settled: int = 0
    returned: int = 0
    waiting: int = 0
    payment_file_id: str | None = None
    acknowledged: int = 0
    rejected: int = 0
    findings: list[BankFinding]


class StatementOut(Answer):
    """A statement of one account; its form is camt.053, camt.054, mt940 or csv."""

    id: str
    name: str
    form: str
    statement_ref: str
    account: str
    currency: Currency
    from_on: dt.date | None
    to_on: dt.date | None
    opening: Amount
    closing: Amount
    entries: int
    new_entries: int
    sha256: str
    created_at: dt.datetime


class StatementPage(Answer):
    """Some of the statements."""

    items: list[StatementOut]
    next_cursor: str


class How(BaseModel):
    """With ``keep_rejected`` refused pay-outs stay FAILED, to be sent again.

    ``mapping`` says in JSON what the columns of a table (CSV) mean; without it the mapping that is
    kept for its account counts, which ``account`` names (id or number) where several would fit.
    """

    model_config = ConfigDict(extra="forbid")
    keep_rejected: bool = False
    mapping: str = Field(default="", max_length=MAX_MAPPING)
    account: str = Field(default="", max_length=64)


class HowQuery(How):
    """Beside a plain body, also the name of the file."""

    name: str = Field(default="", max_length=400)


described.takes_file(
    "/bank-statements",
    "application/xml",
    BYTES,
    form={
        "name": {"type": "string", "maxLength": 400},
        "keep_rejected": {"type": "boolean", "default": False},
        "mapping": {"type": "string", "maxLength": MAX_MAPPING, "default": ""},
        "account": {"type": "string", "maxLength": 64, "default": ""},
    },
)


@endpoint(
    resource,
    "POST",
    "/bank-statements",
    action="bank_file.hand_in",
    answer=BankFileRead,
    status=201,
    raw_body=True,
    max_body=MAX_FILE,
)
def read_bank_file(query: HowQuery) -> tuple[BankFileRead, int]:  # noqa: ARG001 - read with the file
    """Hand in a file of the bank: camt.053, camt.054, MT940, CSV or pain.002.

    Read again it adds nothing.
    """
    sent = sent_file()
    try:
        how = How.model_validate(sent.said)
    except ValidationError as error:
        raise invalid_input(error) from None
    if bank_format(sent.content) not in _READ:
        raise InvalidInput("BANK_FORMAT", "This is no bank file that the platform reads.")
    mapping = StatementMapping.from_json(how.mapping) if how.mapping else None
    run(
        "bank_file.hand_in",
        {
            "name": sent.name,
            "sha256": sha256(sent.content).hexdigest(),
            "keep_rejected": how.keep_rejected,
            "mapping": mapping.mark if mapping else "",
            "account": how.account,
        },
    )
    result = statements.read_file(
        platform(),
        actor(),
        sent.content,
        sent.name,
        keep_rejected=how.keep_rejected,
        mapping=mapping,
        account=how.account,
    )
    findings = [
        BankFinding(
            severity=found["severity"],
            code=found["code"],
            place=found["place"],
            message=finding_text(found),
            value=found["value"],
        )
        for found in result["findings"]
    ]
    if not result["read"]:
        raise InvalidInput(
            "BANK_FILE",
            "The file cannot be trusted.",
            findings=[found.model_dump() for found in findings],
        )
    counted = {name: result[name] for name in _COUNTS if name in result}
    return BankFileRead(
        **counted,
        payment_file_id=result.get("file_id"),
        findings=findings,
    ), 201


_COUNTS: Final = (
    "entries",
    "new_entries",
    "settled",
    "returned",
    "waiting",
    "acknowledged",
    "rejected",
)


@endpoint(resource, "GET", "/bank-statements", action="bank_statement.read", answer=StatementPage)
def list_statements(query: PageQuery) -> StatementPage:
    """List the statements of your accounts."""
    with reader() as session:
        rows, following = page(session, select(BankStatement), query, col(BankStatement.id))
        return StatementPage(items=[_shown(row) for row in rows], next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/bank-statements/<statement_id>",
    action="bank_statement.read",
    answer=StatementOut,
)
def get_statement(statement_id: str) -> StatementOut:
    """Show one statement."""
    with reader() as session:
        return _shown(one(session, BankStatement, statement_id))


@endpoint(
    resource,
    "GET",
    "/bank-statements/<statement_id>/entries",
    action="bank_statement.read",
    answer=EntryPage,
)
def list_statement_entries(statement_id: str, query: PageQuery) -> EntryPage:
    """List the entries that a statement brought and no earlier one had."""
    with reader() as session:
        one(session, BankStatement, statement_id)
        statement = select(BankEntry).where(col(BankEntry.statement_id) == statement_id)
        rows, following = page(session, statement, query, col(BankEntry.id), newest_first=False)
        return EntryPage(items=[shown_entry(row) for row in rows], next_cursor=following)


def _shown(row: BankStatement) -> StatementOut:
    return StatementOut(
        id=row.id,
        name=row.name,
        form=row.form,
        statement_ref=row.statement_ref,
        account=row.account,
        currency=row.currency,
        from_on=row.from_on,
        to_on=row.to_on,
        opening=amount(row.opening_minor, row.currency),
        closing=amount(row.closing_minor, row.currency),
        entries=row.entries,
        new_entries=row.new_entries,
        sha256=row.sha256,
        created_at=row.created_at,
    )

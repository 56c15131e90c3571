"""A mapping tried on a table of the bank before it is kept: what it would read, row by row."""

import base64
import binascii
import dataclasses
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.engine import Connection

from scf.db.platform import Platform
from scf.db.runner import Outcome, invalid_input
from scf.db.types import Code, Id, Text
from scf.db.visibility import fetch_visible, not_found
from scf.kernel.actor import Actor
from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import Finding, Severity
from scf.parties.access import authorise
from scf.parties.models import BankAccount
from scf.settlement import matching
from scf.settlement.readers import BankEntry, StatementMapping, read_statements
from scf.settlement.readers.table_mapping import MAX_MAPPING
from scf.settlement.writers import VERSION_03, VERSION_09

MAX_SAMPLE: Final = 128 * 1024
SHOWN: Final = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """What a mapping makes of a sample: the first entries, how many, and all that is wrong."""

    mapping: StatementMapping
    sample: dict[str, Any]
    entries: tuple[BankEntry, ...]
    total: int
    findings: tuple[Finding, ...]

    @property
    def fits(self) -> bool:
        """Tell whether nothing stands against keeping the mapping."""
        return self.total > 0 and not any(one.is_error for one in self.findings)


class Asked(BaseModel):
    """How an account is to be served: what a person or program says.

    ``mapping`` is the JSON of a mapping and needs ``sample``, a table of the bank in base64, when
    it is another than the present one; empty, tables of the account are not read any more.
    """

    model_config = ConfigDict(extra="forbid", str_max_length=None)

    version: int = Field(ge=0, strict=True, le=2**53)
    mapping_name: Text = Field(default="", max_length=200)
    mapping: str = Field(default="", max_length=MAX_MAPPING)
    sample: str = Field(default="", max_length=MAX_SAMPLE * 2)
    sample_name: Text = Field(default="", max_length=200)
    payment_version: Literal["pain.001.001.09", "pain.001.001.03"] = VERSION_09
    shape: Literal["auto", "sepa", "domestic"] = "auto"
    batch_booking: bool = False
    cut_off: Code = ""
    cut_off_zone: Text = "UTC"


def asked_of(said: Mapping[str, Any]) -> Asked:
    """Read what was said of an account.

    Raises
    ------
    InvalidInput
        INPUT, with every field that is missing or wrong.
    """
    try:
        return Asked.model_validate(dict(said))
    except ValidationError as error:
        raise invalid_input(error) from None


VERSIONS: Final = (VERSION_09, VERSION_03)


def own_account(conn: Connection, account_id: str, actor: Actor) -> Any:  # noqa: ANN401 - a row
    """Read an account of the actor's own organisation.

    Raises
    ------
    NotFound
        When there is none of this id, or it is another's.
    """
    row = fetch_visible(conn, BankAccount, account_id, actor)
    if row.firm_id != actor.org_id:
        raise not_found("bank_account", account_id)
    return row


def read_mapping(text: str, number: str, currency: str) -> StatementMapping:
    """Read a mapping of one account; account and currency need not be said again.

    Raises
    ------
    InvalidInput
        MAPPING, with the first thing that is wrong.
    """
    return StatementMapping.from_json(text, account=number, currency=currency)


def try_on(mapping: StatementMapping, sample: bytes, name: str, number: str) -> Trial:
    """Read a sample by a mapping; nothing is kept and nothing has an effect.

    Raises
    ------
    InvalidInput
        SAMPLE_TOO_LARGE, SAMPLE_FORMAT for what is no table, or what the reader refuses.
    """
    if len(sample) > MAX_SAMPLE:
        raise InvalidInput(
            "SAMPLE_TOO_LARGE",
            "A sample has at most %(limit)s bytes; a few days of the account are enough.",
            limit=MAX_SAMPLE,
        )
    file = read_statements(sample, mapping)
    if file.kind != "csv":
        raise InvalidInput("SAMPLE_FORMAT", "This is no table: it needs no mapping.")
    entries = [one for statement in file.statements for one in statement.entries]
    findings = list(file.findings)
    named = {matching.plain_account(one.account.identifier) for one in file.statements}
    if named and number not in named:
        findings.append(
            Finding(
                Severity.ERROR,
                "ACCOUNT_OTHER",
                Words("The table is of another account."),
                file.statements[0].place,
                ", ".join(sorted(named))[:200],
            )
        )
    told = {"name": name[:200], "sha256": sha256(sample).hexdigest(), "rows": len(entries)}
    return Trial(mapping, told, tuple(entries[:SHOWN]), len(entries), tuple(findings))


def decoded(sample: str) -> bytes:
    """Read a sample's bytes.

    Raises
    ------
    InvalidInput
        CONTENT, when it is not written in base64.
    """
    try:
        return base64.b64decode(sample, validate=True)
    except binascii.Error:
        raise InvalidInput("CONTENT", "The file is not written in base64.") from None


def set_up(platform: Platform, actor: Actor, account_id: str, asked: Asked, key: str) -> Outcome:
    """Write how an account is served; a new mapping only when it has read its sample whole.

    The sample is read here, outside any transaction; the command keeps what it proved.

    Raises
    ------
    InvalidInput
        SAMPLE_UNFIT with its findings; SAMPLE_MISSING for a new mapping without one.
    """
    authorise(actor, "own_account.set_up")
    with platform.db.snapshot() as conn:
        account = own_account(conn, account_id, actor)
    payload: dict[str, Any] = {
        "account_id": account_id,
        "version": asked.version,
        "mapping_name": asked.mapping_name,
        "payment_version": asked.payment_version,
        "shape": asked.shape,
        "batch_booking": asked.batch_booking,
        "cut_off": asked.cut_off,
        "cut_off_zone": asked.cut_off_zone,
    }
    if asked.mapping:
        mapping = read_mapping(asked.mapping, account.number, account.currency)
        payload["mapping"] = mapping.model_dump(mode="json")
        if asked.sample:
            name = asked.sample_name
            trial = try_on(mapping, decoded(asked.sample), name, account.number)
            if not trial.fits:
                raise InvalidInput(
                    "SAMPLE_UNFIT",
                    "The mapping does not read this table.",
                    findings=[one.as_stored() for one in trial.findings],
                )
            payload["sample"] = trial.sample
    return platform.run("own_account.set_up", payload, actor, key=key)


class Sample(BaseModel):
    """The table that a mapping was tried on."""

    model_config = ConfigDict(extra="forbid")

    name: Text = ""
    sha256: Code
    rows: int = Field(ge=1, le=2**31)


class SetUpAccount(BaseModel):
    """One version of how an account is served; ``version`` is the one that was looked at."""

    model_config = ConfigDict(extra="forbid")

    account_id: Id
    version: int = Field(ge=0, strict=True, le=2**53)
    mapping_name: Text = ""
    mapping: dict[str, Any] = Field(default_factory=dict)
    sample: Sample | None = None
    payment_version: Literal["pain.001.001.09", "pain.001.001.03"] = VERSION_09
    shape: Literal["auto", "sepa", "domestic"] = "auto"
    batch_booking: bool = False
    cut_off: Code = ""
    cut_off_zone: Text = "UTC"

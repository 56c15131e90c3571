"""The files that the simulated bank reads (pain.001) and writes (pain.002, camt.053).

What it remembers of a payment is exactly what a bank would print on a statement.
"""

from datetime import date
from typing import Final

from lxml import etree
from pydantic import BaseModel, ConfigDict
from stdnum import iban

from scf.db.types import Currency, Minor, SignedMinor
from scf.kernel.errors import InvalidInput
from scf.kernel.money import format_minor
from scf.kernel.xml import Element
from scf.settlement.readers.details import reference
from scf.settlement.readers.fields import Fields
from scf.settlement.readers.sniff import BankFormat, open_message
from scf.settlement.writers.charset import plain_text

STATEMENT_VERSION: Final = "camt.053.001.08"
# Every form in which this bank can tell what it has booked.
STATEMENT_VERSIONS: Final = tuple(
    f"camt.{kind}.001.{version}" for kind in ("053", "054") for version in ("02", "04", "06", "08")
)
# The status report that a bank sends for each version of the order.
STATUS_VERSIONS: Final = {"pain.001.001.03": "pain.002.001.03"}
STATUS_VERSION: Final = "pain.002.001.12"

# From these versions of camt on: a payment has an amount of its own; codes and parties are choices.
_OWN_AMOUNT: Final = 3
_CHOICES: Final = 8
_NAME: Final = 140
_LINE: Final = 140


class _Value(BaseModel):
    """A value of the bank's memory; unknown fields mean a foreign state file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Payment(_Value):
    """One payment, as it was ordered or as it came in.

    ``key`` is what the bank recognises it by: its EndToEndId, or where the file gives none its
    place in the file.
    """

    key: str = ""
    message_id: str = ""
    payment_information_id: str = ""
    instruction_id: str = ""
    end_to_end_id: str = ""
    amount_minor: Minor
    currency: Currency
    debtor_name: str = ""
    debtor_account: str = ""
    creditor_name: str = ""
    creditor_account: str = ""
    requested_on: date
    unstructured: tuple[str, ...] = ()
    document_numbers: tuple[str, ...] = ()
    creditor_reference: str = ""
    return_reason: str = ""


class Order(_Value):
    """A payment file as the bank understood it."""

    version: str
    message_id: str
    created: str
    count_stated: str
    sum_stated: str
    batch_booking: bool
    payments: tuple[Payment, ...]


class Entry(_Value):
    """A line of an account: signed, with the payments it stands for."""

    reference: str
    amount_minor: SignedMinor
    on: date
    value_on: date
    booked: bool = True
    family: str = "ICDT/ESCT"
    payments: tuple[Payment, ...]


class Statement(_Value):
    """A statement that was issued, complete enough to be issued again byte for byte."""

    statement_id: str
    sequence: int
    account: str
    currency: Currency
    on: date
    opening_minor: SignedMinor
    entries: tuple[Entry, ...]

    @property
    def closing_minor(self) -> int:
        """The balance after the booked entries."""
        return self.opening_minor + sum(one.amount_minor for one in self.entries if one.booked)


class Answer(_Value):
    """The bank's word on one payment."""

    payment: Payment
    status: str
    reason: str = ""
    reference: str = ""


def read_order(data: bytes) -> Order:
    """Read a payment file as a bank does.

    Raises
    ------
    InvalidInput
        What ``open_message`` raises; NO_PAYMENT_FILE, or PAYMENT_FILE_UNREADABLE with the first
        mistake.
    """
    message = open_message(data)
    if message.kind is not BankFormat.PAIN_001:
        raise InvalidInput(
            "NO_PAYMENT_FILE", "This is no payment file (pain.001).", kind=message.kind.value
        )
    fields = Fields(message.body)
    header = fields.one(message.body, "GrpHdr")
    blocks = fields.many(message.body, "PmtInf")
    nodes = [(block, node) for block in blocks for node in fields.many(block, "CdtTrfTxInf")]
    payments = [
        payment
        for number, (block, node) in enumerate(nodes, start=1)
        if (payment := _payment(fields, header, block, node, number)) is not None
    ]
    order = Order(
        version=message.version,
        message_id=fields.text(header, "MsgId"),
        created=fields.text(header, "CreDtTm"),
        count_stated=fields.text(header, "NbOfTxs"),
        sum_stated=fields.text(header, "CtrlSum"),
        batch_booking=all(fields.text(one, "BtchBookg") in {"true", "1"} for one in blocks),
        payments=tuple(payments),
    )
    wrong = next((one for one in fields.findings if one.is_error), None)
    if wrong is not None or not order.message_id or not payments:
        raise InvalidInput(
            "PAYMENT_FILE_UNREADABLE",
            wrong.message if wrong else "The payment file has no MsgId or no payment.",
            place=wrong.place if wrong else "",
        )
    return order


def _payment(
    fields: Fields, header: Element | None, block: Element, node: Element, number: int
) -> Payment | None:
    amount = fields.one(node, "Amt", "InstdAmt")
    read = fields.amount(amount) if amount is not None else None
    requested_on = fields.day(block, "ReqdExctnDt")
    if read is None or requested_on is None:
        fields.error("PAYMENT", "A payment needs an amount and a day.", node)
        return None
    remittance = fields.one(node, "RmtInf")
    structured = fields.many(remittance, "Strd")
    name = fields.text(node, "PmtId", "EndToEndId")
    return Payment(
        key=reference(name) or f"{fields.text(header, 'MsgId')} #{number}",
        message_id=fields.text(header, "MsgId"),
        payment_information_id=fields.text(block, "PmtInfId"),
        instruction_id=fields.text(node, "PmtId", "InstrId"),
        end_to_end_id=name,
        amount_minor=read[0],
        currency=read[1],
        debtor_name=fields.text(block, "Dbtr", "Nm"),
        debtor_account=_account(fields, block, "DbtrAcct"),
        creditor_name=fields.text(node, "Cdtr", "Nm"),
        creditor_account=_account(fields, node, "CdtrAcct"),
        requested_on=requested_on,
        unstructured=tuple(
            text for one in fields.many(remittance, "Ustrd") if (text := fields.own_text(one))
        ),
        document_numbers=tuple(
            text
            for one in structured
            for document in fields.many(one, "RfrdDocInf")
            if (text := fields.text(document, "Nb"))
        ),
        creditor_reference=next(
            (text for one in structured if (text := fields.text(one, "CdtrRefInf", "Ref"))), ""
        ),
    )


def _account(fields: Fields, node: Element, tag: str) -> str:
    ids = fields.one(node, tag, "Id")
    return fields.text(ids, "IBAN") or fields.text(ids, "Othr", "Id")


def write_status_report(
    order: Order, answers: tuple[Answer, ...], *, report_id: str, on: date, refusal: str = ""
) -> bytes:
    """Write the answer to a payment file; ``refusal`` refuses the file as a whole."""
    tree = _Tree(STATUS_VERSIONS.get(order.version, STATUS_VERSION))
    body = tree.add(tree.root, "CstmrPmtStsRpt")
    header = tree.add(body, "GrpHdr")
    tree.add(header, "MsgId", report_id)
    tree.add(header, "CreDtTm", f"{on.isoformat()}T12:00:00Z")
    original = tree.add(body, "OrgnlGrpInfAndSts")
    tree.add(original, "OrgnlMsgId", order.message_id[:35])
    tree.add(original, "OrgnlMsgNmId", order.version or "pain.001")
    statuses = {one.status for one in answers}
    if refusal:
        tree.add(original, "GrpSts", "RJCT")
        tree.reason(original, refusal)
        return tree.data()
    tree.add(original, "GrpSts", statuses.pop() if len(statuses) == 1 else "PART")
    for block_id in dict.fromkeys(one.payment.payment_information_id for one in answers):
        block = tree.add(body, "OrgnlPmtInfAndSts")
        tree.add(block, "OrgnlPmtInfId", block_id)
        for one in answers:
            if one.payment.payment_information_id != block_id:
                continue
            node = tree.add(block, "TxInfAndSts")
            if one.payment.instruction_id:
                tree.add(node, "OrgnlInstrId", one.payment.instruction_id)
            tree.add(node, "OrgnlEndToEndId", one.payment.end_to_end_id)
            tree.add(node, "TxSts", one.status)
            if one.reason:
                tree.reason(node, one.reason)
            if one.reference:
                tree.add(node, "AcctSvcrRef", one.reference)
    return tree.data()


def write_statement(statement: Statement, version: str = STATEMENT_VERSION) -> bytes:
    """Write one statement of one account for one day, or as camt.054 its notification.

    Raises
    ------
    InvalidInput
        STATEMENT_VERSION, for one that this bank does not write.
    """
    if version not in STATEMENT_VERSIONS:
        raise InvalidInput(
            "STATEMENT_VERSION", "The bank writes no statements of this form.", version=version
        )
    books = version.startswith("camt.053")
    tree = _Tree(version)
    created = f"{statement.on.isoformat()}T18:00:00Z"
    body = tree.add(tree.root, "BkToCstmrStmt" if books else "BkToCstmrDbtCdtNtfctn")
    header = tree.add(body, "GrpHdr")
    tree.add(header, "MsgId", f"MSG-{statement.statement_id}")
    tree.add(header, "CreDtTm", created)
    node = tree.add(body, "Stmt" if books else "Ntfctn")
    tree.add(node, "Id", statement.statement_id)
    tree.add(node, "ElctrncSeqNb", str(statement.sequence))
    tree.add(node, "CreDtTm", created)
    days = tree.add(node, "FrToDt")
    tree.add(days, "FrDtTm", f"{statement.on.isoformat()}T00:00:00Z")
    tree.add(days, "ToDtTm", created)
    tree.account(node, "Acct", statement.account, statement.currency)
    if books:
        tree.balance(node, "OPBD", statement.opening_minor, statement)
        tree.balance(node, "CLBD", statement.closing_minor, statement)
    for number, entry in enumerate(statement.entries, start=1):
        _write_entry(tree, node, entry, number, statement.currency)
    return tree.data()


def _write_entry(tree: "_Tree", parent: Element, entry: Entry, number: int, currency: str) -> None:
    node = tree.add(parent, "Ntry")
    tree.add(node, "NtryRef", str(number))
    tree.amount(node, entry.amount_minor, currency)
    status = "BOOK" if entry.booked else "PDNG"
    if tree.version >= _CHOICES:
        tree.add(tree.add(node, "Sts"), "Cd", status)
    else:
        tree.add(node, "Sts", status)
    if entry.booked:
        tree.add(tree.add(node, "BookgDt"), "Dt", entry.on.isoformat())
    tree.add(tree.add(node, "ValDt"), "Dt", entry.value_on.isoformat())
    tree.add(node, "AcctSvcrRef", entry.reference)
    domain = tree.add(tree.add(node, "BkTxCd"), "Domn")
    tree.add(domain, "Cd", "PMNT")
    family = tree.add(domain, "Fmly")
    code, _, sub_code = entry.family.partition("/")
    tree.add(family, "Cd", code)
    tree.add(family, "SubFmlyCd", sub_code)
    details = tree.add(node, "NtryDtls")
    if len(entry.payments) > 1:
        batch = tree.add(details, "Btch")
        tree.add(batch, "MsgId", entry.payments[0].message_id)
        tree.add(batch, "PmtInfId", entry.payments[0].payment_information_id)
        tree.add(batch, "NbOfTxs", str(len(entry.payments)))
    sign = 1 if entry.amount_minor >= 0 else -1
    for payment in entry.payments:
        _write_payment(tree, tree.add(details, "TxDtls"), payment, entry.reference, sign)


def _write_payment(
    tree: "_Tree", node: Element, payment: Payment, bank_reference: str, sign: int
) -> None:
    ids = tree.add(node, "Refs")
    tree.maybe(ids, "MsgId", payment.message_id)
    tree.add(ids, "AcctSvcrRef", bank_reference)
    tree.maybe(ids, "PmtInfId", payment.payment_information_id)
    tree.maybe(ids, "InstrId", payment.instruction_id)
    tree.add(ids, "EndToEndId", payment.end_to_end_id or "NOTPROVIDED")
    if tree.version >= _OWN_AMOUNT:
        tree.amount(node, sign * payment.amount_minor, payment.currency)
    else:
        amount = tree.add(tree.add(node, "AmtDtls"), "TxAmt")
        tree.unsigned(amount, payment.amount_minor, payment.currency)
    parties = tree.add(node, "RltdPties")
    for role, name, account in (
        ("Dbtr", payment.debtor_name, payment.debtor_account),
        ("Cdtr", payment.creditor_name, payment.creditor_account),
    ):
        shown = plain_text(name, _NAME)
        if shown:
            party = tree.add(parties, role)
            tree.add(tree.add(party, "Pty") if tree.version >= _CHOICES else party, "Nm", shown)
        if account:
            tree.account(parties, f"{role}Acct", account)
    _write_remittance(tree, node, payment)
    if payment.return_reason:
        returned = tree.add(node, "RtrInf")
        tree.add(tree.add(returned, "Rsn"), "Cd", payment.return_reason)


def _write_remittance(tree: "_Tree", node: Element, payment: Payment) -> None:
    lines = [
        text[at : at + _LINE].strip()
        for text in payment.unstructured
        for at in range(0, len(text), _LINE)
    ]
    if not (any(lines) or payment.document_numbers or payment.creditor_reference):
        return
    remittance = tree.add(node, "RmtInf")
    for line in filter(None, lines):
        tree.add(remittance, "Ustrd", line)
    for number in payment.document_numbers:
        tree.add(tree.add(tree.add(remittance, "Strd"), "RfrdDocInf"), "Nb", number)
    if payment.creditor_reference:
        information = tree.add(tree.add(remittance, "Strd"), "CdtrRefInf")
        tree.add(information, "Ref", payment.creditor_reference)


class _Tree:
    """A message under construction, in one namespace."""

    def __init__(self, version: str) -> None:
        self._space = f"urn:iso:std:iso:20022:tech:xsd:{version}"
        self.version = int(version.rpartition(".")[2])
        self.root: Element = etree.Element(f"{{{self._space}}}Document", nsmap={None: self._space})

    def add(self, parent: Element, tag: str, text: str | None = None) -> Element:
        node = etree.SubElement(parent, f"{{{self._space}}}{tag}")
        node.text = text
        return node

    def maybe(self, parent: Element, tag: str, text: str) -> None:
        if text:
            self.add(parent, tag, text)

    def amount(self, parent: Element, minor: int, currency: str) -> None:
        self.unsigned(parent, minor, currency)
        self.add(parent, "CdtDbtInd", "CRDT" if minor >= 0 else "DBIT")

    def unsigned(self, parent: Element, minor: int, currency: str) -> None:
        self.add(parent, "Amt", format_minor(abs(minor), currency)).set("Ccy", currency)

    def balance(self, parent: Element, code: str, minor: int, statement: Statement) -> None:
        node = self.add(parent, "Bal")
        self.add(self.add(self.add(node, "Tp"), "CdOrPrtry"), "Cd", code)
        self.amount(node, minor, statement.currency)
        self.add(self.add(node, "Dt"), "Dt", statement.on.isoformat())

    def account(self, parent: Element, tag: str, account: str, currency: str = "") -> None:
        node = self.add(parent, tag)
        ids = self.add(node, "Id")
        if iban.is_valid(account, check_country=False):
            self.add(ids, "IBAN", iban.compact(account))
        else:
            self.add(self.add(ids, "Othr"), "Id", account)
        self.maybe(node, "Ccy", currency)

    def reason(self, parent: Element, code: str) -> None:
        self.add(self.add(self.add(parent, "StsRsnInf"), "Rsn"), "Cd", code)

    def data(self) -> bytes:
        data: bytes = etree.tostring(
            self.root, xml_declaration=True, encoding="UTF-8", pretty_print=True
        )
        return data

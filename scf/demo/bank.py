"""A bank made of files: it takes payment files and answers as a bank would, without a network.

It pays out of accounts that start at zero and may be overdrawn, one pocket per currency; so its
running balance is what the platform's cash account must show. It recognises a payment by its
EndToEndId: the same file sent again is answered again and booked never. Everything it knows stands
in one JSON file, ``bank-state.json``, in the directory it is given; without that file it is new.
"""

import functools
from collections.abc import Callable, Collection
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from stdnum import iban

from scf.demo.bank_memory import STATE_FILE, KnownFile, Memory, alone, recall, remember
from scf.demo.bank_messages import (
    STATEMENT_VERSION,
    Answer,
    Entry,
    Order,
    Payment,
    Statement,
    read_order,
    write_statement,
    write_status_report,
)
from scf.kernel.errors import Conflict, InvalidInput, NotFound
from scf.kernel.ids import digest
from scf.kernel.money import MAX_MINOR, Money, exponent
from scf.settlement.writers.charset import plain_text
from scf.settlement.writers.pain001 import schema_error

__all__ = [
    "STATE_FILE",
    "BankFile",
    "answer",
    "balance",
    "deliver",
    "give_back",
    "receive",
    "release",
    "repeat",
    "statement_ids",
    "write_files",
]

MAX_ID: Final = 35
MAX_ACCOUNT: Final = 34
MAX_TEXT: Final = 1_000

BankFile = tuple[str, bytes]
_Args = ParamSpec("_Args")
_Result = TypeVar("_Result")


def _one_at_a_time(act: Callable[_Args, _Result]) -> Callable[_Args, _Result]:
    """Let an act of the bank think alone, also beside its own process."""

    @functools.wraps(act)
    def alone_act(*args: _Args.args, **how: _Args.kwargs) -> _Result:
        folder = how["state_dir"]
        assert isinstance(folder, Path)  # noqa: S101 - every act is told where the memory is
        with alone(folder):
            return act(*args, **how)

    return alone_act


@_one_at_a_time
def answer(
    data: bytes,
    *,
    on: date,
    state_dir: Path,
    reject: bool | Collection[str] = False,
    reason: str = "AC04",
    delay: bool | Collection[str] = False,
) -> list[BankFile]:
    """Answer a payment file: a pain.002, and a camt.053 for each account that was debited.

    ``reject`` refuses all payments, or those with the given EndToEndIds, with ``reason``;
    ``delay`` leaves them pending (PDNG) until ``release``. Payments ordered for a later day are
    booked on that day. A payment answered before keeps its answer; another payment under a known
    EndToEndId is refused (DU04). A file is refused as a whole when it breaks its schema or is of
    a version that has none here (FF01), when its control totals are wrong (AM10), and when
    another file came before under its MsgId (DU01).

    Raises
    ------
    InvalidInput
        When the bytes are no readable pain.001, the state file is not one, or an account would
        pass 10^15 minor units (AMOUNT_RANGE; nothing is remembered then).
    """
    order = read_order(data)
    memory = recall(state_dir)
    seen = KnownFile(digest=digest(order.model_dump(mode="json")), version=order.version)
    refusal = _file_refusal(data, order)
    if memory.files.setdefault(order.message_id, seen) != seen:
        refusal = "DU01"
    answers: list[Answer] = []
    fresh: list[Payment] = []
    for payment in () if refusal else order.payments:
        before = memory.payments.get(payment.key)
        if before is None:
            before = _decide(payment, reject=reject, reason=reason, delay=delay)
            memory.payments[payment.key] = before
            if before.status == "ACSC":
                fresh.append(payment)
        if _same(before.payment, payment):
            answers.append(before.model_copy(update={"payment": payment}))
        else:
            answers.append(Answer(payment=payment, status="RJCT", reason="DU04"))
    statements = _book(memory, fresh, on, together=order.batch_booking)
    name = memory.next_report()
    report = write_status_report(
        order,
        tuple(_with_reference(memory, one) for one in answers),
        report_id=f"STATUS-{name}",
        on=on,
        refusal=refusal,
    )
    sent = [(f"pain002-{name}.xml", report), *map(_file, statements)]
    remember(state_dir, memory)
    return sent


@_one_at_a_time
def release(*, on: date, state_dir: Path) -> list[BankFile]:
    """Execute every delayed payment: a pain.002 per payment file, and the statements."""
    memory = recall(state_dir)
    waiting = [one for one in memory.payments.values() if one.status == "PDNG"]
    for one in waiting:
        memory.payments[one.payment.key] = one.model_copy(update={"status": "ACSC"})
    statements = _book(memory, [one.payment for one in waiting], on, together=False)
    reports: list[BankFile] = []
    for message_id in dict.fromkeys(one.payment.message_id for one in waiting):
        done = tuple(
            memory.payments[one.payment.key]
            for one in waiting
            if one.payment.message_id == message_id
        )
        order = Order(
            version=memory.files[message_id].version,
            message_id=message_id,
            created="",
            count_stated="",
            sum_stated="",
            batch_booking=False,
            payments=tuple(one.payment for one in done),
        )
        name = memory.next_report()
        report = write_status_report(order, done, report_id=f"STATUS-{name}", on=on)
        reports.append((f"pain002-{name}.xml", report))
    sent = [*reports, *map(_file, statements)]
    remember(state_dir, memory)
    return sent


@_one_at_a_time
def receive(  # noqa: PLR0913 - a payment that comes in has these facts, and none follows from another
    *,
    from_name: str,
    from_account: str,
    to_account: str,
    amount_minor: int,
    currency: str,
    reference: str,
    on: date,
    state_dir: Path,
    to_name: str = "",
    value_on: date | None = None,
    end_to_end_id: str = "",
    creditor_reference: str = "",
    booked: bool = True,
) -> BankFile:
    """Let money come in: a camt.053 of the receiving account with one credit.

    ``reference`` is the payer's free text. With ``booked=False`` the credit is only announced
    (PDNG) and changes no balance.

    Raises
    ------
    InvalidInput
        AMOUNT_RANGE, CURRENCY, ACCOUNT or REFERENCE.
    """
    if amount_minor <= 0:
        raise InvalidInput("AMOUNT_RANGE", "Money that comes in is more than zero.")
    Money(amount_minor, currency)
    payer, payee = (_compact(plain_text(one, MAX_TEXT)) for one in (from_account, to_account))
    if not payee or max(len(payer), len(payee)) > MAX_ACCOUNT:
        raise InvalidInput("ACCOUNT", "An account number has 1 to 34 characters.")
    if max(len(end_to_end_id), len(creditor_reference)) > MAX_ID:
        raise InvalidInput("REFERENCE", "Banks carry references of up to 35 characters.")
    memory = recall(state_dir)
    day = value_on or on
    payment = Payment(
        end_to_end_id=plain_text(end_to_end_id, MAX_ID),
        amount_minor=amount_minor,
        currency=currency,
        debtor_name=from_name,
        debtor_account=payer,
        creditor_name=to_name,
        creditor_account=payee,
        requested_on=day,
        unstructured=tuple(filter(None, (plain_text(reference, MAX_TEXT),))),
        creditor_reference=plain_text(creditor_reference, MAX_ID),
    )
    entry = Entry(
        reference=memory.next_reference(),
        amount_minor=amount_minor,
        on=on,
        value_on=day,
        booked=booked,
        family="RCDT/ESCT",
        payments=(payment,),
    )
    statement = _issue(memory, payment.creditor_account, currency, on, (entry,))
    sent = _file(statement)
    remember(state_dir, memory)
    return sent


@_one_at_a_time
def give_back(end_to_end_id: str, *, on: date, state_dir: Path, reason: str = "AC04") -> BankFile:
    """Return a payment that was executed: a credit with the reason (``RtrInf``), once.

    Raises
    ------
    NotFound
        PAYMENT, when no executed payment has this EndToEndId.
    Conflict
        PAYMENT_RETURNED, when it has come back already.
    """
    memory = recall(state_dir)
    paid = memory.payments.get(end_to_end_id)
    if paid is None or paid.status != "ACSC":
        raise NotFound("PAYMENT", "The bank executed no payment of this name.")
    if paid.payment.return_reason:
        raise Conflict("PAYMENT_RETURNED", "This payment has come back already.")
    returned = paid.payment.model_copy(update={"return_reason": reason})
    memory.payments[end_to_end_id] = paid.model_copy(update={"payment": returned})
    entry = Entry(
        reference=memory.next_reference(),
        amount_minor=returned.amount_minor,
        on=on,
        value_on=on,
        family="ICDT/RRTN",
        payments=(returned,),
    )
    statement = _issue(memory, returned.debtor_account, returned.currency, on, (entry,))
    sent = _file(statement)
    remember(state_dir, memory)
    return sent


def repeat(statement_id: str, *, state_dir: Path) -> BankFile:
    """Issue a statement again, byte for byte; nothing is booked.

    Raises
    ------
    NotFound
        STATEMENT, when the bank issued none of this name.
    """
    statement = recall(state_dir).statements.get(statement_id)
    if statement is None:
        raise NotFound("STATEMENT", "The bank issued no statement of this name.")
    return _file(statement)


def statement_ids(state_dir: Path) -> list[str]:
    """Name every statement that was issued, in order."""
    return list(recall(state_dir).statements)


def balance(account: str, currency: str, *, state_dir: Path) -> int:
    """Tell the running balance of an account, in minor units."""
    return recall(state_dir).balances.get(_pocket(_compact(account), currency), 0)


@_one_at_a_time
def deliver(out: Path, *, state_dir: Path, versions: Collection[str] = ()) -> list[Path]:
    """Put out every statement that has not been put out yet, in each of the forms.

    A process that was killed before it could remember so puts the same bytes out again.
    """
    memory = recall(state_dir)
    waiting = list(memory.statements.values())[memory.delivered :]
    files = [_file(one, version) for one in waiting for version in versions or (STATEMENT_VERSION,)]
    paths = write_files(files, out)
    if waiting:
        memory.delivered += len(waiting)
        remember(state_dir, memory)
    return paths


def write_files(files: Collection[BankFile], out: Path) -> list[Path]:
    """Put the bank's files into a directory, each whole or not at all, and name them."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, data in files:
        path, draft = out / name, out / f".{name}.part"
        draft.write_bytes(data)
        draft.replace(path)
        paths.append(path)
    return paths


def _decide(
    payment: Payment, *, reject: bool | Collection[str], reason: str, delay: bool | Collection[str]
) -> Answer:
    """Say what becomes of a payment that the bank has not seen before."""
    name = payment.key
    if reject is True or (not isinstance(reject, bool) and name in reject):
        return Answer(payment=payment, status="RJCT", reason=reason)
    if not payment.debtor_account:
        return Answer(payment=payment, status="RJCT", reason="AC02")
    if not payment.creditor_account or (
        payment.creditor_account[:2].isalpha()
        and payment.creditor_account[2:4].isdigit()
        and not iban.is_valid(payment.creditor_account, check_country=False)
    ):
        return Answer(payment=payment, status="RJCT", reason="AC01")
    if payment.amount_minor <= 0:
        return Answer(payment=payment, status="RJCT", reason="AM01")
    if delay is True or (not isinstance(delay, bool) and name in delay):
        return Answer(payment=payment, status="PDNG")
    return Answer(payment=payment, status="ACSC")


def _same(one: Payment, other: Payment) -> bool:
    """Tell whether two orders move the same money between the same accounts."""
    return (one.amount_minor, one.currency, one.debtor_account, one.creditor_account) == (
        other.amount_minor,
        other.currency,
        other.debtor_account,
        other.creditor_account,
    )


def _with_reference(memory: Memory, one: Answer) -> Answer:
    """Add the reference under which the payment was booked, if it was."""
    known = memory.payments[one.payment.key]
    return one.model_copy(update={"reference": known.reference}) if one.status == "ACSC" else one


def _file_refusal(data: bytes, order: Order) -> str:
    """Say why the whole file is refused: its form (FF01) or its control totals (AM10)."""
    try:
        if schema_error(data, order.version) is not None:
            return "FF01"
    except InvalidInput:  # a version that this bank does not take
        return "FF01"
    if int(order.count_stated) != len(order.payments):
        return "AM10"
    exact = sum(
        (Fraction(one.amount_minor, 10 ** exponent(one.currency)) for one in order.payments),
        Fraction(0),
    )
    return "" if not order.sum_stated or Fraction(order.sum_stated) == exact else "AM10"


def _book(memory: Memory, paid: list[Payment], on: date, *, together: bool) -> list[Statement]:
    """Debit what is paid and issue one statement per account, currency and day."""
    groups: dict[tuple[str, str, date], list[Payment]] = {}
    for payment in paid:
        day = max(on, payment.requested_on)
        groups.setdefault((payment.debtor_account, payment.currency, day), []).append(payment)
    statements = []
    for (account, currency, day), payments in groups.items():
        lots: list[list[Payment]] = [[one] for one in payments]
        if together:
            blocks: dict[str, list[Payment]] = {}
            for payment in payments:
                blocks.setdefault(payment.payment_information_id, []).append(payment)
            lots = list(blocks.values())
        entries = []
        for lot in lots:
            reference = memory.next_reference()
            for payment in lot:
                done = memory.payments[payment.key]
                memory.payments[payment.key] = done.model_copy(update={"reference": reference})
            entries.append(
                Entry(
                    reference=reference,
                    amount_minor=_bounded(-sum(payment.amount_minor for payment in lot)),
                    on=day,
                    value_on=day,
                    payments=tuple(lot),
                )
            )
        statements.append(_issue(memory, account, currency, day, tuple(entries)))
    return statements


def _issue(
    memory: Memory, account: str, currency: str, on: date, entries: tuple[Entry, ...]
) -> Statement:
    """Issue the next statement of an account and move its running balance."""
    pocket = _pocket(account, currency)
    sequence = memory.sequences.get(pocket, 0) + 1
    statement = Statement(
        statement_id=f"STATEMENT-{len(memory.statements) + 1:06d}",
        sequence=sequence,
        account=account,
        currency=currency,
        on=on,
        opening_minor=memory.balances.get(pocket, 0),
        entries=entries,
    )
    memory.sequences[pocket] = sequence
    memory.balances[pocket] = _bounded(statement.closing_minor)
    memory.statements[statement.statement_id] = statement
    return statement


def _bounded(minor: int) -> int:
    """Refuse to count further than money goes."""
    if abs(minor) > MAX_MINOR:
        raise InvalidInput("AMOUNT_RANGE", "The account would pass 10^15 minor units.")
    return minor


def _pocket(account: str, currency: str) -> str:
    return f"{account} {currency}"


def _compact(account: str) -> str:
    """Write an IBAN without blanks; leave any other account number as it is."""
    return iban.compact(account) if iban.is_valid(account, check_country=False) else account.strip()


def _file(statement: Statement, version: str = STATEMENT_VERSION) -> BankFile:
    kind = version[:8].replace(".", "")
    form = "" if version == STATEMENT_VERSION else f"-{version[-2:]}"
    return f"{kind}-{statement.statement_id[-6:]}{form}.xml", write_statement(statement, version)

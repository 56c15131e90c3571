"""How an Italian invoice is to be paid: when, in which parts, to whom, and how much of it.

The seller may collect the total less what the buyer withholds, and never more than the invoice
asks for. Instalments leave an invoice without one due date, as in every other format: none of
them is that of the whole, and the buyer states the day when accepting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from lxml import etree

from scf.documents.canonical import Account, Party
from scf.documents.readers.fatturapa_parts import ItalianScope
from scf.documents.readers.ubl import MAX_NOTE
from scf.documents.readers.ubl_parts import make_account
from scf.kernel.errors import Words
from scf.kernel.findings import Severity
from scf.kernel.money import format_minor

_IN_ADVANCE: Final = "TP03"
_MAX_DAYS: Final = 999
_MAX_SHOWN: Final = 12


def read_payment(
    scope: ItalianScope, blocks: Sequence[etree._Element], fields: dict[str, Any]
) -> None:
    """Read the payment sections; without any, the whole is to be paid and nobody says when."""
    accounts: dict[Account, None] = {}
    payees: dict[str, None] = {}
    references: dict[str, None] = {}
    parts: list[tuple[dt.date | None, int | None]] = []
    terms: list[str] = []
    sums: list[int | None] = []
    for block in blocks:
        details = block.findall("DettaglioPagamento")
        condition = scope.read(block, "CondizioniPagamento", "terms")
        if condition == _IN_ADVANCE:
            message = "The invoice is payable in advance; what was paid before is no receivable."
            place = scope.source.place("terms")
            scope.add(Severity.WARNING, "NOT_A_RECEIVABLE", message, place, condition)
        amounts: list[int | None] = []
        for detail in details:
            payee = scope.read(detail, "Beneficiario", "payee")
            payees |= {payee: None} if payee else {}
            number = scope.read(detail, "IBAN", "accounts")
            if number:
                bank = scope.read(detail, "BIC", "accounts")
                accounts[make_account(number, bank, payee)] = None
            reference = scope.read(detail, "CodicePagamento", "payment_reference")
            references |= {reference: None} if reference else {}
            due, amount = _due(scope, detail), scope.minor(detail, "ImportoPagamento", "payable")
            parts.append((due, amount))
            amounts.append(amount)
            if len(terms) < _MAX_SHOWN:
                terms.append(_term(scope, detail, condition, due, amount))
        sums.append(None if None in amounts else sum(one for one in amounts if one is not None))
    fields["accounts"] = tuple(accounts)
    fields["payment_reference"] = next(iter(references), "") if len(references) == 1 else ""
    fields["payment_terms"] = "; ".join(terms)[:MAX_NOTE]
    others = [one for one in payees if one.casefold() != fields["seller"].name.casefold()]
    if others:
        fields["payee"] = Party(name=others[0])
    _read_due(scope, parts, fields)
    _read_payable(scope, sums, fields)


def _due(scope: ItalianScope, detail: etree._Element) -> dt.date | None:
    """Give the day stated, or the one so many days after the day from which they count."""
    stated = scope.day(detail, "DataScadenzaPagamento", "due_on")
    if stated is not None:
        return stated
    start = scope.day(detail, "DataRiferimentoTerminiPagamento", "due_on")
    days = scope.read(detail, "GiorniTerminiPagamento", "due_on")
    if start is None or not (days.isascii() and days.isdigit()) or int(days[:4]) > _MAX_DAYS:
        return None
    return start + dt.timedelta(days=int(days))


def _term(
    scope: ItalianScope,
    detail: etree._Element,
    condition: str,
    due: dt.date | None,
    amount: int | None,
) -> str:
    way = scope.read(detail, "ModalitaPagamento", "terms")
    shown = format_minor(amount, scope.currency) if amount is not None else ""
    words = (condition, way, due.isoformat() if due else "", shown)
    return " ".join(word for word in words if word)


def _read_due(
    scope: ItalianScope,
    parts: Sequence[tuple[dt.date | None, int | None]],
    fields: dict[str, Any],
) -> None:
    days = {day for day, _ in parts}
    if len(days) == 1 and "due_on" not in scope.unread:
        fields["due_on"] = days.pop()
    elif len(days) > 1:
        shown = ", ".join(
            f"{day.isoformat() if day else '–'} {amount}"
            for day, amount in (
                (day, format_minor(minor, scope.currency) if minor is not None else "–")
                for day, minor in parts[:_MAX_SHOWN]
            )
        )
        message = Words("The invoice is payable in %(count)s parts.", count=len(parts))
        scope.add(Severity.INFO, "INSTALMENTS", message, scope.source.place("due_on"), shown)


def _read_payable(scope: ItalianScope, sums: Sequence[int | None], fields: dict[str, Any]) -> None:
    """Hold what the payment sections ask for against what is owed to the seller."""
    gross, net, tax = (fields.get(name) for name in ("gross_minor", "net_minor", "tax_minor"))
    if gross is None or net is None or tax is None:
        scope.unread.add("payable")
        return
    rounding = fields.get("rounding_minor") or 0
    inside = bool(rounding) and gross == net + tax + rounding
    whole = gross if inside else gross + rounding
    withheld = fields.get("withheld_minor") or 0
    owed = whole - withheld
    asked = [one for one in sums if one is not None]
    if not sums:
        fields["payable_minor"] = owed
        return
    if len(asked) < len(sums):
        scope.unread.add("payable")
        return
    # Several sections over the whole are ways to pay it, and not so many times the whole.
    total = asked[0] if len(set(asked)) == 1 and asked[0] in (owed, whole) else sum(asked)
    place, shown = scope.source.place("payable"), format_minor(total, scope.currency)
    fields["payable_minor"] = total
    if total == whole and withheld:
        fields["payable_minor"] = owed
        message = "The payment is stated before what the buyer withholds; only the rest is paid."
        scope.add(Severity.INFO, "PAYMENT_BEFORE_WITHHOLDING", message, place, shown)
    elif 0 < total < owed:
        fields["prepaid_minor"] = owed - total
        message = Words(
            "The payment section asks for less than the %(owed)s that are owed; the rest counts as "
            "paid.",
            owed=format_minor(owed, scope.currency),
        )
        scope.add(Severity.WARNING, "PAYMENT_LESS", message, place, shown)

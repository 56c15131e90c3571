"""Read an advice or a settlement from a table (CSV), with a fixed header each.

Advice: payer, number, reference, paid_on, currency, item, gross, deduction, reason, paper, net; one
row an item, ``gross`` - ``deduction`` = ``net``. Settlement: platform, merchant, number, reference,
paid_on, currency, kind, order, amount; amounts are signed as they change the pay-out (orders +,
refunds and fees -), and one row of kind ``net`` is their sum. What names the paper is the same in
every row. Nothing is guessed: the first thing that is wrong refuses the file with row and column.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

from scf.documents.readers.encoding import detect_encoding
from scf.documents.readers.table import SAMPLE_BYTES, Lines, detect_delimiter, rows
from scf.documents.readers.text import squeeze
from scf.documents.readers.values import read_date
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.kernel.money import parse_minor
from scf.settlement.advised.papers import MOST_LINES, PLATFORM, REMITTANCE, Paper, PaperLine

MAX_BYTES: Final = 2_000_000
_HEAD: Final = ("number", "reference", "paid_on", "currency")
ADVICE: Final = ("payer", *_HEAD, "item", "gross", "deduction", "reason", "paper", "net")
SETTLEMENT: Final = ("platform", "merchant", *_HEAD, "kind", "order", "amount")
KINDS: Final = ("order", "refund", "fee", "net")
_Row = tuple[int, Mapping[str, str]]


def wrong(row: int, column: str, reason: str, value: str = "") -> InvalidInput:
    """Say what is wrong, and where."""
    return InvalidInput(
        "ADVICE_ROW",
        "Row %(row)s, column %(column)s: %(reason)s",
        row=row,
        column=column,
        reason=reason,
        value=shown(value, 60),
    )


def read_table(data: bytes) -> Paper:
    """Read a table as the paper that its header says it is.

    Raises
    ------
    InvalidInput
        ADVICE_FORMAT for another header, ADVICE_ROW with row and column, ADVICE_SUM.
    """
    header, found = _rows(data)
    if set(header) == set(ADVICE):
        return _advice(found)
    if set(header) == set(SETTLEMENT):
        return _settlement(found)
    raise InvalidInput(
        "ADVICE_FORMAT",
        "The header is that of no advice (%(advice)s) and no settlement (%(settlement)s).",
        advice=", ".join(ADVICE),
        settlement=", ".join(SETTLEMENT),
    )


def _rows(data: bytes) -> tuple[list[str], list[_Row]]:
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            "ADVICE_TOO_LARGE", "The file has more than %(limit)s bytes.", limit=MAX_BYTES
        )
    encoding = detect_encoding(data[:SAMPLE_BYTES])
    head = data[:SAMPLE_BYTES].decode(encoding, errors="replace")
    lines = Lines(io.BytesIO(data), encoding, MAX_BYTES)
    raw = rows(lines, detect_delimiter(head.splitlines()[:60]))
    first = next(raw, None)
    header = [squeeze(cell).lower() for cell in first.cells] if first is not None else []
    found: list[_Row] = []
    for row in raw:
        if row.finding is not None:
            raise wrong(row.line, "-", "the row cannot be read")
        cells = [squeeze(cell) for cell in row.cells]
        if not any(cells):
            continue
        if len(cells) > len(header) or len(found) >= MOST_LINES:
            raise wrong(row.line, "-", "more cells or rows than are read")
        cells += [""] * (len(header) - len(cells))
        found.append((row.line, dict(zip(header, cells, strict=True))))
    if lines.broken is not None:
        raise wrong(lines.number, "-", "the file cannot be read")
    return header, found


def _advice(found: list[_Row]) -> Paper:
    said = _head(found, ("payer", *_HEAD))
    currency = said["currency"]
    lines: list[PaperLine] = []
    net = 0
    for row, cells in found:
        gross = _money(row, cells, "gross", currency)
        taken = _money(row, cells, "deduction", currency) if cells["deduction"] else 0
        own = _money(row, cells, "net", currency)
        if gross <= 0 or taken < 0 or own < 0:
            raise wrong(row, "gross", "an item is more than nothing, and pays no less than nothing")
        if gross - taken != own:
            raise wrong(row, "net", "gross less deduction is not net", cells["net"])
        if not cells["item"]:
            raise wrong(row, "item", "the number of the item is missing")
        if taken and not cells["reason"]:
            raise wrong(row, "reason", "a deduction has a reason")
        number = cells["item"][:200]
        lines.append(PaperLine(f"row {row}", "item", number, gross))
        if taken:
            reason, paper = cells["reason"][:200], cells["paper"][:200]
            lines.append(PaperLine(f"row {row}", "deduction", number, -taken, reason, paper))
        net += own
    return _paper(REMITTANCE, said, said["payer"], "", net, lines)


def _settlement(found: list[_Row]) -> Paper:
    said = _head(found, ("platform", "merchant", *_HEAD))
    currency = said["currency"]
    lines: list[PaperLine] = []
    nets: list[tuple[int, int]] = []
    for row, cells in found:
        kind = cells["kind"].lower()
        if kind not in KINDS:
            raise wrong(row, "kind", f"one of {', '.join(KINDS)}", cells["kind"])
        amount = _money(row, cells, "amount", currency)
        if kind == "net":
            nets.append((row, amount))
            continue
        if (kind == "order" and amount <= 0) or (kind == "refund" and amount >= 0):
            raise wrong(row, "amount", "orders add, refunds take off", cells["amount"])
        if kind != "fee" and not cells["order"]:
            raise wrong(row, "order", "the number of the order is missing")
        lines.append(PaperLine(f"row {row}", kind, cells["order"][:200], amount))
    if len(nets) != 1:
        raise wrong(found[-1][0], "kind", "one row of the kind net is the sum")
    row, net = nets[0]
    if sum(one.amount_minor for one in lines) != net:
        raise wrong(row, "amount", "orders less refunds and fees are not net")
    if net <= 0:
        raise wrong(row, "amount", "a settlement that pays nothing out explains no credit")
    return _paper(PLATFORM, said, said["platform"], said["merchant"], net, lines)


def _paper(
    kind: str,
    said: Mapping[str, str],
    sender: str,
    merchant: str,
    net: int,
    lines: list[PaperLine],
) -> Paper:
    day = read_date(said["paid_on"], ("YYYY-MM-DD",)) if said["paid_on"] else None
    return Paper(
        kind, said["number"][:200], sender[:200], merchant[:200], said["reference"][:200],
        said["currency"], day, net, tuple(lines),
    )  # fmt: skip


def _head(found: list[_Row], names: tuple[str, ...]) -> dict[str, str]:
    """Read what names the paper; it is the same in every row, or left out below the first."""
    if not found:
        raise InvalidInput("ADVICE_EMPTY", "The paper has no line.")
    first_row, first = found[0]
    said = {name: first[name] for name in names}
    for row, cells in found[1:]:
        for name in names:
            if cells[name] not in {"", said[name]}:
                raise wrong(row, name, "not the same as in the first row", cells[name])
    for name in names:
        if not said[name] and name not in {"reference", "paid_on"}:
            raise wrong(first_row, name, "this is missing")
    if said["paid_on"] and read_date(said["paid_on"], ("YYYY-MM-DD",)) is None:
        raise wrong(first_row, "paid_on", "a day is written as 2026-03-31", said["paid_on"])
    said["currency"] = said["currency"].upper()
    return said


def _money(row: int, cells: Mapping[str, str], column: str, currency: str) -> int:
    try:
        return parse_minor(cells[column], currency, signed=True)
    except InvalidInput as refused:
        raise wrong(row, column, refused.message, cells[column]) from None

"""Small SWIFT statements and bank tables of our own, written by hand."""

from __future__ import annotations

from collections.abc import Sequence

HEAD = ":20:STARTUMS\r\n:25:37040044/0532013000\r\n:28C:7/1\r\n"


def line(
    amount: str = "100,00",
    mark: str = "C",
    *,
    day: str = "260310",
    entry: str = "0310",
    bank: str = "",
    text: str = "166?00GUTSCHRIFT?20EREF+E2E-1?21SVWZ+Invoice 4711?32Buyer SA",
) -> str:
    """One entry with its field 86."""
    reference = f"//{bank}" if bank else ""
    information = f":86:{text}\r\n" if text else ""
    return f":61:{day}{entry}{mark}{amount}NTRFNONREF{reference}\r\n{information}"


def message(
    *lines: str, opening: str = "C260309EUR0,", closing: str = "C260310EUR100,00", head: str = HEAD
) -> bytes:
    """One page: head, opening balance, entries, closing balance."""
    inside = "".join(lines)
    return f"{head}:60F:{opening}\r\n{inside}:62F:{closing}\r\n-\r\n".encode()


def table(rows: Sequence[Sequence[str]], sign: str = ";") -> bytes:
    """A bank's table with a German header."""
    header = ("Buchungstag", "Betrag", "Name", "Zweck", "Saldo")
    return "".join(f"{sign.join(row)}\n" for row in (header, *rows)).encode()


MAPPING = """{"columns": {"booked_on": "Buchungstag", "amount": "Betrag", "name": "Name",
 "text": "Zweck", "balance": "Saldo"}, "account": "DE89370400440532013000", "currency": "EUR",
 "date_formats": ["DD.MM.YYYY"], "decimal": "comma"}"""

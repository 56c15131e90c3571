"""What a forger tries to bring one claim twice, handed in as files, and what becomes of each.

BLOCKED: not stored. A rule: kept, shown to buyer and financier, and no money before a person's
word. Empty: nobody sees it by the papers alone; each has its reason beside it.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from scf.db.engine import Database
from tests.documents import ubl
from tests.documents.duplicates.test_same_paper import OTHER_BUYER, paper
from tests.documents.duplicates.test_suspicions import ITEM_INVOICES, item_table, suspicions
from tests.documents.readers import pdfs
from tests.documents.trade import (
    BUYER,
    CREDIT_NOTES,
    INVOICES,
    ORDERS,
    SELLER,
    Trade,
    credit_table,
    line_table,
    trade_on,
)

Row = dict[str, Any]
COMMA: Final = INVOICES.model_copy(
    update={"decimal": "comma", "date_formats": ("DD.MM.YYYY",), "delimiter": ";"}
)


def with_goods(trade: Trade, row: Row, *goods: str) -> Any:  # noqa: ANN401 - an import's answer
    rows = [
        row | {"line": str(n), "item": item, "quantity": 4, "net": row["amount"]}
        for n, item in enumerate(goods, start=1)
    ]
    return trade.hand_in(item_table(rows), ITEM_INVOICES)


def again(**changes: Any) -> Callable[[Trade, Row], Any]:  # noqa: ANN401 - any cell
    """Bring the same invoice once more with these cells changed."""

    def act(trade: Trade, row: Row) -> Any:  # noqa: ANN401
        trade.invoices(row)
        return trade.invoices(row | {name: value.format(**row) for name, value in changes.items()})

    return act


def in_ubl(trade: Trade, row: Row) -> Any:  # noqa: ANN401
    trade.invoices(row)
    return trade.hand_in(ubl.invoice(row["number"], row["amount"]))


def in_pdf(trade: Trade, row: Row) -> Any:  # noqa: ANN401
    """Bring the same claim as a list, as UBL and as a PDF with the data inside."""
    in_ubl(trade, row)
    page = (f"Invoice no. {row['number']}", f"Total {row['amount']} EUR")
    return trade.hand_in(pdfs.invoice(ubl.invoice(row["number"], row["amount"]), page))


def in_commas(trade: Trade, row: Row) -> Any:  # noqa: ANN401
    trade.invoices(row)
    head = "number;date;due;amount;order;type;seller;buyer\n"
    amount = f"{row['amount'][0]}.{row['amount'][1:].replace('.', ',')}"
    cells = (row["number"], "01.02.2026", "30.06.2026", amount, "", "", SELLER, BUYER)
    return trade.hand_in((head + ";".join(cells) + "\n").encode(), COMMA)


def goods_kept(trade: Trade, row: Row) -> Any:  # noqa: ANN401
    with_goods(trade, row, "pump", "valve")
    dearer = row | {"number": "Q-" + row["number"][::-1], "amount": "2019.37"}
    return with_goods(trade, dearer, "pump", "valve")


def one_line_moved(trade: Trade, row: Row) -> Any:  # noqa: ANN401
    with_goods(trade, row, "pump", "valve", "seal")
    return with_goods(trade, row | {"number": "P-77", "amount": "650.00"}, "pump", "valve")


def split_on_its_order(trade: Trade, row: Row) -> Any:  # noqa: ANN401
    line = {"number": "PO-5", "amount": row["amount"], "quantity": "4", "net": row["amount"]}
    trade.hand_in(line_table([line]), ORDERS)
    trade.invoices(row | {"order": "PO-5"})
    half = f"{float(row['amount']) / 2:.2f}"
    made = [row | {"number": f"H-{n}77{n}", "order": "PO-5", "amount": half} for n in (1, 2)]
    answer = trade.invoices(*made)
    assert {trade.invoice(one["number"]).match_state for one in made} == {"EXCEPTION"}
    return answer


def credited_and_issued_again(trade: Trade, row: Row) -> Any:  # noqa: ANN401
    trade.invoices(row)
    credit = {"number": "C-" + row["number"], "amount": row["amount"], "invoice": row["number"]}
    trade.hand_in(credit_table([credit]), CREDIT_NOTES)
    return trade.invoices(row | {"number": "N-" + row["number"]})


def for_another_branch(trade: Trade, row: Row) -> Any:  # noqa: ANN401
    trade.invoices(row)
    return trade.invoices(row | {"buyer": OTHER_BUYER}, actor=trade.seller)


def other_program_kept_its_identifier(trade: Trade, row: Row) -> Any:  # noqa: ANN401
    trade.hand_in(paper(row["number"], row["amount"]))
    return trade.hand_in(paper("T-90210", "4711.00").replace(b"2026-02-01", b"2026-02-27"))


EVASIONS: Final[dict[str, tuple[Callable[[Trade, Row], Any], str]]] = {
    "another word in front": (again(number="RE {number}"), "BLOCKED"),
    "letter O for zero": (again(number="2O26-{n}O7"), "BLOCKED"),
    "blanks": (again(number=" 2 0 2 6 - {n}07 "), "BLOCKED"),
    "without its separators": (again(number="2026{n}07"), "BLOCKED"),
    "look-alike letters": (again(number="\u0406NV 2026-{n}07"), "BLOCKED"),
    "zeros in front": (again(number="2026-00{n}07"), "BLOCKED"),
    "one cent more": (again(amount="{cent}"), "BLOCKED"),
    "another day": (again(date="2026-02-25"), "BLOCKED"),
    "another format": (in_ubl, "BLOCKED"),
    "a third format": (in_pdf, "BLOCKED"),
    "decimal commas": (in_commas, "BLOCKED"),
    "another number, two days later": (again(number="Z-9{n}1", date="2026-02-03"), "SAME_AMOUNT"),
    "a letter behind, one cent more": (again(number="{number}-A", amount="{cent}"), "NEAR_NUMBER"),
    "two digits swapped, a little more": (
        again(number="2026-{n}70", amount="{more}", date="2026-02-05"),
        "NEAR_NUMBER",
    ),
    "the same goods, other tax and sum": (goods_kept, "SOME_LINES"),
    "a line left out": (one_line_moved, "SOME_LINES"),
    "in two halves of its order": (split_on_its_order, "SAME_ORDER"),
    "the buyer's other branch": (for_another_branch, "OTHER_BUYER"),
    "all changed but its identifier": (other_program_kept_its_identifier, "SAME_UUID"),
    "credited and issued again": (credited_and_issued_again, ""),  # honest: the first is gone
    # Nothing of the first is left to see: the buyer, who is asked to accept both, knows.
    "number, day and cents changed": (
        again(number="Z-9{n}1", date="2026-02-05", amount="{cent}"),
        "",
    ),
}  # fmt: skip


@pytest.fixture
def trade(db: Database) -> Trade:
    made = trade_on(db)
    numbers = [{"scheme": "duns", "value": OTHER_BUYER}]
    made.world.firm("branch", identifiers=numbers, country="DE")
    return made


def test_what_becomes_of_each_evasion(trade: Trade) -> None:
    seen = {}
    for place, (name, (act, _)) in enumerate(EVASIONS.items()):
        n, whole = 11 + place, 1_000 + 137 * place
        row = {"n": n, "number": f"2026-{n}07", "amount": f"{whole}.00"}
        row |= {"cent": f"{whole}.01", "more": f"{whole + 9}.00"}
        before = {one.id for one in suspicions(trade)}
        answer = act(trade, row)
        codes = {one.code for one in suspicions(trade) if one.id not in before}
        seen[name] = "BLOCKED" if answer["duplicate"] and not answer["stored"] else " ".join(codes)
    assert seen == {name: tier for name, (_, tier) in EVASIONS.items()}

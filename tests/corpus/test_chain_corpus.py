"""Real payments of a public buyer as a chain; run by ``make corpus``.

What the chain says of the buyer's concentration is held against the sums of the spreadsheets
themselves, added up without the platform.
"""

import os
from decimal import Decimal
from pathlib import Path

import pytest

from scf.chain import service, views
from tests.corpus.spend import COUNCIL, imported, payments, spreadsheet_sums


@pytest.mark.corpus
def test_the_concentration_of_a_public_buyer_is_that_of_its_spreadsheets(tmp_path: Path) -> None:
    corpus = Path(os.environ["CORPUS"])
    spend = imported(f"sqlite:///{tmp_path / 'spend.db'}", corpus)
    sums = spreadsheet_sums(corpus)
    lines = payments(spend)
    assert {line.document_state for line in lines} == {"VALIDATED"}
    with spend.platform.db.snapshot() as conn:
        snapshot = service.latest_snapshot(conn, spend.bank)
        seen = views.chain_of(conn, spend.officer, spend.council, 1, 1)
    assert seen.names[spend.council] == COUNCIL
    # Every penny of the sheets arrives, refunds taken off.
    told = {one.seller_id: one.payments_52w_minor or 0 for one in seen.relations}
    assert Decimal(sum(told.values())) / 100 == sum(sums.values())
    # Supplier numbers that one name shares are one firm here; the sheet does not say they are.
    firms: dict[str, str] = {}
    for line in lines:
        number = next(i["value"] for i in line.parties["seller"]["identifiers"])
        firms[number] = line.payee_id
    by_firm: dict[str, Decimal] = {}
    for number, total in sums.items():
        by_firm[firms[number]] = by_firm.get(firms[number], Decimal(0)) + total
    assert {
        one.seller_id: Decimal(one.payments_52w_minor or 0) / 100 for one in seen.relations
    } == (by_firm)
    bought = {firm: total for firm, total in by_firm.items() if total > 0}
    whole = sum(bought.values())
    (share,) = views.concentrations(seen.relations, spend.council)
    assert (share.currency, share.side, share.partners) == ("GBP", "purchases", len(bought))
    assert Decimal(share.total_minor) / 100 == whole
    assert share.top_share == pytest.approx(float(max(bought.values()) / whole), rel=1e-12)
    assert share.hhi == pytest.approx(float(sum((t / whole) ** 2 for t in bought.values())))
    kept = seen.nodes[spend.council].indicators["GBP"]["purchases"]
    assert kept["hhi_ppm"] == round(share.hhi * 1_000_000)
    assert kept["minor"] == share.total_minor
    assert snapshot.firms == len(by_firm) + 1
    spend.platform.close()

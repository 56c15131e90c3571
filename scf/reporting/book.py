"""A financier's book as columnar tables: invoices, firms and what it has bought, on one morning.

Read for `scf risk reprice` and for a bank's warehouse; the columns are those of
``scf.risk.batch.layout``. Nothing is changed.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from scf.chain.service import latest_snapshot
from scf.documents.models import Invoice
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.financing.reserve import open_face
from scf.kernel.errors import Unavailable
from scf.kernel.ids import canonical_json
from scf.kernel.rates import PPM, percent_to_fraction, round_half_up
from scf.parties.models import Firm
from scf.parties.service import business_date
from scf.programmes.techniques import obligation
from scf.programmes.terms import Terms
from scf.risk import items as reading
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf, morning_of
from scf.risk.batch.layout import TABLES
from scf.risk.batch.special import special_of
from scf.risk.firmfacts import Known, known_of
from scf.risk.items import NO_DAY, Items
from scf.risk.members import firms_of
from scf.risk.reading import MOST_DAYS, Morning
from scf.risk.reading import morning as read_morning
from scf.risk.storing import PRICE
from scf.risk.writing import ASSESSMENT
from scf.settlement.loans import terms_of_versions

_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_FIRM: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_ACCEPTED: Final = frozenset({"ACCEPTED", "PART_ACCEPTED", "DEEMED"})


@dataclass(frozen=True, slots=True)
class Book:
    """The tables of a book as columns by name, the day they stand on, and their morning."""

    on: dt.date
    morning: AsOf
    tables: Mapping[str, Mapping[str, Sequence[Any]]]

    def write(self, folder: Path) -> dict[str, int]:
        """Write each table as Parquet into a folder; gives the number of rows of each."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder.mkdir(parents=True, exist_ok=True)
        kinds = {
            "text": pa.string(), "number": pa.string(), "whole": pa.int64(),
            "day": pa.date32(), "flag": pa.bool_(),
        }  # fmt: skip
        rows: dict[str, int] = {}
        for name, columns in TABLES.items():
            table = pa.table(
                {
                    one.name: pa.array(self.tables[name][one.name], type=kinds[one.kind])
                    for one in columns
                }
            )
            pq.write_table(table, folder / f"{name}.parquet")
            rows[name] = table.num_rows
        return rows


def book_of(conn: Connection, financier_id: str, appetite: Appetite) -> Book:
    """Read a financier's book as it stands, with what was known on its newest morning.

    Raises
    ------
    Unavailable
        MODEL_UNAVAILABLE where that morning is so old that nothing is priced on it.
    RuleViolation
        GRAPH_MISSING.
    """
    on = business_date(conn, financier_id)
    snapshot = latest_snapshot(conn, financier_id)
    if (on - snapshot.as_of_on).days > MOST_DAYS:
        raise Unavailable(
            "MODEL_UNAVAILABLE",
            "The firms were last assessed on %(as_of_on)s; nothing is priced on that any more.",
            as_of_on=snapshot.as_of_on.isoformat(),
        )
    seen = conn.execute(
        select(func.max(ASSESSMENT.c.sequence)).where(ASSESSMENT.c.snapshot_id == snapshot.id)
    ).scalar_one()
    morning = morning_of(conn, snapshot, seen)
    items = reading.load(conn, morning, appetite)
    owed = _receivables(conn, financier_id, morning, appetite)
    chain = set(firms_of(conn, morning, snapshot.id))
    named = {*items.firms, *chain, *owed["seller_id"], *owed["obligor_id"]}
    told = read_morning(conn, financier_id, on, _by_model(conn, snapshot.id))
    tables = {
        "invoices": _invoices(items),
        "firms": _firms(sorted(named), chain, known_of(conn, morning, appetite), told),
        "receivables": owed,
    }
    return Book(on, morning, tables)


def _invoices(items: Items) -> dict[str, Any]:
    """Name the columns of what was known of each invoice."""
    import numpy as np

    firms = np.array([*items.firms, ""], dtype=object)

    def day(values: Any, holds: Any = None) -> Any:  # noqa: ANN401 - of numpy
        there = values != NO_DAY if holds is None else holds
        return [
            dt.date.fromordinal(_FIRST + one) if known else None
            for one, known in zip(values.tolist(), there.tolist(), strict=True)
        ]

    amounts = ("base", "net", "sold", "rest", "diluted", "kept", "material")
    return {
        "invoice_id": list(items.ids),
        "seller_id": firms[items.seller].tolist(),
        "buyer_id": firms[items.buyer].tolist(),
        "issued_on": day(items.issued),
        "due_on": day(items.due),
        "settled_on": day(items.settled_on, items.settled),
        "settled_known_on": day(items.settled_known, items.settled),
        "closed_known_on": day(items.closed_known, items.closed),
        **{name: getattr(items, name) for name in amounts},
    }


_FIRST: Final = dt.date(1970, 1, 1).toordinal()
_FIGURES: Final = ("revenue", "equity", "liquidity", "weekly_cost", "rated_pd")


def _by_model(conn: Connection, snapshot_id: str) -> list[str]:
    """Name the firms of which a trained champion was asked on a morning."""
    return list(
        conn.execute(
            select(ASSESSMENT.c.firm_id).where(
                ASSESSMENT.c.snapshot_id == snapshot_id, ASSESSMENT.c.model_id.is_not(None)
            )
        ).scalars()
    )


def _firms(
    named: Sequence[str], chain: set[str], known: Mapping[str, Known], asked: Morning | None
) -> dict[str, list[Any]]:
    """Say what is known of each firm; exact figures as text."""
    models = {} if asked is None else asked.firms
    nothing = Known()
    said = [known.get(firm, nothing) for firm in named]

    def figure(one: Known, name: str) -> str | None:
        value = getattr(one, name)
        return None if value is None else str(value)

    return {
        "firm_id": list(named),
        "in_chain": [firm in chain for firm in named],
        "founded_on": [one.founded_on for one in said],
        "statement_months": [one.statement_months for one in said],
        "notches": [one.notches for one in said],
        **{name: [figure(one, name) for one in said] for name in _FIGURES},
        "own_pd": [None] * len(named),
        "told": [
            canonical_json(models[firm].result["risk"])
            if firm in models and models[firm].risk.term is not None
            else None
            for firm in named
        ],
        "flags": [" ".join(models[firm].flags) if firm in models else None for firm in named],
    }


# --- What has been bought -------------------------------------------------------------------------


def _receivables(
    conn: Connection, financier_id: str, morning: AsOf, appetite: Appetite
) -> dict[str, list[Any]]:
    """Say of each advance that is out what is owed, and on which terms it was bought."""
    rows = conn.execute(
        select(_ADVANCE, _INVOICE.c.acceptance_state, _INVOICE.c.ipu, _INVOICE.c.buyer_id)
        .join(_INVOICE, _INVOICE.c.id == _ADVANCE.c.invoice_id)
        .where(_ADVANCE.c.financier_id == financier_id, _ADVANCE.c.state.in_(OUT))
        .order_by(_ADVANCE.c.id)
    ).all()
    made = {
        row.quote_line_id: json.loads(json.loads(row.terms)["claimed"])
        for row in conn.execute(
            select(PRICE.c.quote_line_id, PRICE.c.terms).where(
                PRICE.c.quote_line_id.in_(
                    select(_ADVANCE.c.quote_line_id).where(
                        _ADVANCE.c.financier_id == financier_id, _ADVANCE.c.state.in_(OUT)
                    )
                )
            )
        )
    }
    terms = terms_of_versions(conn, {row.programme_version_id for row in rows})
    countries = {row.id: row.country for row in conn.execute(select(_FIRM.c.id, _FIRM.c.country))}
    lines = []
    for row in rows:
        if lent(row) <= 0:
            continue
        said = made.get(row.quote_line_id)
        said = said or _by_contract(row, terms[row.programme_version_id], countries)
        lines.append(_line(row, said) | special_of(conn, morning, appetite, said, lent(row)))
    names = [one.name for one in TABLES["receivables"]]
    return {name: [line[name] for line in lines] for name in names}


def lent(row: Any) -> int:  # noqa: ANN401 - a row of advance
    """Give what is still out on an advance: its open face, less what is held back of it."""
    return open_face(row) - int(row.reserve_left_minor)


def _line(
    row: Any,  # noqa: ANN401 - a row of advance with its invoice
    said: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "receivable_id": row.id,
        "seller_id": said["seller_id"],
        "obligor_id": said["obligor_id"],
        "currency": row.currency,
        "face": lent(row),
        "due_on": row.due_on,
        "bought_ppm": round_half_up(percent_to_fraction(row.rate_percent) * PPM),
        **{
            name: said[name]
            for name in (
                "claim", "basis", "rate_basis", "disclosed", "cross_border", "recourse",
                "recourse_after_days", "reserve_ppm", "reserve_covers_credit",
                "dilution_capital", "legal_cap_ppm", "margin_shift_bp",
            )
        },
    }  # fmt: skip


def _by_contract(row: Any, terms: Terms, countries: Mapping[str, str]) -> dict[str, Any]:  # noqa: ANN401
    """Say what an advance at a contract price would be to a price by risk."""
    owed = obligation(terms, row)
    accepted = row.acceptance_state in _ACCEPTED
    both = {countries.get(row.seller_id), countries.get(owed.obligor_id)} - {None, ""}
    return {
        "claim": "undertaking" if owed.undertaking else "revocable" if accepted else "plain",
        "obligor_id": owed.obligor_id,
        "seller_id": row.seller_id,
        "basis": terms.day_count.basis,
        "rate_basis": terms.rate_basis,
        "disclosed": owed.disclosed,
        "cross_border": len(both) > 1,
        "recourse": owed.recourse != "none",
        "recourse_after_days": owed.recourse_after_days,
        "reserve_ppm": int(Fraction(row.reserve_minor * PPM, row.face_minor)),
        "reserve_covers_credit": terms.reserve_covers_credit,
        "dilution_capital": terms.dilution_capital,
        "legal_cap_ppm": terms.legal_cap_ppm,
        "margin_shift_bp": 0,
    }

"""A public buyer's payment files as a chain: imported as they are, its suppliers made known."""

import csv
import dataclasses
import datetime as dt
import gzip
import io
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from scf.bootstrap import build, create_schema
from scf.chain import nightly
from scf.db.platform import Platform
from scf.documents.intake import run_upload
from scf.documents.models import DocumentFinding, TradePayment
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.clock import FixedClock
from scf.parties.models import BusinessDate
from tests.corpus.documents import proposed
from tests.support.deals import programme_file, table

COUNCIL = "Oxford City Council"
FILES = (
    "spend-oxford/expenditure-over-500-jan-mar-2014.csv.gz",
    "spend-oxford/expenditure-over-500-jul-sep-2014.csv.gz",
)
LOADED = dt.datetime(2014, 10, 1, 12, tzinfo=dt.UTC)
FROM, UNTIL = dt.date(2013, 10, 3), dt.date(2014, 10, 2)  # the 52 weeks before the snapshot's day


@dataclasses.dataclass
class Spend:
    """The platform with the files in it, and who is who."""

    platform: Platform
    council: str
    bank: str
    officer: Actor
    findings: "Counter[str]"


def imported(url: str, corpus: Path) -> Spend:
    """Import both files, let a person invite every supplier they name, build the chain."""
    create_schema(url)
    clock = FixedClock(LOADED)
    platform = build(url, clock=clock)

    def run(what: str, actor: Actor, key: str, /, **data: object) -> dict[str, Any]:
        return platform.run(what, data, actor, key=key).result

    ids = {}
    for name, kind in ((COUNCIL, "trader"), ("A Bank", "financier")):
        ids[kind] = str(
            run("firm.add", OPERATOR, f"add {kind}", name=name, kind=kind, country="GB")["id"]
        )
        run("firm.activate", OPERATOR, f"on {kind}", firm_id=ids[kind], evidence="its own word")
    run("day.open", OPERATOR, "day", financier_id=ids["financier"], on=LOADED.date())
    clerk = Actor("u-clerk", ids["trader"], frozenset({Role.ANCHOR_CLERK}))
    maker = Actor("u-maker", ids["financier"], frozenset({Role.OFFICER_MAKER}))
    checker = Actor("u-checker", ids["financier"], frozenset({Role.OFFICER_CHECKER}))
    loaded = run(
        "programme.load", maker, "load", content=programme_file(), anchor_id=ids["trader"],
        effective_on=LOADED.date(),
    )  # fmt: skip
    run("programme.activate", checker, "activate", programme_id=loaded["id"])
    for name in FILES:
        content = (corpus / name).read_bytes()
        received = run(
            "upload.receive",
            clerk,
            name,
            name=Path(name).name,
            content=content,
            document_type="payment",
            mapping=proposed(content, COUNCIL, "GBP"),
        )
        run_upload(platform, received["upload_id"])
    findings = _invite(platform, clerk, maker, ids["trader"])
    clock.advance(days=1)
    with platform.db.writer.begin() as conn:
        conn.execute(table(BusinessDate).update().values(current_on=UNTIL))
    nightly.build_all(platform)
    return Spend(platform, ids["trader"], ids["financier"], maker, findings)


def _invite(platform: Platform, clerk: Actor, maker: Actor, council: str) -> Counter[str]:
    """Make every named supplier a firm, as `scf firm add --from-finding` and an officer do."""
    finding = table(DocumentFinding)
    with platform.db.snapshot() as conn:
        rows = conn.execute(
            select(finding.c.id, finding.c.code, finding.c.value).order_by(finding.c.id)
        ).all()
    for row in rows:
        if row.code != "FIRM_UNKNOWN":
            continue
        if row.value == COUNCIL:
            link = {"firm_id": council, "finding_id": row.id}
            platform.run("firm.identify", link, maker, key=row.id)
            continue
        made = platform.run("firm.add", {"finding_id": row.id}, clerk, key=row.id).result
        platform.run(
            "firm.activate", {"firm_id": made["id"], "evidence": "named by its buyer"}, maker,
            key=row.id,
        )  # fmt: skip
    worker = platform.worker()
    while worker.step():
        pass
    return Counter(row.code for row in rows)


def spreadsheet_sums(corpus: Path) -> dict[str, Decimal]:
    """Add the same files up by supplier number, with nothing of the platform."""
    sums: dict[str, Decimal] = {}
    for name in FILES:
        with gzip.open(corpus / name) as packed:
            text = io.TextIOWrapper(packed, encoding="utf-8-sig")
            for raw in csv.DictReader(text):
                row = {
                    (key or "").strip().lower().replace(" ", "_"): str(value or "").strip()
                    for key, value in raw.items()
                }
                if not all(row[name] for name in ("body_name", "paid_date", "amount")):
                    continue  # a line that is none: the reader refuses it and says where
                day, month, year = (int(part) for part in row["paid_date"].split("/"))
                if FROM <= dt.date(year, month, day) < UNTIL:
                    amount = Decimal(row["amount"].replace(",", ""))
                    number = row["supplier_id"]
                    sums[number] = sums.get(number, Decimal(0)) + amount
    return sums


def payments(spend: Spend) -> list[Any]:
    """Give the payment lines as stored."""
    line = table(TradePayment)
    with spend.platform.db.snapshot() as conn:
        return list(conn.execute(select(line)))

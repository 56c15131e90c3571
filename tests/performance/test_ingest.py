"""Five thousand e-invoices from files into the books, beside libraries that only read them."""

import importlib.metadata
import json
import logging
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import func, select

from scf.db.engine import Database
from scf.documents.models import Invoice, Original, Upload
from scf.documents.readers import read_file
from scf.kernel.actor import Actor
from tests.performance.cii_papers import cii_of
from tests.performance.conftest import Store
from tests.performance.measure import ROOT, ROUNDS, Report, seconds
from tests.performance.papers import orders_of, suppliers, ubl_invoices
from tests.performance.peers import xsdata_parser
from tests.performance.trade import NOON, import_orders, open_trade
from tests.support.deals import table
from tests.support.postgres import PostgresServer, children_of

INVOICES = 5_000  # half in UBL, half in CII
TWICE = 100  # come a second time, in the other of the two formats
BROKEN = 100
FILES = INVOICES + TWICE + BROKEN
FLOOR, GOAL = 500, 1000
PEERS_READ = 400


class Papers(NamedTuple):
    """The files of the benchmark, and what the peers read of them."""

    folder: Path
    ubl: list[bytes]
    cii: list[bytes]
    orders: bytes


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    in_ubl = ubl_invoices(INVOICES + BROKEN, most_lines=20)
    read = [read_file(paper, today=NOON.date()).documents[0] for paper in in_ubl[:INVOICES]]
    in_cii = [cii_of(document) for document in read]
    ubl, cii = in_ubl[:INVOICES:2], in_cii[1::2]
    twice = in_cii[:TWICE:2] + in_ubl[1:TWICE:2]
    broken = [
        paper[:-40] if number % 2 else re.sub(rb"(PayableAmount[^>]*>)", rb"\g<1>9", paper)
        for number, paper in enumerate(in_ubl[INVOICES:])
    ]
    folder = tmp_path_factory.mktemp("papers")
    for number, content in enumerate((*ubl, *cii, *twice, *broken)):
        (folder / f"{number * 7919 % FILES:05d}.xml").write_bytes(content)
    assert len(list(folder.iterdir())) == len(set(ubl + cii + twice + broken)) == FILES
    # Every second invoice of each format has its order.
    return Papers(folder, ubl, cii, orders_of(one for n, one in enumerate(read) if n % 4 < 2))


@pytest.mark.bench
def test_five_thousand_e_invoices_are_taken(
    store: Store,
    papers: Papers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    report: Report,
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    peers = _peers(tmp_path, papers)
    prepared = store.fresh()
    platform, clerk = open_trade(prepared, suppliers(200))
    assert import_orders(platform, clerk, papers.orders) == INVOICES // 2
    platform.close()
    server = None
    if store.engine == "postgresql":
        server = request.getfixturevalue("durable_server")
    runs: list[dict[str, Any]] = []
    beside: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(ROUNDS):
        url = store.copy(prepared)
        before = _server_seconds(server)
        run = _take(url, papers.folder, clerk)
        run["server_seconds"] = _server_seconds(server) - before
        runs.append(run)
        _holds(url)
        for name, (count, read) in peers.items():
            beside[name].append(seconds(read, time.process_time) / count)
    _tell(report, store.engine, runs, beside)


def _take(url: str, folder: Path, clerk: Actor) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.performance.ingest_process"]
    done = subprocess.run(
        [*command, url, str(folder), clerk.org_id],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run: dict[str, Any] = json.loads(done.stdout)
    assert run["files"] == FILES
    return run


def _holds(url: str) -> None:
    """The books hold each invoice once, matched where it has an order, and each file as it came."""
    invoice, upload, original = table(Invoice), table(Upload), table(Original)
    db = Database(url)
    with db.snapshot() as conn:
        state = (invoice.c.document_state, invoice.c.match_state)
        query = select(*state, func.count()).group_by(*state).order_by(*state)
        assert [tuple(row) for row in conn.execute(query)] == [
            ("VALIDATED", "MATCHED", INVOICES // 2),
            ("VALIDATED", "UNMATCHED", INVOICES // 2),
        ]
        counts = (upload.c.stored_count, upload.c.duplicate_count, upload.c.bad_count)
        query = select(*map(func.sum, counts)).where(upload.c.name.like("%.xml"))
        assert tuple(conn.execute(query).one()) == (INVOICES, TWICE, BROKEN)
        query = select(func.count()).where(original.c.name.like("%.xml"))
        assert conn.execute(query).scalar_one() == FILES
    db.close()


def _server_seconds(server: PostgresServer | None) -> float:
    """Give the processor time of a server so far: its own, its children's, and of those ended."""
    if server is None:
        return 0.0
    ticks = sum(_stat(server.pid)[11:15]) + sum(
        sum(_stat(child)[11:13]) for child in children_of(server.pid)
    )
    return ticks / 100


def _stat(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2]
    return [0, *map(int, text.split()[1:])]


def _peers(folder: Path, papers: Papers) -> dict[str, tuple[int, Callable[[], None]]]:
    """Make readers ready: how many invoices each reads in a turn, and how."""
    import facturx
    from drafthorse.models.document import Document

    logging.getLogger("factur-x").setLevel(logging.ERROR)
    parse = xsdata_parser(folder)
    ubl, cii, few = papers.ubl[:PEERS_READ], papers.cii[:PEERS_READ], papers.cii[: PEERS_READ // 8]

    def xsdata() -> None:
        for paper in ubl:
            parse(paper)

    def drafthorse() -> None:
        for paper in cii:
            Document.parse(paper, strict=False)

    def factur_x() -> None:
        for paper in few:
            assert facturx.xml_check_xsd(paper, flavor="factur-x", level="en16931")
            assert facturx.parse_ubl_cii_xml(paper)

    return {
        "xsdata": (len(ubl), xsdata),
        "drafthorse": (len(cii), drafthorse),
        "factur-x": (len(few), factur_x),
    }


def _tell(
    report: Report, engine: str, runs: list[dict[str, Any]], beside: dict[str, list[float]]
) -> None:
    rate = FILES / statistics.median(run["seconds"] for run in runs)
    cpu = statistics.median(run["cpu_seconds"] + run["server_seconds"] for run in runs)
    reading = {name: 1 / statistics.median(turns) for name, turns in beside.items()}
    report.add(
        f"ingest_{engine}",
        rate,
        "documents/s",
        peer={
            "name": f"xsdata {importlib.metadata.version('xsdata')}, reading only",
            "value": reading["xsdata"],
            "unit": "documents/s",
        },
        ratio=rate / reading["xsdata"],
        goal=f"value >= {FLOOR}, aim {GOAL}",
        met=rate >= FLOOR,
        documents=FILES,
        cpu_seconds_per_1000=1000 * cpu / FILES,
        server_cpu_seconds_per_1000=1000
        * statistics.median(run["server_seconds"] for run in runs)
        / FILES,
        drafthorse_reading_only=reading["drafthorse"],
        factur_x_reading_only=reading["factur-x"],
        peak_mb=max(run["peak_mb"] for run in runs),
    )

"""Firm quotes priced by risk under load: gunicorn with two workers, four sellers' programs at once.

Every quote is a whole command of the API: token, price, rows, commit. Beside it the same server
answers its page of health under the same load, which is what the machine and gunicorn take.
"""

import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from scf.documents.models import Invoice
from scf.kernel.ids import new_id
from scf.offers.service import Ask, compute
from tests.performance.conftest import Store
from tests.performance.measure import ROOT, Report
from tests.support.deals import table
from tests.support.demo_world import NOW, DemoCopy
from tests.support.postgres import free_port

CLIENTS, EACH, WARM_UP = 4, 50, 5
GOAL_P99_MS = 50
PATIENCE_SECONDS = 120


@pytest.mark.bench
def test_quotes_priced_by_risk_under_load(demo: DemoCopy, store: Store, report: Report) -> None:
    token, invoices = demo.served.world.token("mira"), _quotable(demo)
    url = demo.platform.db.url.render_as_string(hide_password=False)
    with _served(url) as port:

        def quote(client: int) -> int:
            body = json.dumps({"invoice_ids": [invoices[client % len(invoices)]]})
            headers = {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Idempotency-Key": new_id(),
            }
            return _ask(port, "POST", "/api/v1/quotes", body, headers)

        def health(_client: int) -> int:
            return _ask(port, "GET", "/healthz")

        _together(quote, WARM_UP, 201)
        took, seconds = _together(quote, EACH, 201)
        idle, _ = _together(health, EACH, 200)
    p99 = statistics.quantiles(took, n=100)[98]
    report.add(
        f"quotes_under_load_{store.engine}",
        p99,
        f"ms p99 of {CLIENTS * EACH} quotes of {CLIENTS} clients at once",
        peer={
            "name": "p99 of the page of health, same server and load",
            "value": statistics.quantiles(idle, n=100)[98],
            "unit": "ms",
        },
        ratio=None,
        goal=f"p99 < {GOAL_P99_MS} ms",
        met=p99 < GOAL_P99_MS,
        median_ms=statistics.median(took),
        health_median_ms=statistics.median(idle),
        quotes_a_second=len(took) / seconds,
    )


def _quotable(demo: DemoCopy) -> list[str]:
    """Find invoices of the seller for which the bank has a price, one for each client."""
    seller, invoice, found = demo.served.world.people["mira"].org_id, table(Invoice), []
    with demo.platform.db.snapshot() as conn:
        mine = select(invoice.c.id).where(
            invoice.c.seller_id == seller, invoice.c.payment_state == "OPEN"
        )
        for invoice_id in conn.execute(mine.order_by(invoice.c.id.desc())).scalars().all():
            computed = compute(conn, seller, Ask([invoice_id]), NOW)
            if not computed.is_refused and computed.by_risk is not None:
                found.append(invoice_id)
            if len(found) == CLIENTS:
                return found
    assert found, "nothing of the seller can be quoted by risk"
    return found


@contextmanager
def _served(url: str) -> Iterator[int]:
    """Start gunicorn as it is configured, with two workers; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py", "--workers", "2"]
    server = subprocess.Popen(
        [*command, "tests.performance.quote_server:app"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | {
            "SCF_PORT": str(port), "SCF_BENCH_DATABASE": url, "SCF_LOG_LEVEL": "ERROR",
        },
    )  # fmt: skip
    try:
        begin = time.perf_counter()
        while not _is_up(port):
            assert server.poll() is None, "gunicorn has ended"
            assert time.perf_counter() - begin < PATIENCE_SECONDS, "no answer"
            time.sleep(0.05)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def _is_up(port: int) -> bool:
    try:
        return _ask(port, "GET", "/healthz") == 200
    except OSError:
        return False


def _ask(
    port: int,
    method: str,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
) -> int:
    """Ask once on a connection of its own, as the proxy before gunicorn does."""
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        conn.request(method, path, body, headers or {})
        answer = conn.getresponse()
        answer.read()
        return answer.status
    finally:
        conn.close()


def _together(work: Callable[[int], int], times: int, status: int) -> tuple[list[float], float]:
    """Let all clients do something so often; gives milliseconds of each, and seconds of all."""
    took: list[list[float]] = [[] for _ in range(CLIENTS)]
    got: list[set[int]] = [set() for _ in range(CLIENTS)]

    def client(number: int) -> None:
        for _ in range(times):
            begin = time.perf_counter()
            got[number].add(work(number))
            took[number].append(1_000 * (time.perf_counter() - begin))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    assert set().union(*got) == {status}, got
    return [each for one in took for each in one], seconds

"""Every page of the portal: time in the server and weight, in the demo world and in a full one.

Which pages there are is found out as a person does, by following the links from the first page on.
"""

import gzip
import re
import statistics
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException

from tests.performance import crowded
from tests.performance.conftest import Store
from tests.performance.measure import Report
from tests.support.demo_world import DemoCopy
from tests.support.served import HOST, Browser

LOOKS: Final = 10
OF_A_KIND: Final = 2  # pages of one route; the second may hold more than the first
PEOPLE: Final = ("mira", "anna", "omar", "adam")
GOALS_MS: Final = {"demo": 150.0, "100k": 300.0}
GOAL_BYTES: Final = 60_000
_LINK: Final = re.compile(r'href="(/[^"#]*)')
# What is handed out as a file is no page.
_NOT_A_PAGE: Final = re.compile(r"^/static/|\.csv")


@dataclass(frozen=True)
class Page:
    """What one page takes, in milliseconds, and weighs, in bytes compressed.

    ``cpu`` is the work of this process alone; what a PostgreSQL server does is not in it.
    """

    name: str
    p95: float
    median: float
    cpu: float
    weight: int


@pytest.mark.bench
def test_no_page_keeps_anybody_waiting(demo: DemoCopy, store: Store, report: Report) -> None:
    _told(report, "demo", store.engine, demo)
    crowded.crowd(demo.platform.db)
    _told(report, "100k", store.engine, demo)


def _told(report: Report, world: str, engine: str, demo: DemoCopy) -> None:
    browsers = {person: demo.served.browser(person) for person in PEOPLE}
    empty = statistics.median(_milliseconds(browsers[PEOPLE[0]], "/healthz")[0])
    pages = [
        _looked_at(browser, path, f"{person} {path}")
        for person, browser in browsers.items()
        for path in _paths(demo.served.app, browser)
    ]
    assert len(pages) > len(PEOPLE) * 5, "the links have led nowhere"
    slowest = max(pages, key=lambda page: page.p95)
    heaviest = max(pages, key=lambda page: page.weight)
    goal = GOALS_MS[world]
    report.add(
        f"pages_{world}_{engine}",
        slowest.p95,
        f"ms p95 of the slowest, {slowest.name}",
        peer={"name": "an empty page of the same application", "value": empty, "unit": "ms"},
        ratio=None,
        goal=f"p95 < {goal:g} ms, page <= {GOAL_BYTES} bytes compressed",
        met=slowest.p95 < goal and heaviest.weight <= GOAL_BYTES,
        heaviest={heaviest.name: heaviest.weight},
        missed=sorted(page.name for page in pages if page.p95 >= goal),
        pages={page.name: [round(page.p95), round(page.median), round(page.cpu)] for page in pages},
    )


def _paths(app: Flask, browser: Browser) -> list[str]:
    """Follow the links from the first page on; some pages of each route, in the order found."""
    routes = app.url_map.bind("localhost")
    waiting, seen, kept = deque(["/"]), {"/"}, []
    of_route: Counter[str] = Counter()
    while waiting:
        path = waiting.popleft()
        try:
            endpoint, _values = routes.match(path.partition("?")[0], "GET")
        except HTTPException:
            continue
        if of_route[endpoint] >= OF_A_KIND:
            continue
        answer = browser.get(path)
        if answer.location:  # the first page sends everybody home
            links = [answer.location.removeprefix(HOST)]
        else:
            assert answer.status == "200 OK", path
            if answer.mimetype != "text/html":
                continue  # a file
            of_route[endpoint] += 1
            kept.append(path)
            links = [found.replace("&amp;", "&") for found in _LINK.findall(answer.text)]
        fresh = [link for link in links if link not in seen and not _NOT_A_PAGE.search(link)]
        seen.update(fresh)
        waiting.extend(fresh)
    return kept


def _looked_at(browser: Browser, path: str, name: str) -> Page:
    weight = len(gzip.compress(browser.get(path).data, 6))
    took, worked = _milliseconds(browser, path)
    return Page(
        name=re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", name),
        p95=statistics.quantiles(took, n=20)[-1],
        median=statistics.median(took),
        cpu=statistics.median(worked),
        weight=weight,
    )


def _milliseconds(browser: Browser, path: str) -> tuple[list[float], list[float]]:
    """Open a page some times; gives how long each took, and how long this process worked."""
    took, worked = [], []
    for _ in range(LOOKS):
        start, busy = time.perf_counter(), time.process_time()
        browser.get(path)
        took.append((time.perf_counter() - start) * 1000)
        worked.append((time.process_time() - busy) * 1000)
    return took, worked

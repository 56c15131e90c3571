"""Every page of the portal: reached by links, readable by everybody, light, and whole.

The pages are found by walking, role by role, over the whole demo world (``walk.py``); a page that
is added is looked at from then on, and one that nobody can reach fails here.
"""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.risk.test_models import trained
from tests.support.demo_world import DemoCopy, DemoWorld
from tests.web.expectations import ROUTES
from tests.web.pages.checks import MOST_BYTES, astray, bytes_of, dead_ends, inline
from tests.web.pages.look import Window
from tests.web.pages.steps import at_the_gate, everything
from tests.web.pages.walk import Sight, Walker
from tests.web.route_kinds import Portal

# One of each role.
PEOPLE = ("mira", "anna", "chen", "carl", "omar", "hana", "adam")


@pytest.fixture(scope="module")
def demo(demo_world: DemoWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCopy]:
    with demo_world.copied(tmp_path_factory.mktemp("pages")) as copy:
        made = trained()  # the demo world has none: one of its own takes half a minute to learn
        world = copy.served.world
        world.run(
            "model.register", world.people["omar"], file_digest=made.file_digest, content=made
        )
        yield copy


@pytest.fixture(scope="module")
def walkers(demo: DemoCopy) -> list[Walker]:
    return [*(everything(demo, person) for person in PEOPLE), *at_the_gate(demo)]


def once(walkers: list[Walker]) -> Iterator[tuple[Walker, Sight]]:
    """Give each page once, as the first role sees it that has it."""
    seen: set[tuple[str, bool, int]] = set()
    for walker in walkers:
        for sight in walker.sights:
            kind = (sight.rule, sight.drawn, sight.status)
            if kind not in seen:
                seen.add(kind)
                yield walker, sight


def test_each_role_reaches_every_page_that_is_meant_for_it(walkers: list[Walker]) -> None:
    assert {one.person: one.missing for one in walkers if one.person and one.missing} == {}
    assert [fault for one in walkers for fault in one.broken] == []
    seen = {sight.rule for one in walkers for sight in one.sights}
    seen |= {rule for one in walkers for rule in one.others}
    pages = {
        rule
        for (method, rule), row in ROUTES.items()
        if method == "GET" and isinstance(row, Portal)
    }
    assert pages - seen == set()


def test_every_page_is_light_and_works_without_scripts_and_under_the_strict_policy(
    walkers: list[Walker],
) -> None:
    wrong: list[str] = []
    packed: dict[str, int] = {}
    for walker in walkers:
        for sight in walker.sights:
            where = f"{walker.person} {sight.address}"
            wrong += [f"{where}: {fault}" for fault in (*inline(sight), *astray(sight))]
            wrong += [f"{where}: {fault}" for fault in dead_ends(walker, sight)]
            size = bytes_of(walker, sight, packed)
            wrong += [f"{where}: {size} bytes"] * (size > MOST_BYTES)
    assert wrong == []


def test_every_page_is_accessible_and_fits_in_both_themes_and_every_width(
    walkers: list[Walker], demo: DemoCopy, chromium: Browser, serve: Callable[[Flask], str]
) -> None:
    window = Window(chromium, serve(demo.served.app))
    wrong = []
    for walker, sight in once(walkers):
        window.show(walker, sight)
        wrong += [f"{walker.person} {sight.address}: {fault}" for fault in window.wrong()]
    window.page.context.close()
    assert wrong == []


@pytest.mark.long
def test_every_page_of_every_role_in_each_theme_and_width(
    walkers: list[Walker], demo: DemoCopy, chromium: Browser, serve: Callable[[Flask], str]
) -> None:
    window = Window(chromium, serve(demo.served.app))
    first = {id(sight) for _, sight in once(walkers)}
    wrong = []
    for walker in walkers:
        for sight in walker.sights:
            window.show(walker, sight)
            found = window.everywhere() if id(sight) in first else window.wrong()
            wrong += [f"{walker.person} {sight.address}: {fault}" for fault in found]
    window.page.context.close()
    assert wrong == []

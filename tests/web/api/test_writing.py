"""Nobody writes a field that a route does not name, however deep it hides."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from scf.db.engine import Database
from tests.web.expectations import ROUTES
from tests.web.matrix import Matrix, matrix_on, matrix_prepare
from tests.web.route_kinds import VISIBLE, Api, Person

EXTRA = ("state", "id", "org_id", "financier_id", "created_by", "net_minor", "is_admin")
prepare = matrix_prepare  # every test begins in the matrix's world
# An administrator may name its own organisation; another one is refused by role.
NAMED = {("POST", "/api/v1/users", "org_id")}
# A document handed in as data is judged like one in a file: what it may not say is a finding.
DOCUMENT = "items.document."
# Keyed by accounts of the chart and by what a system asks for; an unknown one is refused by name.
MAPS = {"accounts.", "details."}


@pytest.fixture
def matrix(db: Database) -> Matrix:
    return matrix_on(db)


def _objects(body: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give every object of a body with its place."""
    yield place, body
    for name, value in body.items():
        inside = value if isinstance(value, list) else [value]
        for item in inside:
            if isinstance(item, dict):
                yield from _objects(item, f"{place}{name}.")


def _somebody(matrix: Matrix, row: Api) -> Person:
    return next(
        person
        for person in matrix.people
        if person.role in row.roles
        and (not row.thing or VISIBLE[row.thing](person))
        and not row.refused(person)
    )


def test_every_writable_model_refuses_a_field_that_it_does_not_name(
    matrix: Matrix,
) -> None:
    tried, taken = 0, []
    for (method, rule), row in ROUTES.items():
        if not isinstance(row, Api) or method == "GET" or not row.body:
            continue
        person = _somebody(matrix, row)
        thing = matrix.things.get(row.thing) or matrix.things["firm"]
        for number, (where, _) in enumerate(_objects(row.body)):
            if where == DOCUMENT or where in MAPS:
                continue
            for extra in EXTRA:
                body = copy.deepcopy(row.body)
                place, target = list(_objects(body))[number]
                if extra in target or (method, rule, extra) in NAMED:
                    continue
                target[extra] = "x"
                answer = matrix.served.api(
                    person.name,
                    method,
                    matrix.path(rule, thing),
                    json=body,
                    headers={"If-Match": '"1"'} if row.versioned else {},
                )
                problems = answer.get_json()["facts"].get("problems", [])
                tried += 1
                refused = {one["place"].partition(".0.")[2] or one["place"] for one in problems}
                if answer.status_code != 422 or not any(one.endswith(extra) for one in refused):
                    taken.append((method, rule, place, extra, answer.status_code))
    assert not taken
    assert tried > 100

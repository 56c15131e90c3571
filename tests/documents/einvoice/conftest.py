"""One warm process for all tests here: starting and compiling is what costs."""

from collections.abc import Iterator

import pytest

from scf.documents.einvoice.service import RuleService


@pytest.fixture(scope="session")
def service() -> Iterator[RuleService]:
    with RuleService(1) as made:
        yield made

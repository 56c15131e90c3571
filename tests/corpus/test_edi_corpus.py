"""Conformance of the readers of EDI over third-party files; run by ``make corpus``."""

import os

import pytest

from tests.corpus import edi


@pytest.mark.corpus
def test_every_interchange_of_the_corpus_is_read_or_refused_with_a_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        assert edi.main([os.environ["CORPUS"]]) == 0

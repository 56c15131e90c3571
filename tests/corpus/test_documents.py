"""Conformance of the document readers over third-party files; run by ``make corpus``."""

import os

import pytest

from tests.corpus import documents


@pytest.mark.corpus
def test_no_document_of_the_corpus_crashes_a_reader(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        assert documents.main([os.environ["CORPUS"]]) == 0

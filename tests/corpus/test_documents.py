"""Conformance of the document readers over third-party files; run by ``make corpus``."""

import os
from pathlib import Path

import pytest

from tests.corpus import documents, pairs, rules, verdicts


@pytest.mark.corpus
def test_no_document_of_the_corpus_crashes_a_reader(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        assert documents.main([os.environ["CORPUS"]]) == 0


@pytest.mark.corpus
def test_published_verdicts_of_en_16931_are_ours(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        assert rules.main(Path(os.environ["CORPUS"])) == 0


@pytest.mark.corpus
def test_ubl_and_cii_of_one_business_case_are_one_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        assert pairs.main([os.environ["CORPUS"]]) == 0


@pytest.mark.corpus
def test_files_are_judged_as_their_publishers_judge_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        assert verdicts.main([os.environ["CORPUS"]]) == 0

"""Bank files and schemas outside the project judge readers, writer and simulator."""

import os

import pytest

from tests.corpus import bank


@pytest.mark.corpus
def test_bank_files_of_others_are_read_and_ours_are_valid(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        assert bank.main([os.environ["CORPUS"]]) == 0

"""Logs are one JSON object a line, and carry no secret."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from config.logging import configure


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_our_logs_and_those_of_libraries_have_one_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger("scf.test").info("paid", amount_minor=98_837_500)
    logging.getLogger("library").warning("slow %s", "answer")
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["amount_minor"], ours["level"]) == ("paid", 98_837_500, "info")
    assert (theirs["event"], theirs["logger"]) == ("slow answer", "library")


def test_a_secret_does_not_reach_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger().warning("x", api_token="t0p", new_password="t0p", payee_iban="t0p")
    assert "t0p" not in capsys.readouterr().err


def test_an_exception_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        structlog.get_logger().exception("broken")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError" in json.loads(line)["exception"]

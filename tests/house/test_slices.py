"""The shape of a slice and of a file."""

import ast

from tests.house.sources import PRODUCT, calls, dotted, files, imported, report, text, tree

LONGEST_FILE = 500
LONGEST_PACKAGE_DOCSTRING = 8


def _command_names() -> set[str]:
    """Functions that the runner runs, by their decorator."""
    return {
        node.name
        for file in files("scf")
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef)
        and any(
            isinstance(decorator, ast.Call) and dotted(decorator.func).endswith("command")
            for decorator in node.decorator_list
        )
    }


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    found = [
        f"{file}: {length} lines"
        for file in files(*PRODUCT, "tools", "tests")
        if file.parts[:3] != ("scf", "migrations", "versions")  # written once, then history
        if (length := len(text(file).splitlines())) > LONGEST_FILE
    ]
    assert not found, report(found, "two files: past 500 lines a file usually holds two concerns")


def test_every_package_says_in_a_few_lines_what_it_owns() -> None:
    found = []
    for file in files(*PRODUCT):
        if file.name != "__init__.py":
            continue
        docstring = ast.get_docstring(tree(file)) or ""
        lines = len(docstring.splitlines())
        if not 1 <= lines <= LONGEST_PACKAGE_DOCSTRING:
            found.append(f"{file}: {lines} lines of docstring")
    instead = f"1 to {LONGEST_PACKAGE_DOCSTRING} lines: what the package owns; the rest in docs/"
    assert not found, report(found, instead)


def test_rules_are_pure() -> None:
    """A rule that opens a session cannot be checked by a person with pen and paper."""
    banned = ("sqlalchemy", "sqlmodel", "scf.db.engine", "scf.db.runner", "flask", "requests")
    found = [
        f"{file}:{line}: {name}"
        for file in files("scf")
        if file.name == "rules.py"
        for line, name in imported(tree(file))
        if name.startswith(banned)
    ]
    assert not found, report(found, "the service reads the rows and hands values to the rule")


def test_a_command_never_calls_a_command() -> None:
    commands = _command_names()
    found = [
        f"{file}:{call.lineno}: {name}"
        for file in files("scf")
        for call, name in calls(tree(file))
        if name.rpartition(".")[2] in commands and _means_the_command(name)
    ]
    instead = "an inner function that takes the context; one command is one transaction"
    assert not found, report(found, instead)


def _means_the_command(name: str) -> bool:
    """Commands are module-level functions: called by name, or through their module."""
    receiver, _, _ = name.rpartition(".")
    return receiver in {"", "service"} or receiver.endswith("_service")


def test_graph_and_scoring_know_no_database_and_no_web() -> None:
    """The walls between packages are import-linter's; these are the libraries outside."""
    banned = ("sqlalchemy", "sqlmodel", "flask", "psycopg", "sqlite3", "structlog")
    found = [
        f"{file}:{line}: {name}"
        for file in files("graph", "scoring")
        for line, name in imported(tree(file))
        if name.startswith(banned)
    ]
    assert not found, report(found, "dataclasses and arrays in and out; scf reads and stores")


def test_scf_knows_no_http() -> None:
    banned = ("flask", "werkzeug", "spectree", "gunicorn")
    found = [
        f"{file}:{line}: {name}"
        for file in files("scf")
        for line, name in imported(tree(file))
        if name.startswith(banned)
    ]
    assert not found, report(found, "raise an ScfError; web/ turns it into an answer")

"""What must not be written, each with its reason, its replacement and an example that is caught."""

import ast
import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.house.sources import PRODUCT, calls, dotted, imported

Finder = Callable[[ast.Module], Iterable[int]]

EVERYWHERE = (*PRODUCT, "tools", "tests")
UNSAFE_READERS = {"pickle", "cPickle", "marshal", "shelve", "joblib", "dill", "cloudpickle"}
SLOW_TO_IMPORT = {"sklearn", "scipy", "ibis", "pandas", "pyarrow", "duckdb", "saxonche", "facturx"}
CLOCK_CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "func.now",
}  # fmt: skip
INEXACT_COLUMNS = {"Numeric", "DECIMAL", "NUMERIC"}


@dataclasses.dataclass(frozen=True)
class Ban:
    """One thing that must not be written in Python files of some folders."""

    name: str
    finds: Finder
    instead: str
    example: str
    folders: tuple[str, ...] = PRODUCT
    except_in: tuple[str, ...] = ()

    def covers(self, file: Path) -> bool:
        """Whether the ban holds in a file."""
        inside = file.parts[0] in self.folders
        return inside and not any(file.as_posix().startswith(free) for free in self.except_in)


def _imports_of(names: set[str]) -> Finder:
    def finds(module: ast.Module) -> Iterator[int]:
        for line, name in imported(module):
            if name.partition(".")[0] in names:
                yield line

    return finds


def _calls_ending(*endings: str) -> Finder:
    def finds(module: ast.Module) -> Iterator[int]:
        for call, name in calls(module):
            if any(name == end or name.endswith(f".{end}") for end in endings):
                yield call.lineno

    return finds


def _method_calls(method: str) -> Finder:
    def finds(module: ast.Module) -> Iterator[int]:
        for call, _ in calls(module):
            if isinstance(call.func, ast.Attribute) and call.func.attr == method:
                yield call.lineno

    return finds


def _sql_clock(module: ast.Module) -> Iterator[int]:
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.search(r"\bCURRENT_(TIMESTAMP|DATE)\b|datetime\('now'", node.value)
        ):
            yield node.lineno


def _shell(module: ast.Module) -> Iterator[int]:
    for call, name in calls(module):
        for keyword in call.keywords:
            is_true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            if keyword.arg == "shell" and is_true:
                yield call.lineno
        if name in {"os.system", "os.popen"}:
            yield call.lineno


def _yaml(module: ast.Module) -> Iterator[int]:
    for call, name in calls(module):
        if name in {"yaml.load", "yaml.unsafe_load", "yaml.full_load"}:
            yield call.lineno


def _built_sql(module: ast.Module) -> Iterator[int]:
    for call, name in calls(module):
        built = call.args and isinstance(call.args[0], (ast.JoinedStr, ast.BinOp))
        if built and name.rpartition(".")[2] == "text":
            yield call.lineno


def _inexact_columns(module: ast.Module) -> Iterator[int]:
    for line, name in imported(module):
        package, _, what = name.rpartition(".")
        if package.partition(".")[0] in {"sqlalchemy", "sqlmodel"} and what in INEXACT_COLUMNS:
            yield line
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in INEXACT_COLUMNS:
            yield node.lineno
        if isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and "Decimal" in names_in(field.annotation):
                    yield field.lineno


def _slow_at_import(module: ast.Module) -> Iterator[int]:
    for line, name in imported(
        ast.Module(body=list(_runs_at_import(module.body)), type_ignores=[])
    ):
        if name.partition(".")[0] in SLOW_TO_IMPORT:
            yield line


def _runs_at_import(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported, without functions and TYPE_CHECKING."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(statement, ast.If):
            if "TYPE_CHECKING" not in names_in(statement.test):
                yield from _runs_at_import(statement.body)
            yield from _runs_at_import(statement.orelse)
        elif isinstance(statement, (ast.Try, ast.With, ast.ClassDef)):
            yield from _runs_at_import(statement.body)
        else:
            yield statement


def _late_annotations(module: ast.Module) -> Iterator[int]:
    reads_annotations = {"sqlmodel", "pydantic"}
    lines = [line for line, name in imported(module) if name == "__future__.annotations"]
    if any(name.partition(".")[0] in reads_annotations for _, name in imported(module)):
        yield from lines


def _environment(module: ast.Module) -> Iterator[int]:
    for node in ast.walk(module):
        if isinstance(node, (ast.Attribute, ast.Name)) and dotted(node) in {
            "os.environ", "os.getenv", "environ", "getenv",
        }:  # fmt: skip
            yield node.lineno


def names_in(node: ast.AST) -> set[str]:
    """Every name within a piece of code, the parts of attributes and quoted annotations too."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Attribute):
            found.add(part.attr)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            found.update(re.findall(r"\w+", part.value))
    return found


BANS = (
    Ban(
        "a clock of its own",
        _calls_ending(*sorted(CLOCK_CALLS)),
        "take the injected clock: ctx.now in a command, a Clock argument elsewhere",
        "import datetime as dt\nx = dt.datetime.now(dt.UTC)",
        except_in=("scf/kernel/clock.py",),
    ),
    Ban(
        "the database's clock",
        _sql_clock,
        "bind ctx.now: two clocks in one record disagree",
        "x = 'INSERT INTO t VALUES (CURRENT_TIMESTAMP)'",
    ),
    Ban(
        "a commit outside the runner",
        _method_calls("commit"),
        "make it a command; scf.db.runner commits it with its key, audit row and outbox",
        "session.commit()",
        except_in=("scf/db/", "scf/migrations/env.py"),
    ),
    Ban(
        "a decimal column",
        _inexact_columns,
        "Minor (integer minor units) or Ppm of scf.db.types: SQLite stores decimals as floats",
        "from sqlalchemy import Numeric",
        # No table: probabilities at twelve places, kept as text.
        except_in=(
            "scoring/term.py",
            "scf/risk/outlook.py",
            "scf/impairment/booking.py",
            "scf/impairment/policy.py",
            "scf/impairment/rules.py",
        ),
    ),
    Ban(
        "a reader that runs code",
        _imports_of(UNSAFE_READERS),
        "JSON for data, skops for models: these formats execute what they load",
        "import pickle",
        folders=(*PRODUCT, "tools"),
    ),
    Ban(
        "unsafe YAML",
        _yaml,
        "tomllib, or yaml.safe_load",
        "import yaml\nyaml.load(x)",
        folders=EVERYWHERE,
    ),
    Ban(
        "a shell",
        _shell,
        "subprocess.run with a list of arguments",
        "subprocess.run('ls', shell=True)",
        folders=EVERYWHERE,
    ),
    Ban(
        "a template from text",
        _calls_ending("render_template_string", "from_string"),
        "render_template with a file under web/templates",
        "render_template_string(x)",
    ),
    Ban(
        "markup from text",
        _calls_ending("Markup"),
        "return plain text and let the template escape it",
        "markupsafe.Markup(x)",
    ),
    Ban(
        "SQL built from text",
        _built_sql,
        "bind parameters, or SQLAlchemy Core expressions",
        "text(f'SELECT {x}')",
        folders=(*PRODUCT, "tools"),
        except_in=("scf/db/migrate.py",),  # DDL takes no parameters
    ),
    Ban(
        "a slow import on the way to the first page",
        _slow_at_import,
        "import it inside the function that needs it",
        "import sklearn.linear_model",
        folders=("scf", "web", "graph", "config"),
    ),
    Ban(
        "late annotations where a model reads them",
        _late_annotations,
        "drop the __future__ import: SQLModel and pydantic need real types",
        "from __future__ import annotations\nimport pydantic",
    ),
    Ban(
        "reading the environment",
        _environment,
        "a field of config.settings, passed down by scf.bootstrap",
        "import os\nx = os.environ['SCF_ENV']",
        folders=("scf", "web", "graph", "scoring"),
        except_in=("scf/bootstrap.py", "scf/cli", "scf/serving.py", "web/app.py", "web/wsgi.py"),
    ),
)

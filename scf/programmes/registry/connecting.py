"""Which duplicate registries this installation reaches, from the operator's file.

A table for each registry: its ``keys`` by version, shared by all members, and ``address`` and
``token`` where another house keeps the book; without an address this installation keeps it, for
others too if ``members`` gives the token of each by its name. To change a key, every member adds
the new version, and takes the old one out once all have.
"""

import functools
import os
import secrets
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from scf.db.platform import Platform
from scf.programmes.registry.http import HttpRegistry
from scf.programmes.registry.local import LocalRegistry
from scf.programmes.registry.port import Connect, Membership, Registry
from scf.programmes.registry.prints import LEAST_KEY

HERE: Final = "platform"  # the registry of the financiers on this platform


def registries_of(file: Path, *, may_make: bool) -> Mapping[str, Connect]:
    """Give how each registry of the file is reached; ``may_make`` writes the first file.

    Raises
    ------
    ValueError
        A key is short or no hexadecimal text, or a registry has none.
    """
    if not file.exists():
        if not may_make:
            return {}
        _make(file)
    said = tomllib.loads(file.read_text("utf-8"))
    return {name: _connect(name, terms) for name, terms in said.items()}


def members_of(file: Path, name: str) -> dict[str, str]:
    """Give the members for whom a registry's book is kept here, by their tokens.

    Raises
    ------
    ValueError
        A token is short, or two members have the same.
    """
    said = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    tokens: Mapping[str, str] = said.get(name, {}).get("members", {})
    members = {token: member for member, token in tokens.items()}
    if len(members) < len(tokens) or any(len(one) < LEAST_KEY for one in members):
        wrong = f"registry {name}: each member has a token of its own of {LEAST_KEY} signs or more"
        raise ValueError(wrong)
    return members


def _connect(name: str, terms: Mapping[str, Any]) -> Callable[[Platform, str], Membership]:
    keys = {int(version): bytes.fromhex(key) for version, key in terms.get("keys", {}).items()}
    if not keys or min(map(len, keys.values())) < LEAST_KEY:
        said = f"registry {name}: every key has at least {LEAST_KEY} bytes in hexadecimal"
        raise ValueError(said)
    return functools.partial(_membership, name, terms, keys)


def _membership(
    name: str, terms: Mapping[str, Any], keys: dict[int, bytes], platform: Platform, member: str
) -> Membership:
    there: Registry = (
        HttpRegistry(terms["address"], terms.get("token", ""))
        if "address" in terms
        else LocalRegistry(platform, name)
    )
    return Membership(name, member, keys, there)


def _make(file: Path) -> None:
    """Write a first file with a key of its own; of two starts at once, one wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="ascii") as draft:
        draft.write(f'[{HERE}.keys]\n1 = "{secrets.token_hex(LEAST_KEY)}"\n')

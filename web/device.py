"""From where a browser speaks: its name for people, and its place as passkeys know it."""

import ipaddress
from typing import Final

from flask import request

from scf.parties.factors.passkeys import Place
from scf.parties.sessions import Seen

_BROWSERS: Final = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("MicroMessenger/", "WeChat"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_LONGEST: Final = 400


def seen() -> Seen:
    """Return the browser and the address of this request."""
    return Seen(device_name(request.headers.get("User-Agent", "")), request.remote_addr or "")


def device_name(agent: str) -> str:
    """Return a browser's name as its owner would say it, from the names we know only."""
    agent = agent[:_LONGEST]
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part)


def place() -> Place | None:
    """Return where passkeys made here hold; nothing on a bare address, where browsers have none.

    The host is one that the application trusts: any other was refused before.
    """
    name = request.host.rpartition(":")[0] if ":" in request.host else request.host
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        origins = {f"{request.scheme}://{request.host}", f"https://{request.host}"}
        return Place(name, tuple(sorted(origins)))
    return None

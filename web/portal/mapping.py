"""The page on which a firm says which numbers its accounts have in its own systems."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response as BaseResponse

from scf.accounting.mapping.reading import Numbers, numbers_of, tables_of
from scf.accounting.mapping.systems import SYSTEMS, system_of
from scf.channels.erp.models import ErpConnection
from scf.kernel.errors import Conflict, InvalidInput
from scf.ledger.models import Account
from scf.ledger.service import Chart
from scf.parties.access import may
from web.context import actor, platform
from web.portal.acting import act, must
from web.refusals import refusal_text

mapping = Blueprint("mapping", __name__, url_prefix="/account-numbers")


@mapping.before_request
def _only_readers() -> None:
    must("mapping.read" if request.method == "GET" else "mapping.set")


@mapping.get("/")
def home() -> str:
    """Show the numbers of one system: first the accounts that the book has, then the others."""
    return _page(_asked(), None, "")


@mapping.post("/")
def keep() -> str | BaseResponse | tuple[str, int]:
    """Write the table as it was typed; what cannot be is said above it, and nothing is lost."""
    name = _asked()
    form = request.form
    typed = Numbers(
        name,
        _version(form.get("version", "")),
        {
            code: number
            for code in Chart.lines
            if (number := form.get(f"account.{code}", "").strip())
        },
        {one.name: form.get(f"detail.{one.name}", "").strip() for one in system_of(name).details},
        {code: party for code in Chart.lines if (party := form.get(f"party.{code}", "").strip())},
    )
    payload = {
        "system": name,
        "version": typed.version,
        "accounts": dict(typed.accounts),
        "details": dict(typed.details),
        "parties": dict(typed.parties),
    }
    try:
        act("mapping.set", payload)
    except (InvalidInput, Conflict) as refusal:
        return _page(name, typed, refusal_text(refusal)), refusal.http_status
    flash(_("The numbers are kept. Files and postings from now on bear them."), "ok")
    return redirect(url_for("mapping.home", system=name), 303)


def _asked() -> str:
    name = request.values.get("system", "") or next(iter(SYSTEMS))
    further = request.values.get("further", "").strip().lower()
    if further:
        name = f"{name.partition('.')[0]}.{further}"
    system_of(name)
    return name


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0  # noqa: PLR2004


def _page(name: str, typed: Numbers | None, error: str) -> str:
    who = actor()
    with platform().db.read(who) as reading:
        kept = numbers_of(reading.connection(), who.org_id, name)
        used = set(
            reading.execute(
                select(col(Account.code)).where(col(Account.org_id) == who.org_id)
            ).scalars()
        )
        tables = tables_of(reading.connection(), who.org_id)
        posted = list(
            reading.execute(
                select(ErpConnection)
                .where(col(ErpConnection.mapping) == name, col(ErpConnection.state) != "REMOVED")
                .order_by(col(ErpConnection.id))
            ).scalars()
        )
    first = used | set(kept.accounts)
    return render_template(
        "books/mapping.html",
        systems=[
            (system_of(one).title, url_for("mapping.home", system=one), one == name, None)
            for one in (tables if name in tables else [*tables, name])
        ],
        books=url_for("books.home" if may(who, "book.read") else "officer.books"),
        name=name,
        system=system_of(name),
        posted=[one for one in posted if may(who, "erp.read")],
        numbers=typed or kept,
        kept=kept,
        error=error,
        used=[line for code, line in Chart.lines.items() if code in first],
        others=[line for code, line in Chart.lines.items() if code not in first],
        missing=sorted(used - set(kept.accounts)),
        may_set=may(who, "mapping.set"),
    )

"""Asking the registry around a payment: search, register, search again; and letting go.

Nothing here runs inside a transaction of the payment: the answers are kept, and the command looks
at them under lock (:func:`unregistered`). Who was not asked, or not answered, is not paid.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.db.leases import Claimed
from scf.db.platform import Platform
from scf.documents.duplicates.standing import one_claim
from scf.documents.fingerprints import digest_text
from scf.documents.models import Invoice
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import Unavailable
from scf.kernel.ids import new_id
from scf.parties.models import FirmIdentifier
from scf.programmes.models import ProgrammeClaim
from scf.programmes.registry.commands import MEMBER, WORD
from scf.programmes.registry.port import MOST_AT_ONCE, Act, Answer, Claim, Membership, away
from scf.programmes.registry.prints import prints_of

_MOST_TWINS: Final = 3  # papers of one claim beside the one that is paid
FRESH: Final = dt.timedelta(minutes=15)
SERVICE: Final = "registry"
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_CLAIM: Final[Table] = ProgrammeClaim.__table__  # type: ignore[attr-defined]
_NUMBER: Final[Table] = FirmIdentifier.__table__  # type: ignore[attr-defined]


def is_member(conn: Connection, financier_id: str) -> bool:
    """Tell whether a financier takes part in a registry."""
    found = select(MEMBER.c.financier_id).where(MEMBER.c.financier_id == financier_id)
    return conn.execute(found).first() is not None


def _membership(platform: Platform, member: Row[Any]) -> Membership | None:
    """Give how the financier's registry is reached, where this installation has been told."""
    services: Mapping[str, Any] = platform.services.get(SERVICE, {})
    connect = services.get(member.consortium)
    return connect(platform, member.member) if connect is not None else None


def search(platform: Platform, financier_id: str, invoice_ids: Iterable[str]) -> None:
    """Search for invoices that money is asked for, and keep the answers."""
    _ask_all(platform, financier_id, invoice_ids, _searched)


def before_money_leaves(platform: Platform, financier_id: str, invoice_ids: Iterable[str]) -> None:
    """Search, register and search again, and keep every answer."""
    _ask_all(platform, financier_id, invoice_ids, _secured)


def _ask_all(platform: Platform, financier_id: str, invoice_ids: Iterable[str], how: Any) -> None:  # noqa: ANN401 - one of the two below
    with platform.db.snapshot() as conn:
        member = conn.execute(
            select(MEMBER).where(MEMBER.c.financier_id == financier_id)
        ).one_or_none()
        if member is None:
            return
        reached = _membership(platform, member)
        keys = reached.keys if reached is not None else {}
        claims = claims_of(conn, keys, financier_id, sorted(set(invoice_ids)))
    ids = list(claims)
    for start in range(0, len(ids), MOST_AT_ONCE):
        part = ids[start : start + MOST_AT_ONCE]
        how(platform, financier_id, reached, {one: claims[one] for one in part})


def claims_of(
    conn: Connection, keys: Mapping[int, bytes], financier_id: str, invoice_ids: Sequence[str]
) -> dict[str, Claim]:
    """Give the claims of invoices; without public numbers of both firms, without prints.

    A claim of which this financier knows two papers has the numbers of both: another one, who calls
    the opposite paper the copy, meets it there by the very claim.
    """
    called = one_claim(conn, financier_id, invoice_ids)
    wanted = {*invoice_ids, *(twin for twins in called.values() for twin in twins)}
    read = conn.execute(select(_INVOICE).where(_INVOICE.c.id.in_(sorted(wanted)))).all()
    of_id = {row.id: row for row in read}
    rows = [of_id[one] for one in invoice_ids if one in of_id]
    firms = {firm for row in rows for firm in (row.seller_id, row.buyer_id) if firm}
    numbers: dict[str, list[tuple[str, str]]] = {}
    for row in conn.execute(
        select(_NUMBER.c.firm_id, _NUMBER.c.scheme, _NUMBER.c.value)
        .where(_NUMBER.c.firm_id.in_(sorted(firms)), _NUMBER.c.scope_org_id == "")
        .order_by(_NUMBER.c.scheme, _NUMBER.c.value)
    ):
        numbers.setdefault(row.firm_id, []).append((row.scheme, row.value))
    return {
        row.id: Claim(
            digest_text(f"{financier_id}|{row.id}"),
            prints_of(
                keys,
                row,
                numbers.get(row.seller_id, []),
                numbers.get(row.buyer_id, []),
                [of_id[twin] for twin in sorted(called.get(row.id, ()))[:_MOST_TWINS]],
            ),
        )
        for row in rows
    }


def _ask(reached: Membership | None, act: Act, claims: Sequence[Claim]) -> list[Answer]:
    """Ask for those that have prints; what has none cannot be told from others."""
    if reached is None:
        return away(claims, "NOT_CONNECTED")
    known = [claim for claim in claims if claim.prints]
    answers = reached.registry.ask(act, reached.member, known) if known else []
    if len(answers) != len(known):
        answers = away(known, "GARBAGE")
    told = iter(answers)
    return [
        next(told) if claim.prints else Answer("UNAVAILABLE", reason="NO_PUBLIC_NUMBER")
        for claim in claims
    ]


def _searched(
    platform: Platform, financier_id: str, reached: Membership | None, claims: dict[str, Claim]
) -> None:
    answers = _ask(reached, "search", list(claims.values()))
    _keep(platform, financier_id, "search", dict(zip(claims, answers, strict=True)))


def _secured(
    platform: Platform, financier_id: str, reached: Membership | None, claims: dict[str, Claim]
) -> None:
    left = claims
    for step, act, goes_on in (
        ("search", "search", {"FREE", "OWN", "SIMILAR"}),
        ("register", "register", {"OWN"}),
        ("again", "search", {"OWN"}),
    ):
        answers = dict(zip(left, _ask(reached, act, list(left.values())), strict=True))  # type: ignore[arg-type]
        _keep(platform, financier_id, step, answers)
        left = {one: left[one] for one, answer in answers.items() if answer.state in goes_on}
        if not left:
            return


def _keep(platform: Platform, financier_id: str, step: str, answers: Mapping[str, Answer]) -> None:
    words = [
        {
            "invoice_id": invoice_id,
            "step": step,
            "state": answer.state,
            "reference": answer.reference,
            "version": answer.version,
            "reason": answer.reason,
        }
        for invoice_id, answer in answers.items()
    ]
    payload = {"financier_id": financier_id, "words": words}
    platform.run("registry.keep", payload, OPERATOR, key=new_id())


# --- Looked at under lock -------------------------------------------------------------------------


def latest(conn: Connection, financier_id: str, invoice_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Give the last answer about each invoice."""
    rows = conn.execute(
        select(WORD)
        .where(WORD.c.financier_id == financier_id, WORD.c.invoice_id.in_(invoice_ids))
        .order_by(WORD.c.asked_at, WORD.c.id)
    )
    return {row.invoice_id: row for row in rows}


def unregistered(
    conn: Connection, financier_id: str, invoice_ids: Sequence[str], now: dt.datetime
) -> dict[str, str]:
    """Give the invoices that may not be paid, each with the state in which the registry left it.

    Paid is only what was searched, registered and found again as one's own a moment ago.
    """
    if not is_member(conn, financier_id):
        return {}
    known = latest(conn, financier_id, invoice_ids)
    found = {}
    for one in invoice_ids:
        word = known.get(one)
        if word is None or now - word.asked_at > FRESH:
            found[one] = "UNAVAILABLE"
        elif word.step != "again" or word.state != "OWN":
            found[one] = word.state if word.state == "HELD" else "UNAVAILABLE"
    return found


def not_free(
    conn: Connection, financier_id: str, invoice_ids: Sequence[str], now: dt.datetime
) -> dict[str, str]:
    """Give the invoices that a person has to look at, by what the registry said of them last."""
    known = latest(conn, financier_id, invoice_ids)
    found = {}
    for one in invoice_ids:
        word = known.get(one)
        stale = word is None or now - word.asked_at > FRESH
        state = "UNAVAILABLE" if word is None or stale else word.state
        if state not in {"FREE", "OWN"}:
            found[one] = state
    return found


# --- Bringing in ----------------------------------------------------------------------------------


def bring_in_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "registry.bring": what a new member finances already is registered as its own.

    What another member has is kept as such and changes nothing: both have paid, and people talk.
    """
    financier_id = job.payload["financier_id"]
    with platform.db.snapshot() as conn:
        live = conn.execute(
            select(_CLAIM.c.invoice_id)
            .where(_CLAIM.c.financier_id == financier_id, _CLAIM.c.live.is_(True))
            .order_by(_CLAIM.c.invoice_id)
        )
        wanted = list(live.scalars())
    states: list[str] = []

    def bring(
        platform: Platform, financier_id: str, reached: Membership | None, claims: dict[str, Claim]
    ) -> None:
        answers = dict(zip(claims, _ask(reached, "register", list(claims.values())), strict=True))
        _keep(platform, financier_id, "register", answers)
        states.extend(
            answer.state for answer in answers.values() if answer.reason != "NO_PUBLIC_NUMBER"
        )

    _ask_all(platform, financier_id, wanted, bring)
    if "UNAVAILABLE" in states:
        raise Unavailable("REGISTRY_DOWN", "The registry does not answer.")
    return {"registered": states.count("OWN"), "held": states.count("HELD")}


# --- Letting go -----------------------------------------------------------------------------------


def release_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "registry.release": what nobody here finances any more may be financed elsewhere.

    A registry that does not answer is asked again, until it does.
    """
    financier_id, invoice_id = job.payload["financier_id"], job.payload["invoice_id"]
    states: list[str] = []

    def let_go(
        platform: Platform, financier_id: str, reached: Membership | None, claims: dict[str, Claim]
    ) -> None:
        answers = dict(zip(claims, _ask(reached, "release", list(claims.values())), strict=True))
        _keep(platform, financier_id, "release", answers)
        states.extend(answer.state for answer in answers.values())

    _ask_all(platform, financier_id, [invoice_id], let_go)
    if any(state != "DONE" for state in states):
        raise Unavailable("REGISTRY_DOWN", "The registry does not answer.")
    return {"released": len(states)}

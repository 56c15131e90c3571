"""Requests and what officers say on them: ask, list, decide, answer, take back, review."""

from typing import Annotated, Any, Literal

import typer
from sqlalchemy import select
from sqlmodel import col

from scf.cli.common import SESSION, show, show_list
from scf.cli.documents import invoice_rows
from scf.financing.models import CounterOffer, FinancingRequest, RequestQuestion, RequestReview
from scf.kernel.errors import InvalidInput, NotFound
from scf.kernel.money import format_minor, parse_minor
from scf.offers.models import QuoteLine

authority = typer.Typer(help="Up to which amount an officer decides.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="REQUEST")]
Version = Annotated[
    int | None, typer.Option(help="The version you read; refused if it moved since")
]


def attach(app: typer.Typer) -> None:
    """Hang this room's commands into the tree."""
    app.command()(request)
    app.command()(requests)
    app.command()(decide)
    app.command()(undo)
    app.command()(override)
    app.command()(reprice)
    app.command()(review)
    app.add_typer(authority, name="authority")


def request(
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="INVOICE… | answer REQUEST | take OFFER", show_default=False),
    ] = None,
    quote_id: Annotated[str, typer.Option("--quote", help="Id of the quote")] = "",
    text: Annotated[str, typer.Option(help="The answer to the bank's question")] = "",
) -> None:
    """Ask for the money of a quote, answer the bank's question, or take its counter-offer.

    Invoices, when named, must be those of the quote.
    """
    words = which or []
    if not quote_id and len(words) == len(("answer", "REQUEST")) and words[0] == "answer":
        payload = {"request_id": words[1], "version": _version(words[1]), "answer": text}
        show(SESSION.run("request.answer", payload).result)
        return
    if not quote_id and len(words) == len(("take", "OFFER")) and words[0] == "take":
        show(SESSION.run("request.take_offer", _offer(words[1])).result)
        return
    if words:
        named = {row.id for row in invoice_rows(words)}
        with SESSION.platform.db.read(SESSION.actor) as session:
            lines = session.scalars(select(QuoteLine).where(col(QuoteLine.quote_id) == quote_id))
            quoted = {line.invoice_id for line in lines}
        if named != quoted:
            raise InvalidInput("QUOTE_INVOICES", "The quote is for other invoices.")
    show(SESSION.run("request.submit", {"quote_id": quote_id}).result)


def _offer(offer_id: str) -> dict[str, Any]:
    with SESSION.platform.db.read(SESSION.actor) as session:
        found = session.get(CounterOffer, offer_id)
    if found is None:
        raise NotFound("NOT_FOUND", "No counter-offer with this id.", id=offer_id)
    return {"counter_offer_id": offer_id, "version": _version(found.request_id)}


def requests(
    state: Annotated[str, typer.Option(help="Only those in this state")] = "",
) -> None:
    """List financing requests, newest first, with what is asked or offered on them."""
    query = select(FinancingRequest).order_by(col(FinancingRequest.id).desc()).limit(100)
    if state:
        query = query.where(col(FinancingRequest.state) == state)
    with SESSION.platform.db.read(SESSION.actor) as session:
        rows = session.scalars(query).all()
        ids = [row.id for row in rows]
        questions = {
            one.request_id: one.question
            for one in session.scalars(
                select(RequestQuestion).where(
                    col(RequestQuestion.request_id).in_(ids), col(RequestQuestion.state) == "OPEN"
                )
            )
        }
        offers = {
            one.request_id: one.id
            for one in session.scalars(
                select(CounterOffer).where(
                    col(CounterOffer.request_id).in_(ids), col(CounterOffer.state) == "OPEN"
                )
            )
        }
        show_list(
            [
                {
                    "id": row.id,
                    "state": row.state,
                    "currency": row.currency,
                    "face": format_minor(row.face_minor, row.currency),
                    "net": format_minor(row.net_minor, row.currency),
                    "decide_by": row.decide_by,
                    "version": row.version,
                    "question": questions.get(row.id),
                    "offer": offers.get(row.id),
                }
                for row in rows
            ],
            "requests",
        )


def decide(
    which: Which,
    approve: Annotated[bool, typer.Option("--approve")] = False,
    decline: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="Refusal code; the weightiest first")
    ] = None,
    ask: Annotated[str, typer.Option(metavar="TEXT", help="Return it with a question")] = "",
    less: Annotated[
        list[str] | None,
        typer.Option(metavar="INVOICE=AMOUNT", help="Offer less of an invoice; 0 leaves it out"),
    ] = None,
    differ: Annotated[
        bool, typer.Option("--differ", help="Not what the first officer said")
    ] = False,
    note: Annotated[str, typer.Option()] = "",
    version: Version = None,
) -> None:
    """Say your word on a request: one officer or two, as its amount and its route ask."""
    words = [approve, bool(decline), bool(ask), bool(less), differ]
    if sum(words) != 1:
        raise typer.BadParameter("say one of --approve, --decline, --ask, --less, --differ")
    outcome = ("APPROVE", "DECLINE", "RETURN", "COUNTER", "DIFFER")[words.index(True)]
    payload: dict[str, Any] = {
        "request_id": which,
        "outcome": outcome,
        "note": note,
        "version": _version(which) if version is None else version,
    }
    if decline:
        payload["codes"] = decline
    if ask:
        payload["question"] = ask
    if less:
        payload["lines"] = [_less(one) for one in less]
    show(SESSION.run("request.decide", payload).result)


def _less(word: str) -> dict[str, Any]:
    number, mark, amount = word.rpartition("=")
    if not mark:
        raise typer.BadParameter("write INVOICE=AMOUNT")
    (row,) = invoice_rows([number])
    return {"invoice_id": row.id, "face_minor": parse_minor(amount, row.currency)}


def undo(which: Which, note: Annotated[str, typer.Option()] = "", version: Version = None) -> None:
    """Take your last word back, within five minutes and before the pay-out is released."""
    number = _version(which) if version is None else version
    show(SESSION.run("request.undo", {"request_id": which, "version": number, "note": note}).result)


def override(
    which: Which,
    code: Annotated[str, typer.Option(help="Why: DATA_CORRECTED, EVIDENCE_SEEN, …")],
    note: Annotated[str, typer.Option(help="In your words")],
    route: Annotated[str, typer.Option(help="officer or two_officers")] = "",
    reason: Annotated[str, typer.Option(help="A reason that shall not count")] = "",
    version: Version = None,
) -> None:
    """Set the route of a request, or one of its reasons, aside."""
    if bool(route) == bool(reason):
        raise typer.BadParameter("say either --route or --reason")
    payload = {
        "request_id": which,
        "version": _version(which) if version is None else version,
        "what": "route" if route else "reason",
        "value": route or reason,
        "code": code,
        "note": note,
    }
    show(SESSION.run("request.override", payload).result)


def reprice(
    which: Which,
    margin: Annotated[
        int, typer.Option(metavar="BP", help="Basis points on the policy's margin; -10 is cheaper")
    ],
    code: Annotated[str, typer.Option(help="Why: DATA_CORRECTED, EVIDENCE_SEEN, …")] = "",
    note: Annotated[str, typer.Option(help="In your words")] = "",
    version: Version = None,
) -> None:
    """Propose another price, with --code and --note; without them show what it would do."""
    from scf.reporting.repriced import effect

    if not code and not note:
        with SESSION.platform.db.read(SESSION.actor) as session:
            found = effect(session, SESSION.actor, which, margin)
        if found is None:
            raise NotFound("NOT_FOUND", "No financing request with this id.", id=which)
        show(
            {
                "rate": {"now": found.rate_before, "then": found.rate_after},
                "net": {
                    "now": format_minor(found.net_before_minor, found.currency),
                    "then": format_minor(found.net_after_minor, found.currency),
                },
                "return_ppm": {
                    "now": found.before.return_ppm,
                    "then": found.after.return_ppm if found.after else None,
                    "hurdle": found.before.hurdle_ppm,
                },
                "parts_bp": {name: [now, then] for name, now, then in found.parts},
                "people": found.people,
                "roles": [role.value for role in found.roles],
                "refused": found.refusal.code if found.refusal else None,
            }
        )
        return
    payload = {
        "request_id": which,
        "version": _version(which) if version is None else version,
        "margin_shift_bp": margin,
        "code": code,
        "note": note,
    }
    show(SESSION.run("request.reprice", payload).result)


def review(
    which: Annotated[str, typer.Argument(metavar="REQUEST", show_default=False)] = "",
    agree: Annotated[bool, typer.Option("--agree")] = False,
    disagree: Annotated[str, typer.Option(metavar="CODE", help="What was wrong")] = "",
    note: Annotated[str, typer.Option(help="In your words")] = "",
) -> None:
    """List the automatic approvals drawn for a look, or say what you think of one."""
    if not which:
        _reviews()
        return
    if agree == bool(disagree):
        raise typer.BadParameter("say either --agree or --disagree CODE")
    outcome: Literal["AGREE", "DISAGREE"] = "AGREE" if agree else "DISAGREE"
    payload = {"request_id": which, "outcome": outcome, "code": disagree or None, "note": note}
    show(SESSION.run("request.review", payload).result)


def _reviews() -> None:
    with SESSION.platform.db.read(SESSION.actor) as session:
        rows = session.scalars(
            select(RequestReview).order_by(col(RequestReview.id).desc()).limit(100)
        ).all()
        show_list(
            [
                {
                    "request": row.request_id,
                    "state": row.state,
                    "drawn_at": row.drawn_at,
                    "outcome": row.outcome,
                    "code": row.code,
                }
                for row in rows
            ],
            "reviews",
        )


@authority.command("set")
def authority_set(
    email: Annotated[str, typer.Argument(help="The officer's e-mail")],
    amount: Annotated[str, typer.Argument(help="e.g. 250000.00")],
    currency: Annotated[str, typer.Option()] = "EUR",
) -> None:
    """Set up to which amount an officer's word decides; above it the word is a proposal."""
    from scf.parties.service import actor_of_email

    with SESSION.reading() as conn:
        officer = actor_of_email(conn, email)
    if officer is None or officer.org_id != SESSION.actor.org_id:
        raise NotFound("NOT_FOUND", "No officer of your house with this e-mail.", email=email)
    payload = {
        "user_id": officer.user_id,
        "currency": currency,
        "ceiling_minor": parse_minor(amount, currency),
    }
    show(SESSION.run("authority.set", payload).result)


def _version(request_id: str) -> int:
    with SESSION.platform.db.read(SESSION.actor) as session:
        found = session.get(FinancingRequest, request_id)
    if found is None:
        raise NotFound("NOT_FOUND", "No financing request with this id.", id=request_id)
    return found.version

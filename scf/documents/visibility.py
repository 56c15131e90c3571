"""Who sees a trade document: its seller, its buyer, who handed it in, and whoever may finance it.

A financier sees an invoice once it lives in one of its programmes, or when it is accepted and its
buyer is the anchor of an active one. Programmes belong to a later slice, so their tables are
named here, and only here, by name and column.

Documents of an import that is not published yet (RECEIVED) are nobody's to see.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, and_, column, exists, false, or_, select, table
from sqlmodel import SQLModel

from scf.db.visibility import visible_to
from scf.documents.archives.models import ArchiveFile
from scf.documents.duplicates.models import DuplicateSuspicion, DuplicateVerdict
from scf.documents.einvoice.models import RULE_CODES, RuleCheck
from scf.documents.identity.models import FirmHandover, IdentityDecision
from scf.documents.match.models import MatchAct, PackSize
from scf.documents.messages.models import TradeMessage
from scf.documents.models import (
    Acceptance,
    CreditAllocation,
    CreditNote,
    Dispute,
    DocumentFinding,
    Invoice,
    InvoiceFact,
    InvoiceLine,
    Order,
    OrderLine,
    Original,
    PendingParty,
    Receipt,
    TradePayment,
    Upload,
)
from scf.documents.posted.models import PostedItem
from scf.documents.repairs.models import BadRow
from scf.documents.taxcheck.models import TaxCheck, TaxIdentityRow
from scf.documents.transfers.models import Transfer, TransferSlice
from scf.kernel.actor import Actor
from scf.parties.agreements import PROGRAMME

_claim = table("programme_claim", column("invoice_id"), column("financier_id"))
_ACCEPTED: Final = ("ACCEPTED", "PART_ACCEPTED", "DEEMED")

# Second names, so that a query on lines or disputes can look at the invoice they belong to.
_seen: Final = Invoice.__table__.alias("seen_invoice")  # type: ignore[attr-defined]
_seen_credit: Final = CreditNote.__table__.alias("seen_credit")  # type: ignore[attr-defined]
_on_its_way: Final = Transfer.__table__.alias("on_its_way")  # type: ignore[attr-defined]
_seen_order: Final = Order.__table__.alias("seen_order")  # type: ignore[attr-defined]


def _party(columns: Any, actor: Actor) -> ColumnElement[bool]:  # noqa: ANN401 - a model or a table
    """Show what is published to both sides and to the organisation that handed it in.

    While a side is unknown, only the latter sees it: whether it may speak for the other is open.
    """
    both_known = and_(columns.seller_id.is_not(None), columns.buyer_id.is_not(None))
    return and_(
        columns.document_state != "RECEIVED",
        or_(
            columns.org_id == actor.org_id,
            and_(
                both_known,
                or_(columns.seller_id == actor.org_id, columns.buyer_id == actor.org_id),
            ),
        ),
    )


def _financeable(columns: Any, actor: Actor) -> ColumnElement[bool]:  # noqa: ANN401
    claimed = select(_claim.c.invoice_id).where(_claim.c.financier_id == actor.org_id)
    anchors = select(PROGRAMME.c.anchor_id).where(
        PROGRAMME.c.financier_id == actor.org_id, PROGRAMME.c.state == "ACTIVE"
    )
    return or_(
        columns.id.in_(claimed),
        and_(
            columns.document_state == "VALIDATED",
            columns.acceptance_state.in_(_ACCEPTED),
            columns.buyer_id.in_(anchors),
        ),
    )


@visible_to(Invoice)
def _invoices(actor: Actor) -> ColumnElement[bool]:
    return or_(_party(Invoice, actor), _financeable(Invoice, actor))


def _of_a_seen_invoice(invoice_id: Any, actor: Actor) -> ColumnElement[bool]:  # noqa: ANN401
    # Asked of each row's own invoice: a list of all invoices that somebody sees may be long.
    columns = _seen.c
    seen = or_(_party(columns, actor), _financeable(columns, actor))
    return exists(select(columns.id).where(columns.id == invoice_id, seen))


def _with_invoice(model: Any) -> None:  # noqa: ANN401 - a model with an invoice
    """Show a part of an invoice to whoever sees the invoice."""
    visible_to(model)(lambda actor: _of_a_seen_invoice(model.invoice_id, actor))


@visible_to(RuleCheck)
def _rule_checks(actor: Actor) -> ColumnElement[bool]:
    return _of_a_seen_document(RuleCheck.__table__.c, actor)  # type: ignore[attr-defined]


def _of_a_seen_document(columns: Any, actor: Actor) -> ColumnElement[bool]:  # noqa: ANN401
    """Show what is known of a document to whoever sees that invoice or credit note."""
    credit = _seen_credit.c
    credits_seen = exists(
        select(credit.id).where(credit.id == columns.document_id, _party(credit, actor))
    )
    return or_(_of_a_seen_invoice(columns.document_id, actor), credits_seen)


@visible_to(TaxCheck)
def _tax_checks(actor: Actor) -> ColumnElement[bool]:
    """Show an authority's word to whoever sees the invoice; two people's to their own house."""
    columns: Any = TaxCheck.__table__.c  # type: ignore[attr-defined]
    own = or_(columns.financier_id.is_(None), columns.financier_id == actor.org_id)
    return and_(own, _of_a_seen_invoice(columns.invoice_id, actor))


_with_invoice(TaxIdentityRow)
for _part in (InvoiceLine, InvoiceFact, Acceptance, Dispute, CreditAllocation):
    _with_invoice(_part)


@visible_to(DuplicateSuspicion)
def _suspicions(actor: Actor) -> ColumnElement[bool]:
    """Show a suspicion to a firm that sees both papers, and to a financier that sees either.

    A financier has to say something of what stops its money, and is told nothing of a paper that it
    may not see. Whoever may have written a copy is never told by what it was known.
    """
    columns: Any = DuplicateSuspicion.__table__.c  # type: ignore[attr-defined]
    papers = (columns.invoice_id, columns.twin_id)
    ours = [exists(select(_seen.c.id).where(_seen.c.id == one, _party(_seen.c, actor)))
            for one in papers]  # fmt: skip
    financed = [exists(select(_seen.c.id).where(_seen.c.id == one, _financeable(_seen.c, actor)))
                for one in papers]  # fmt: skip
    written = exists(
        select(_seen.c.id).where(_seen.c.id.in_(papers), _seen.c.seller_id == actor.org_id)
    )
    return and_(~written, or_(and_(*ours), *financed))


@visible_to(DuplicateVerdict)
def _verdicts(actor: Actor) -> ColumnElement[bool]:
    return DuplicateVerdict.org_id == actor.org_id  # type: ignore[return-value]


@visible_to(MatchAct)
def _match_acts(actor: Actor) -> ColumnElement[bool]:
    return _of_a_seen_invoice(MatchAct.invoice_id, actor)


@visible_to(PackSize)
def _pack_sizes(actor: Actor) -> ColumnElement[bool]:
    """Show an agreement to the two firms that count by it."""
    columns: Any = PackSize.__table__.c  # type: ignore[attr-defined]
    return or_(columns.seller_id == actor.org_id, columns.buyer_id == actor.org_id)


@visible_to(Order)
def _orders(actor: Actor) -> ColumnElement[bool]:
    return _party(Order, actor)


@visible_to(OrderLine)
def _order_lines(actor: Actor) -> ColumnElement[bool]:
    seen = select(_seen_order.c.id).where(_party(_seen_order.c, actor))
    return OrderLine.order_id.in_(seen)  # type: ignore[attr-defined, no-any-return]


@visible_to(Receipt)
def _receipts(actor: Actor) -> ColumnElement[bool]:
    return _party(Receipt, actor)


@visible_to(TradeMessage)
def _messages(actor: Actor) -> ColumnElement[bool]:
    return _party(TradeMessage, actor)


@visible_to(CreditNote)
def _credit_notes(actor: Actor) -> ColumnElement[bool]:
    return _party(CreditNote, actor)


@visible_to(TradePayment)
def _payments(actor: Actor) -> ColumnElement[bool]:
    """Show a spend line to who told it: the other side never said that it may be known."""
    return and_(
        TradePayment.document_state != "RECEIVED",  # type: ignore[arg-type]
        TradePayment.org_id == actor.org_id,  # type: ignore[arg-type]
    )


def _own(model: type[SQLModel]) -> None:
    """Show to the organisation that handed it in, and to nobody else."""
    org_id: Any = model.__table__.c.org_id  # type: ignore[attr-defined]
    visible_to(model)(lambda actor: org_id == actor.org_id)


for _model in (Upload, Original, PendingParty, PostedItem, ArchiveFile, BadRow):
    _own(_model)


@visible_to(IdentityDecision)
def _identity_decisions(actor: Actor) -> ColumnElement[bool]:
    """Show a decision to the house that made it: it names firms that the sender may not know."""
    return IdentityDecision.decided_by_org == actor.org_id  # type: ignore[return-value]


@visible_to(FirmHandover)
def _handovers(_actor: Actor) -> ColumnElement[bool]:
    """Show to nobody which papers changed their firm: the papers themselves are shown."""
    return false()


@visible_to(Transfer)
def _transfers(actor: Actor) -> ColumnElement[bool]:
    """Show a file on its way to who sends it, and not even to a colleague."""
    columns = Transfer.__table__.c  # type: ignore[attr-defined]
    return and_(columns.org_id == actor.org_id, columns.user_id == actor.user_id)


@visible_to(TransferSlice)
def _slices(actor: Actor) -> ColumnElement[bool]:
    columns = _on_its_way.c
    own = select(columns.id).where(columns.org_id == actor.org_id, columns.user_id == actor.user_id)
    return TransferSlice.transfer_id.in_(own)  # type: ignore[attr-defined, no-any-return]


@visible_to(DocumentFinding)
def _findings(actor: Actor) -> ColumnElement[bool]:
    """Show findings to who handed the file in; an unknown party to that firm's financier too.

    Its officers say who that party is. They learn name and numbers, nothing of the document. What
    the published rules say of a document is for everybody who sees it: they could ask themselves.
    """
    columns: Any = DocumentFinding.__table__.c  # type: ignore[attr-defined]
    own = and_(PROGRAMME.c.financier_id == actor.org_id, PROGRAMME.c.state == "ACTIVE")
    agreed = or_(
        columns.org_id.in_(select(PROGRAMME.c.anchor_id).where(own)),
        columns.org_id.in_(select(PROGRAMME.c.seller_id).where(own)),
    )
    return or_(
        columns.org_id == actor.org_id,
        and_(columns.code == "FIRM_UNKNOWN", agreed),
        and_(columns.code.in_(RULE_CODES), _of_a_seen_document(columns, actor)),
    )

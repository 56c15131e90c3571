"""Every reason why finance is refused, in one place, all of them at once.

Pure: facts in, refusals out. Each refusal says what was measured against which threshold, when
that frees, and what the applicant can do.

Source: finance.md section 3, "Refusal codes".
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scf.documents.matching import ProofGap
from scf.documents.quantities import from_micro
from scf.kernel.errors import Refusal, Words
from scf.kernel.money import format_minor
from scf.programmes.techniques import technique_of
from scf.programmes.terms import Terms

# UNTDID 1001: a factored invoice or credit note; title has gone to somebody else.
FACTORED: Final = frozenset({"393", "396"})
# What the seller may finance: invoice, corrected, self-billed, and partial ones; 386 (prepayment)
# is no receivable, 381 a credit note.
NO_RECEIVABLE: Final = frozenset({"386", "381"})
MATCHED: Final = frozenset({"MATCHED", "WAIVED"})


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """What of one invoice decides whether it can be financed."""

    invoice_id: str
    number: str
    type_code: str
    currency: str
    document_state: str
    acceptance_state: str
    match_state: str
    proof_gap: ProofGap | None  # where the terms ask for proof of the goods
    ipu: bool
    title_prior: bool
    issue_on: dt.date
    due_on: dt.date | None
    settle_on: dt.date | None
    disputed_minor: int
    taken_minor: int  # held and financed
    over_advance_minor: int
    eligible_minor: int
    asked_minor: int
    claimed_elsewhere: bool
    # What a demanded proof on paper says against it, where the programme demands one.
    unproven_papers: tuple[Refusal, ...] = ()
    # The financier has said that this and another document are one claim.
    called_a_copy: bool = False


@dataclass(frozen=True, slots=True)
class DealFacts:
    """What decides for all invoices of one request together."""

    business_on: dt.date
    value_on: dt.date
    earliest_value_on: dt.date
    programme_state: str
    seller_state: str
    obligor_state: str
    account_verified: bool
    fixing_missing: str  # the benchmark without a usable fixing, or nothing
    overdue_since: dt.date | None  # of the obligor's financed invoices with this financier
    seller_over_advance_minor: int
    open_credit_minor: int
    free_of_pair_minor: int
    asked_minor: int
    currency: str


def refusals(
    terms: Terms, deal: DealFacts, invoices: Sequence[InvoiceFacts]
) -> tuple[Refusal, ...]:
    """Give every refusal of a request, those of the whole deal first."""
    found = [*_deal(terms, deal)]
    for facts in invoices:
        found.extend(replace(one, subject=facts.invoice_id) for one in _invoice(terms, deal, facts))
    return tuple(found)


# --- The deal ---------------------------------------------------------------------------------


def _deal(terms: Terms, deal: DealFacts) -> Iterator[Refusal]:
    if deal.programme_state != "ACTIVE":
        yield Refusal(
            "PROGRAMME_SUSPENDED",
            deal.programme_state,
            "ACTIVE",
            "when the financier resumes the programme",
            "Ask the financier when the programme opens again.",
            "The programme gives no new finance now.",
        )
    for side, state in (("seller", deal.seller_state), ("buyer", deal.obligor_state)):
        if state != "ACTIVE":
            yield Refusal(
                "KYB_EXPIRED",
                state,
                "ACTIVE",
                "when the financier has activated the firm",
                "Complete the firm's dossier with the financier.",
                Words("The %(side)s is not an active customer.", side=side),
            )
    if not deal.account_verified:
        yield Refusal(
            "ACCOUNT_UNVERIFIED",
            "no verified account",
            f"a verified account in {deal.currency}",
            "when an account is verified and its cooling-off is over",
            "Add a bank account and have the financier verify it.",
            Words(
                "There is no verified account in %(currency)s to pay to.", currency=deal.currency
            ),
        )
    if deal.fixing_missing:
        yield Refusal(
            "FIXING_MISSING",
            "no fixing",
            f"{deal.fixing_missing}, at most {terms.fixing_age_max_days} days old",
            "when the financier has entered the fixing",
            "Try again later, or ask the financier.",
            Words(
                "There is no present value of %(benchmark)s to price with.",
                benchmark=deal.fixing_missing,
            ),
        )
    if deal.value_on < deal.earliest_value_on:
        yield Refusal(
            "CUTOFF_PASSED",
            deal.value_on.isoformat(),
            deal.earliest_value_on.isoformat(),
            deal.earliest_value_on,
            Words("Ask for %(day)s or later.", day=deal.earliest_value_on.isoformat()),
            "The cut-off for this day has passed.",
        )
    if deal.overdue_since is not None:
        yield Refusal(
            "OVERDUE_OBLIGOR",
            deal.overdue_since.isoformat(),
            "nothing overdue",
            "when the buyer has paid",
            "Wait until the buyer has paid what is overdue.",
            "The buyer has not paid a financed invoice in time.",
        )
    if deal.seller_over_advance_minor:
        yield Refusal(
            "OVER_ADVANCE_OPEN",
            _money(deal.seller_over_advance_minor, deal),
            _money(0, deal),
            "when the gap is covered",
            "Cover the over-advance on the earlier invoice first.",
            "An earlier invoice of yours carries more finance than it is worth now.",
        )
    room = deal.free_of_pair_minor - deal.open_credit_minor
    if deal.open_credit_minor and deal.asked_minor > room:
        yield Refusal(
            "CREDIT_NOTE_OPEN",
            _money(deal.asked_minor, deal),
            _money(max(0, room), deal),
            "when the credit note is set against an invoice",
            Words(
                "Ask for at most %(most)s, or name the credit note's invoice.",
                most=_money(max(0, room), deal),
            ),
            Words(
                "A credit note of %(credit)s names no invoice.",
                credit=_money(deal.open_credit_minor, deal),
            ),
        )


def _money(minor: int, deal: DealFacts) -> str:
    return format_minor(minor, deal.currency)


# --- One invoice ------------------------------------------------------------------------------


def _invoice(terms: Terms, deal: DealFacts, facts: InvoiceFacts) -> Iterator[Refusal]:
    yield from _title(facts)
    if facts.currency not in terms.currency:
        yield Refusal(
            "CURRENCY",
            facts.currency,
            ", ".join(terms.currencies),
            None,
            "Choose invoices in a currency of the programme.",
            Words(
                "Invoice %(number)s: the programme does not finance %(currency)s.",
                number=facts.number,
                currency=facts.currency,
            ),
        )
        return
    yield from _documents(terms, facts)
    yield from _days(terms, deal, facts)
    yield from _amount(terms, facts)


def _title(facts: InvoiceFacts) -> Iterator[Refusal]:
    if facts.title_prior or facts.type_code in FACTORED:
        yield Refusal(
            "TITLE_PRIOR",
            f"type {facts.type_code}" if facts.type_code in FACTORED else "payee is not the seller",
            "title with the seller",
            None,
            "Finance another invoice.",
            Words(
                "Invoice %(number)s: the claim belongs to somebody else already.",
                number=facts.number,
            ),
        )
    if facts.claimed_elsewhere:
        yield Refusal(
            "ALREADY_FINANCED",
            "another programme",
            "one programme at a time",
            "when the finance there ends",
            "Finance another invoice.",
            Words(
                "Invoice %(number)s is being financed in another programme.", number=facts.number
            ),
        )


def _documents(terms: Terms, facts: InvoiceFacts) -> Iterator[Refusal]:
    if facts.document_state != "VALIDATED" or facts.due_on is None:
        yield Refusal(
            "DOCUMENT_MISSING",
            facts.document_state,
            "VALIDATED",
            "when the document is complete",
            "Complete the invoice; its findings say what is missing.",
            Words("Invoice %(number)s is not complete.", number=facts.number),
        )
    elif facts.type_code in NO_RECEIVABLE:
        yield Refusal(
            "DOCUMENT_MISSING",
            f"type {facts.type_code}",
            "an invoice for something delivered",
            None,
            "Finance the invoice itself, not a prepayment request or a credit note.",
            Words("Document %(number)s is no receivable.", number=facts.number),
        )
    if not technique_of(terms).accepted_enough(facts.acceptance_state):
        yield Refusal(
            "NOT_ACCEPTED",
            facts.acceptance_state,
            "ACCEPTED",
            "when the buyer accepts the invoice",
            "Ask the buyer to accept the invoice.",
            Words("Invoice %(number)s is not accepted by the buyer.", number=facts.number),
        )
    waits = facts.match_state == "PARTIAL" and facts.proof_gap is not None
    if terms.match_mode != "none" and facts.match_state == "UNMATCHED":
        yield Refusal(
            "MATCH_EXCEPTION",
            facts.match_state,
            "MATCHED",
            "when the invoice's order is here",
            "Ask the buyer for the order, or name it on the invoice.",
            Words("The order of invoice %(number)s is not here yet.", number=facts.number),
        )
    elif terms.match_mode != "none" and facts.match_state not in MATCHED and not waits:
        yield Refusal(
            "MATCH_EXCEPTION",
            facts.match_state,
            "MATCHED",
            "when the invoice matches its order, or an officer waives it",
            "Correct the invoice or the order.",
            Words("Invoice %(number)s does not match its order.", number=facts.number),
        )
    elif facts.proof_gap is not None:
        yield _unproven(facts, facts.proof_gap)
    yield from facts.unproven_papers
    if facts.called_a_copy:
        # By which sign, and which other document, is not told to who may have written it.
        yield Refusal(
            "DUPLICATE_SUSPECT",
            "the bank's check",
            "a claim of its own",
            "when another person at the bank has looked again",
            "If it is a claim of its own, tell the bank why on the invoice's page.",
            Words(
                "Invoice %(number)s: a check of the bank stands in the way.", number=facts.number
            ),
        )
    if facts.over_advance_minor:
        yield Refusal(
            "OVER_ADVANCE_OPEN",
            format_minor(facts.over_advance_minor, facts.currency),
            format_minor(0, facts.currency),
            "when the gap is covered",
            "Cover the over-advance first.",
            Words(
                "Invoice %(number)s carries more finance than it is worth now.", number=facts.number
            ),
        )


def _unproven(facts: InvoiceFacts, gap: ProofGap) -> Refusal:
    received = gap.proof == "receipt"
    return Refusal(
        "PROOF_MISSING",
        f"line {gap.line}: {from_micro(gap.proven_micro)}" if gap.line else "no line",
        from_micro(gap.invoiced_micro) if gap.line else "each line",
        "when the buyer's receipt is here" if received else "when the despatch advice is here",
        "Ask the buyer for its receipt of the goods."
        if received
        else "Hand in your despatch advice.",
        Words("More is invoiced on %(number)s than is proven as received.", number=facts.number)
        if received
        else Words("More is invoiced on %(number)s than is proven as sent.", number=facts.number),
    )


def _days(terms: Terms, deal: DealFacts, facts: InvoiceFacts) -> Iterator[Refusal]:
    age = (deal.business_on - facts.issue_on).days
    if age > terms.invoice_age_max_days:
        yield Refusal(
            "INVOICE_AGE",
            f"{age} days",
            f"{terms.invoice_age_max_days} days",
            None,
            "Finance a newer invoice.",
            Words("Invoice %(number)s is %(age)s days old.", number=facts.number, age=age),
        )
    if facts.settle_on is None:
        return
    days = (facts.settle_on - deal.value_on).days
    if days < max(1, terms.tenor_min_days):
        yield Refusal(
            "TENOR_SHORT",
            f"{days} days",
            f"{max(1, terms.tenor_min_days)} days",
            None,
            "Wait for the payment: it is due too soon to finance.",
            Words("Invoice %(number)s is due in %(days)s days.", number=facts.number, days=days),
        )
    if days > terms.tenor_max_days:
        frees = facts.settle_on - dt.timedelta(days=terms.tenor_max_days)
        yield Refusal(
            "TENOR_LONG",
            f"{days} days",
            f"{terms.tenor_max_days} days",
            frees,
            Words("Ask again on %(day)s or later.", day=frees.isoformat()),
            Words("Invoice %(number)s is due in %(days)s days.", number=facts.number, days=days),
        )


def _amount(terms: Terms, facts: InvoiceFacts) -> Iterator[Refusal]:
    part = terms.currency[facts.currency]
    most = largest_face(terms, facts.eligible_minor)

    def money(minor: int) -> str:
        return format_minor(minor, facts.currency)

    if facts.asked_minor > most or most == 0:
        yield _too_much(facts, most)
        return
    if facts.asked_minor < part.amount_min_minor:
        yield Refusal(
            "AMOUNT_MIN",
            money(facts.asked_minor),
            money(part.amount_min_minor),
            None,
            "Ask for more, or for another invoice.",
            Words(
                "Invoice %(number)s: the amount is below the programme's minimum.",
                number=facts.number,
            ),
        )
    whole = facts.asked_minor == most
    if not whole and not terms.partial_allowed:
        yield Refusal(
            "AMOUNT_MIN",
            money(facts.asked_minor),
            money(most),
            None,
            Words("Ask for the whole %(most)s.", most=money(most)),
            Words(
                "Invoice %(number)s: this programme finances whole invoices only.",
                number=facts.number,
            ),
        )
    elif not whole and facts.asked_minor % part.amount_step_minor:
        lower = facts.asked_minor - facts.asked_minor % part.amount_step_minor
        yield Refusal(
            "AMOUNT_STEP",
            money(facts.asked_minor),
            f"multiples of {money(part.amount_step_minor)}",
            None,
            Words(
                "Ask for %(lower)s or %(higher)s.",
                lower=money(lower),
                higher=money(lower + part.amount_step_minor),
            ),
            Words(
                "Invoice %(number)s: parts come in steps of %(step)s.",
                number=facts.number,
                step=money(part.amount_step_minor),
            ),
        )


def largest_face(terms: Terms, eligible: int) -> int:
    """Give the most that can be financed of what is eligible, as the technique says."""
    return technique_of(terms).largest_face(terms, eligible)


def _too_much(facts: InvoiceFacts, most: int) -> Refusal:
    """Say what takes the room: finance that is there, a dispute, or payments and credits."""

    def money(minor: int) -> str:
        return format_minor(minor, facts.currency)

    asked, free = money(facts.asked_minor), money(most)
    step = (
        Words("Ask for at most %(free)s.", free=free) if most else Words("Finance another invoice.")
    )
    if facts.taken_minor:
        return Refusal(
            "ALREADY_FINANCED",
            asked,
            free,
            "when the finance there ends",
            step,
            Words(
                "Invoice %(number)s: %(taken)s of it are financed or held.",
                number=facts.number,
                taken=money(facts.taken_minor),
            ),
        )
    if facts.disputed_minor and not facts.ipu:
        return Refusal(
            "DISPUTED",
            asked,
            free,
            "when the dispute is resolved",
            step if most else Words("Resolve the dispute with the buyer."),
            Words(
                "Invoice %(number)s: %(disputed)s of it are disputed.",
                number=facts.number,
                disputed=money(facts.disputed_minor),
            ),
        )
    return Refusal(
        "CAPACITY",
        asked,
        free,
        None,
        step,
        Words("Invoice %(number)s has %(free)s left to finance.", number=facts.number, free=free),
    )


def codes(found: Iterable[Refusal]) -> list[str]:
    """Give the codes of refusals, each once, in their order."""
    return list(dict.fromkeys(refusal.code for refusal in found))

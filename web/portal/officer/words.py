"""What codes, kinds and states are called on the officer's pages."""

from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scf.kernel.errors import ScfError
from web.refusals import refusal_text

_CHECKS: Final = {
    "duplicate": _l("Not financed elsewhere"),
    "screening": _l("Sanctions and watch lists"),
    "tax_status": _l("Tax status of the invoice"),
    "title_search": _l("Title is free"),
    "e_signature": _l("Agreement signed"),
    "registration": _l("Assignment registered"),
    "recheck": _l("Title searched again today"),
}
_LIMITS: Final = {
    "financier": _l("Cash we may pay out"),
    "programme": _l("Programme"),
    "obligor": _l("Obligor"),
    "group": _l("Group"),
    "seller": _l("Seller"),
    "relationship": _l("Seller and obligor"),
    "sector": _l("Sector"),
    "country": _l("Country"),
    "tenor": _l("Tenor"),
    "insured": _l("Covered by the credit insurer"),
}
_ADVANCES: Final = {
    "REQUESTED": (_l("Requested"), ""),
    "HELD": (_l("Amounts set aside"), ""),
    "PRECHECKED": (_l("Checked"), "info"),
    "DECIDED": (_l("Decided"), "info"),
    "SIGNED": (_l("Signed"), "info"),
    "REGISTERED": (_l("Registered"), "info"),
    "RECHECKED": (_l("Ready to pay"), "info"),
    "INSTRUCTED": (_l("With the bank"), "info"),
    "FUNDED": (_l("Paid out"), "ok"),
    "PART_REPAID": (_l("Part repaid"), "ok"),
    "GRACE": (_l("In grace"), "warn"),
    "OVERDUE": (_l("Overdue"), "bad"),
    "RECOURSE_CALLED": (_l("Asked back from the seller"), "bad"),
    "REPURCHASED": (_l("Bought back by the seller"), "ok"),
    "WRITTEN_OFF": (_l("Written off"), "bad"),
    "RECOVERED": (_l("Recovered after the write-off"), "ok"),
    "EARLY_REPAID": (_l("Repaid early"), "ok"),
    "CLOSED": (_l("Repaid"), "ok"),
    "FAILED": (_l("Payment failed"), "bad"),
    "UNKNOWN": (_l("No answer of the bank"), "warn"),
    "RETURNED": (_l("Payment came back"), "bad"),
    "DECLINED": (_l("Declined"), ""),
    "CANCELLED": (_l("Cancelled"), ""),
    "EXPIRED": (_l("Expired"), ""),
    "UNWOUND": (_l("Unwound"), ""),
}
_PAYMENTS: Final = {
    "CREATED": (_l("Prepared"), ""),
    "APPROVED": (_l("Released"), "info"),
    "SENT": (_l("Sent"), "info"),
    "ACKED": (_l("Acknowledged"), "info"),
    "SETTLED": (_l("Booked"), "ok"),
    "REJECTED": (_l("Rejected"), "bad"),
    "UNKNOWN": (_l("No answer"), "warn"),
    "RETURNED": (_l("Came back"), "bad"),
    "CANCELLED": (_l("Cancelled"), ""),
}
_FILES: Final = {
    "CREATED": (_l("Waits for release"), "warn"),
    "APPROVED": (_l("Released"), "info"),
    "SENT": (_l("Released"), "ok"),
    "CANCELLED": (_l("Cancelled"), ""),
}
_PARTS: Final = {
    "advance": _l("Early payment"),
    "payer": _l("Sent back to the payer"),
    "seller": _l("Collected for the seller"),
    "rebate": _l("Rebate"),
    "principal": _l("Repayment"),
    "penalty": _l("Penalty"),
    "interest": _l("Interest"),
    "surplus": _l("Surplus"),
    "gap": _l("Gap covered"),
    "charge": _l("Charges"),
    "bought": _l("Bought back by the seller"),
    "reserve": _l("Kept back, now the seller's"),
    "return": _l("Came back from the payee"),
}
_PROGRAMMES: Final = {
    "DRAFT": (_l("Draft"), "warn"),
    "APPROVED": (_l("Approved"), "info"),
    "ACTIVE": (_l("Active"), "ok"),
    "SUSPENDED": (_l("Suspended"), "bad"),
    "CLOSED": (_l("Closed"), ""),
}
_FIRMS: Final = {
    "INVITED": (_l("Invited"), "warn"),
    "ACTIVE": (_l("Active"), "ok"),
    "SUSPENDED": (_l("Suspended"), "bad"),
}
_ACCOUNTS: Final = {
    "UNVERIFIED": (_l("Not verified"), "warn"),
    "VERIFIED": (_l("Verified"), "ok"),
    "WITHDRAWN": (_l("Withdrawn"), "bad"),
    "CLOSED": (_l("Closed"), ""),
}
_REQUESTS: Final = {
    "SUBMITTED": (_l("First word"), "info"),
    "IN_REVIEW": (_l("In review"), "info"),
    "RETURNED": (_l("Returned with a question"), "warn"),
    "COUNTER_OFFERED": (_l("Offered less"), "info"),
    "AUTO_OK": (_l("Approved by the policy"), "ok"),
    "APPROVED": (_l("Approved"), "ok"),
    "DECLINED": (_l("Declined"), "bad"),
    "WITHDRAWN": (_l("Withdrawn by the firm"), ""),
    "EXPIRED": (_l("Expired"), ""),
    "LAPSED": (_l("Lapsed"), ""),
}
_MATCH: Final = {
    "MATCHED": (_l("matched"), "ok"),
    "PART_MATCHED": (_l("part matched"), "warn"),
    "UNMATCHED": (_l("not matched"), ""),
    "EXCEPTION": (_l("does not fit"), "bad"),
}
_ACCEPTANCE: Final = {
    "ACCEPTED": (_l("accepted"), "ok"),
    "PART_ACCEPTED": (_l("part accepted"), "warn"),
    "DEEMED": (_l("deemed accepted"), "ok"),
    "REJECTED": (_l("rejected"), "bad"),
    "NONE": (_l("no word yet"), "warn"),
}
_WORDS: Final = {
    "APPROVE": _l("approved"),
    "COUNTER": _l("would finance less"),
    "RETURN": _l("asked the firm"),
    "DECLINE": _l("declined"),
    "DIFFER": _l("differed"),
    "UNDO": _l("took the word back"),
}
_COMPONENTS: Final = {
    "funding": _l("Bank funding"),
    "late_days": _l("Days late"),
    "default_own": _l("Obligor's own default"),
    "default_chain": _l("Default by the chain"),
    "dilution": _l("Credit notes, disputes"),
    "capital": _l("Capital"),
    "operating": _l("Running costs"),
    "channel": _l("Transfers, insurance"),
    "uncertainty": _l("Thin history"),
    "margin": _l("Bank margin"),
    "floor_addon": _l("Up to the floor"),
}
_CARD: Final = {
    "late_share": _l("Share of items paid late"),
    "worst_days_past_due": _l("Longest open arrears, days"),
    "late_trend": _l("Trend of lateness, days"),
    "trend_days": _l("Trend of lateness, days"),
    "months_observed": _l("Months of history here"),
    "firm_age_years": _l("Age of the firm, years"),
    "revenue_eur": _l("Yearly revenue, EUR"),
    "sales_ratio": _l("Sales against a year ago"),
    "equity_ratio": _l("Equity ratio"),
    "liquidity_weeks": _l("Weeks of cost in cash"),
}
_SEEN: Final = {
    "face_minor": _l("face"),
    "net_minor": _l("amount"),
    "currency": _l("currency"),
    "rate_percent": _l("price"),
    "grade": _l("grade"),
    "route": _l("route"),
    "value_on": _l("value date"),
    "payee": _l("payee's account"),
    "invoices": _l("invoices"),
    "checks": _l("checks"),
    "limits": _l("limits"),
    "overrides": _l("overrides"),
    "reasons": _l("reasons"),
}
_CRITERIA: Final = {
    "MODEL": _l("Every invoice has been assessed"),
    "ROUTE": _l("The risk is small enough for the policy"),
    "BAND": _l("The amount is small enough for the policy"),
    "LIMITS": _l("Every limit has room"),
    "REGISTRY": _l("The shared registry shows no other financier"),
    "TAX_ALERT": _l("The tax authority has the seller's financed invoices as they are"),
    "OWN_GROUP": _l("Seller and buyer belong to two groups of owners"),
    "RING": _l("No ring of invoices leads back to its beginning"),
    "MODEL_DATE": _l("Assessed this morning"),
    "GRADE": _l("The grade is within the policy"),
    "AMOUNT_ABOVE_AUTO": _l("The amount is small enough for this grade"),
    "FEW_SETTLED_ITEMS": _l("Enough settled items are known"),
    "NO_HISTORY": _l("The firms have paid and been paid here before"),
    "LONE_FIRM": _l("The firms trade with others that are known"),
    "TRADE_CIRCLE": _l("No firm sells to itself through others"),
    "SNAPSHOT_STALE": _l("The chain is of this morning"),
    "MODEL_UNAVAILABLE": _l("Every firm could be assessed"),
    "MODEL_STANDS": _l("The model of the price has not been stopped since"),
    "MODEL_SIMULATED": _l("The price rests on real firms"),
    "MODEL_UNREAD": _l("The champion's file could be read"),
    "MODEL_UNSEEN": _l("The champion knows enough of the firms"),
    "MODEL_UNUSUAL": _l("The firms are like those that the champion learnt from"),
    "MODEL_NO_ANSWER": _l("The champion has an answer"),
    "MODEL_LATELY": _l("No firm has only just come back from default"),
    "BEYOND_CURVE": _l("The champion's year reaches to the end of the claim"),
}
_DECLINES: Final = {
    "AUTHORITY": _l("Above our authority"),
    "BUDGET_STOP": _l("Risk budget is used up"),
    "CONCENTRATION": _l("Too much on one name"),
    "CONTRA": _l("Set-off with the buyer"),
    "CREDIT_NOTE_OPEN": _l("A credit note is open"),
    "DISPUTED": _l("The invoice is disputed"),
    "DOCUMENT_MISSING": _l("A document is missing"),
    "DUPLICATE_SUSPECT": _l("May be financed elsewhere"),
    "INVOICE_AGE": _l("The invoice is too old"),
    "KYB_EXPIRED": _l("The firm's papers have expired"),
    "LIMIT_COUNTRY": _l("Country limit is used up"),
    "LIMIT_FINANCIER": _l("Our cash limit is used up"),
    "LIMIT_GROUP": _l("Group limit is used up"),
    "LIMIT_INSURED": _l("The insurer's cover of the obligor is used up"),
    "LIMIT_OBLIGOR": _l("Obligor's limit is used up"),
    "LIMIT_PROGRAMME": _l("Programme limit is used up"),
    "LIMIT_RELATIONSHIP": _l("Limit of the pair is used up"),
    "LIMIT_SECTOR": _l("Sector limit is used up"),
    "LIMIT_SELLER": _l("Seller's limit is used up"),
    "LIMIT_TENOR": _l("Tenor limit is used up"),
    "MATCH_EXCEPTION": _l("Invoice and order do not fit"),
    "OTHER": _l("Something else"),
    "OVERDUE_OBLIGOR": _l("The buyer is overdue"),
    "OVERDUE_SELLER": _l("The seller is overdue"),
    "PRICE_ABOVE_CAP": _l("The price would be above the cap"),
    "PROOF_MISSING": _l("Proof of trade is missing"),
    "RECOURSE_OPEN": _l("A recourse is open"),
    "RELATED_PARTY": _l("Seller and buyer are related"),
    "RISK_BELOW_FLOOR": _l("The risk is too high"),
    "SCREENING_HIT": _l("Hit on a watch list"),
    "TAX_VOID": _l("The tax invoice is void"),
    "TENOR_LONG": _l("The tenor is too long"),
    "TITLE_PRIOR": _l("The claim is somebody else's"),
}
# What the firm reads: where our own books or others' data stand behind it, one neutral sentence.
_TOLD: Final = {
    "CHECK_NEEDED": _l("The document needs a check. Please contact us."),
    "FINANCIER_POLICY": _l("It does not fit what we may finance at the moment."),
}
_KINDS: Final = {
    "advance": _ADVANCES,
    "payment": _PAYMENTS,
    "file": _FILES,
    "programme": _PROGRAMMES,
    "firm": _FIRMS,
    "account": _ACCOUNTS,
}
# Why something waits or was refused, in a sentence that says what to do.
_CODES: Final = {
    "TAX_ALERT_OPEN": _l(
        "The tax authority no longer has another invoice of this seller as it was financed here."
        " Settle that alert first."
    ),
    "TAX_VOID": _l("The tax authority has this invoice as void."),
    "TAX_CREDITED": _l("The tax authority has a credit note that is not here."),
    "TAX_MISMATCH": _l("The tax authority has this invoice otherwise than we do."),
    "TAX_NOT_FOUND": _l("The tax authority does not know this invoice."),
    "TAX_UNCHECKED": _l("The tax authority could not be asked: try again, or look it up in two."),
    "TAX_IDENTITY": _l("The invoice does not say under what the tax authority knows it."),
    "TAX_ANSWERS": _l("Two people look it up only while the tax authority is away."),
    "ALERT_STANDS": _l("Books and documents do not say so yet; the alert stays open."),
    "ALERT_CLOSED": _l("Somebody has closed this alert."),
    "CHECK_MISSING": _l("A check is missing: record it on the case."),
    "RECHECK_STALE": _l("The title must be searched again on the day of payment."),
    "CUTOFF_PASSED": _l("The cut-off has passed: the seller is offered the next day tonight."),
    "NOT_SEPA": _l("The account sends SEPA payments only, and this is none."),
    "VALUE_DATE_MOVED": _l("The day of this price has passed: the seller needs a new quote."),
    "ACCOUNT_UNVERIFIED": _l("The payee has no verified account."),
    "PAYEE_CHANGED": _l("The payee's account has changed since the decision."),
    "PAYMENT_PREPARED": _l("Stands in a payment file already."),
    "NOT_READY": _l("Not every step before the payment is taken."),
    "AMOUNT_RANGE": _l("Nothing would be left to pay out."),
    "FAILED": _l("The bank refused the payment: send it again or unwind it."),
    "RETURNED": _l("The payment came back: send it again or unwind it."),
    "PROGRAMME_SUSPENDED": _l("The programme is not active."),
    "OVER_ADVANCE_OPEN": _l("The invoice is worth less now than what is financed on it."),
    "DISPUTED": _l("The buyer disputes the invoice."),
    "AUTHORITY": _l("This word is for another role, or the amount is above your authority."),
    "DIFFERS": _l("The first officer's word was another one: agree to it, or differ."),
    "OUTLIER": _l("Its amount stands out among the chosen cases."),
    "NOT_SIMILAR": _l("It belongs to another programme or currency."),
    "TOO_LARGE": _l("It needs two people."),
    "QUOTE_EXPIRED": _l("Its deadline has passed: the firm needs a new quote."),
    "REGISTRY_DOWN": _l("The shared registry did not answer: nothing is paid unasked. Try again."),
    "ALREADY_FINANCED": _l("The shared registry shows another financier: refer the case."),
    "SIGNED_OTHER": _l("This changed after you were shown it. Look at it again, then sign."),
    "SIGNATURE_VOID": _l("This is not what was approved any more: it needs a new decision."),
    "UNDO_LATE": _l("Five minutes are over, or the payment is on its way."),
    "UNDO_OWN": _l("Only the person whose word decided takes it back."),
    "COUNTER_LINES": _l("Less than was asked for, and more than nothing."),
    "TITLE_PRIOR": _l("The invoice is somebody else's."),
    "DOCUMENT_MISSING": _l("A document is missing or void."),
    "DUPLICATE_SUSPECT": _l("It may be the same claim as another paper: decide that first."),
    "FOUR_EYES": _l("Another person has to do this: nobody checks the own work."),
    "SAME_PERSON": _l("Another person has to do this: nobody checks the own work."),
    "STALE": _l("Somebody changed this since you opened it. Read it again."),
    "IDEMPOTENCY_MISMATCH": _l(
        "This form has been sent before with other words. Load the page again."
    ),
    "SECOND_FACTOR": _l("The code is not right. Take the present one and try again."),
    "NO_REFERENCE": _l("The payer named nothing that is known."),
    "PAYER_UNKNOWN": _l("Nobody knows this payer."),
    "PAYER_NOT_OBLIGOR": _l("The payer is not the obligor of the invoice."),
    "VALUE_DATE_AHEAD": _l("The money counts from a later day."),
    "HELD_PART": _l("A part of the invoice is being financed right now."),
    "RETURN_UNKNOWN": _l("A payment that came back, and nobody knows which."),
    "REVERSAL_UNKNOWN": _l("The bank took something back that nobody knows."),
    "UNKNOWN_DEBIT": _l("A debit that nobody ordered."),
    "PAID_OUT": _l("A part of it has been paid on."),
    "ADVISED": _l("A paper of the sender speaks of it, and nothing that it names is open here."),
    "TO_REVIEW": _l("More than one invoice fits, or the number is not known: choose."),
    "PROPOSAL_GONE": _l("This receipt was decided meanwhile. Load the page again."),
    "TAKEN_BACK": _l("What it paid was taken back."),
    "AMOUNT_LEFT": _l("More is given out than is there."),
    "NOT_HELD": _l("The seller was not paid so much in error."),
    "FIXING_EXISTS": _l("Another value stands for this day; a published value never changes."),
    "FIRM_EXISTS": _l("A firm with one of these numbers is known: link the party to it."),
    "IDENTIFIER_TAKEN": _l("One of these numbers names another firm already."),
    "NOTHING_WAITS": _l("Nothing waits for a second person here any more."),
    "NOTHING_OPEN": _l("No terms wait for approval."),
    "BANK_FORMAT": _l(
        "This is no bank file that is read here: camt.053, camt.054, MT940, CSV or pain.002."
    ),
    "NOT_BOOKED": _l("A report of the day moves no money; hand in the statement."),
}


def check_name(kind: str) -> str:
    """Return what a check establishes."""
    return str(_CHECKS.get(kind, kind))


def limit_kind(kind: str) -> str:
    """Return what a node of the limit tree measures."""
    return str(_LIMITS.get(kind, kind))


def part_name(kind: str) -> str:
    """Return what a payment or a part of a receipt is for."""
    return str(_PARTS.get(kind, kind))


def state_of(kind: str, word: str) -> tuple[str, str]:
    """Return the words for a state and the kind of its chip."""
    text, colour = _KINDS[kind].get(word, (word, ""))
    return str(text), colour


def reason(code: str) -> str:
    """Return why something waits or was refused; an unknown code speaks for itself."""
    return str(_CODES.get(code, code))


def refused(error: ScfError) -> str:
    """Return a refusal in the person's words."""
    if error.code in _CODES:
        return str(_CODES[error.code])
    if error.code == "INPUT":
        return str(_("Something is missing or cannot be read."))
    return refusal_text(error)


def subject(kind: str, name: str) -> str:
    """Return the name of what a limit is about; tenors are stored as codes."""
    if kind != "tenor":
        return name
    if name == "longer":
        return str(_("Longer than a year"))
    return str(_("Up to %(days)s days", days=name.removeprefix("to-")))


def request_state(word: str) -> tuple[str, str]:
    """Return the words for where a case stands, and the kind of its chip."""
    text, kind = _REQUESTS.get(word, (word, ""))
    return str(text), kind


def match_state(word: str) -> tuple[str, str]:
    """Return how an invoice fits its order."""
    text, kind = _MATCH.get(word, (word, ""))
    return str(text), kind


def acceptance_state(word: str) -> tuple[str, str]:
    """Return what the buyer has said on an invoice."""
    text, kind = _ACCEPTANCE.get(word, (word, ""))
    return str(text), kind


def word_of(outcome: str) -> str:
    """Return what an officer did, to stand after the name."""
    return str(_WORDS.get(outcome, outcome))


def component(name: str) -> str:
    """Return what a part of the price pays for."""
    return str(_COMPONENTS.get(name, name))


def card_input(name: str) -> str:
    """Return what an input of the expert's card looks at."""
    return str(_CARD.get(name, name))


def seen_name(name: str) -> str:
    """Return what the comparison of two officers' views is about."""
    return str(_SEEN.get(name, name))


def criterion(code: str) -> str:
    """Return what the policy asked for."""
    if code.startswith("CHECK_"):
        return check_name(code.removeprefix("CHECK_").lower())
    return str(_CRITERIA.get(code, code))


_ALERTS: Final = {
    "VOIDED": _l("The tax authority has this invoice as void, and money is out on it."),
    "CREDITED": _l("The tax authority has a credit note that is not here, and money is out on it."),
    "MISMATCH": _l("The tax authority has this invoice otherwise, and money is out on it."),
    "NOT_FOUND": _l("The tax authority does not know this invoice, and money is out on it."),
    "UNANSWERED": _l("The tax authority has been silent about this invoice for two weeks."),
}


def alert_words(kind: str) -> str:
    """Say what an alert of a tax authority means."""
    return str(_ALERTS.get(kind, kind))


_STEPS: Final = {
    "ASK_AGAIN": _l("Ask again. While nobody answers, two people may look it up elsewhere."),
    "UNDERTAKING": _l("The buyer has undertaken to pay and owes on: close the alert with that."),
    "WATCH": _l("The seller is asked to pay: close the alert with that, and watch for its money."),
    "CLOSE": _l("Nothing is owed on it any more: close the alert with recourse."),
    "CREDIT_NOTE": _l("Have the seller hand in the credit note: it lowers what is financed here."),
    "RECOURSE": _l("The seller answers for it: open the advance and ask the seller to pay."),
    "CORRECT": _l("Have the seller correct it and ask again; if it cannot, ask the seller to pay."),
}


def next_step(step: str) -> str:
    """Say what a person does next about an alert: who owes, and where that is asked for."""
    return str(_STEPS.get(step, step))


def route_name(route: str) -> str:
    """Return who the price asks to decide."""
    names = {
        "auto": _("the price asks for nobody"),
        "officer": _("the price asks for an officer"),
        "two_officers": _("the price asks for two officers"),
    }
    return str(names.get(route, route))


def decided_by(route: str) -> str:
    """Return who decides on a route."""
    names = {
        "auto": _("the policy alone"),
        "officer": _("one officer"),
        "two_officers": _("two officers"),
        "refuse": _("nobody: refused"),
    }
    return str(names.get(route, route))


def price_asks_for(route: str) -> str:
    """Return how many people a price asks for, whatever the amount asks for besides."""
    return str(_("nobody")) if route == "auto" else decided_by(route)


def decline_name(code: str) -> str:
    """Return why a request is declined, as the bank says it inside."""
    return str(_DECLINES.get(code, code))


def told_name(code: str) -> str:
    """Return why a request is declined, as the firm reads it."""
    return str(_TOLD.get(code) or _DECLINES.get(code, code))

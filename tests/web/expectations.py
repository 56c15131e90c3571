"""What is expected of every route: who may call it, with what, and who may see its object.

Declared apart from the product's own tables on purpose: a route, a role or an object that changes
there and not here fails the matrix.
"""

from hashlib import sha256

from scf.kernel.actor import Role
from tests.web import (
    account_pages,
    connection_routes,
    identity_routes,
    matching_routes,
    model_routes,
    tax_routes,
)
from tests.web.anchor_pages import ANCHOR_PAGES
from tests.web.officer_pages import ADMIN_PAGES, PAGES
from tests.web.route_kinds import (
    ADMIN,
    BANK,
    EVERYBODY,
    OFFICERS,
    TRADERS,
    TREASURER,
    Api,
    Open,
    Person,
    Portal,
)
from tests.web.treasurer_pages import TREASURER_PAGES
from tests.web.upload_pages import UPLOAD_PAGES

API = "/api/v1"
EVIDENCE = {"evidence": "seen with my own eyes"}
REASON = {"reason": "because it must be"}
NOTE = {"note": "because it must be"}
CENT = {"amount_minor": 1, "currency": "EUR"}
YEN = {"amount_minor": 1, "currency": "JPY"}
HOLDERS = OFFICERS | ADMIN | {Role.TREASURER, Role.ANCHOR_APPROVER}
SEES_QUOTES = BANK | {Role.TREASURER}
SECOND = frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE})
ANCHORS = frozenset({Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER})
APPROVERS = frozenset({Role.ANCHOR_APPROVER})


def _is_seller(who: Person) -> bool:
    return who.org == "supplier-x"


def _officer() -> dict[tuple[str, str], Portal]:
    """Give the officer's pages."""
    return {
        (method, f"/officer{rule}"): Portal(signed_in=True, roles=roles, thing=thing)
        for method, rule, roles, thing in PAGES
    }


ROUTES: dict[tuple[str, str], Api | Portal | Open] = {
    ("GET", "/healthz"): Open(),
    ("GET", "/readyz"): Open(),
    ("GET", "/metrics"): Open(),
    ("GET", "/static/<path:filename>"): Open(),
    ("GET", "/static/htmx.js"): Open(),
    ("GET", f"{API}/openapi.json"): Open(),
    # --- portal
    ("GET", "/"): Portal(signed_in=True),
    ("GET", "/sign-in"): Portal(signed_in=False),
    ("POST", "/sign-in"): Portal(signed_in=False, form={"email": "a@b.example", "password": "x"}),
    # The steps of the gate are open only to whom its step before has let in.
    ("GET", "/sign-in/code"): Portal(signed_in=True, gate=True),
    ("POST", "/sign-in/code"): Portal(signed_in=True, gate=True),
    ("GET", "/sign-in/recovery"): Portal(signed_in=True, gate=True),
    ("POST", "/sign-in/recovery"): Portal(signed_in=True, gate=True),
    ("GET", "/sign-in/enrol"): Portal(signed_in=True, gate=True),
    ("POST", "/sign-in/enrol"): Portal(signed_in=True, gate=True),
    ("POST", "/sign-in/enrol/passkey"): Portal(signed_in=True, gate=True),
    # --- the anchor's pages
    **{
        (method, f"/anchor{path}"): Portal(signed_in=True, roles=ANCHORS)
        for method, path in ANCHOR_PAGES
    },
    ("POST", "/anchor/acceptances"): Portal(signed_in=True, roles=APPROVERS),
    ("POST", "/anchor/acceptances/review"): Portal(signed_in=True, roles=APPROVERS),
    ("POST", "/anchor/invoices/<invoice_id>/accept"): Portal(signed_in=True, roles=APPROVERS),
    # --- uploads
    **{
        (method, f"/uploads{rule}"): Portal(signed_in=True, roles=TRADERS)
        for method, rule in UPLOAD_PAGES
    },
    # --- the own account
    **dict.fromkeys(account_pages.PAGES, Portal(signed_in=True)),
    # --- the administrator
    **{page: Portal(signed_in=True, roles=ADMIN) for page in ADMIN_PAGES},
    ("POST", "/admin/users/<user_id>/sessions/<session_id>/end"): Portal(
        signed_in=True, roles=ADMIN
    ),
    ("GET", "/admin/authorities"): Portal(signed_in=True, roles=ADMIN | {Role.HEAD_OFFICE}),
    ("POST", "/admin/authorities"): Portal(signed_in=True, roles=ADMIN | {Role.HEAD_OFFICE}),
    ("GET", "/admin/audit"): Portal(signed_in=True, roles=ADMIN | {Role.HEAD_OFFICE}),
    ("GET", "/admin/audit.csv"): Portal(signed_in=True, roles=ADMIN | {Role.HEAD_OFFICE}),
    ("GET", "/sign-in/resume"): Portal(signed_in=True),
    ("POST", "/sign-in/resume"): Portal(signed_in=True),
    ("POST", "/sign-out"): Portal(signed_in=True),
    ("POST", "/language"): Portal(signed_in=False, form={"language": "zh"}),
    ("POST", "/theme"): Portal(signed_in=False, form={"theme": "dark"}),
    ("GET", "/search"): Portal(signed_in=True),
    ("GET", "/who"): Portal(signed_in=True, roles=TRADERS | OFFICERS),
    ("GET", "/who/<finding_id>"): Portal(signed_in=True, roles=TRADERS | OFFICERS, thing="finding"),
    ("POST", "/who/<finding_id>"): Portal(
        signed_in=True, roles=TRADERS | OFFICERS, thing="finding"
    ),
    **{
        ("GET", f"/reminders/<reminder_id>{form}"): Portal(
            signed_in=True, roles=TRADERS | BANK, thing="reminder"
        )
        for form in ("", ".pdf")
    },
    ("GET", "/notices"): Portal(signed_in=True),
    ("GET", "/notices/<notice_id>"): Portal(signed_in=True),
    ("POST", "/notices/read"): Portal(signed_in=True),
    ("POST", "/notices/<notice_id>/open"): Portal(signed_in=True),
    ("GET", "/officer/chain"): Portal(signed_in=True, roles=BANK),
    ("GET", "/officer/chain.csv"): Portal(signed_in=True, roles=BANK),
    # --- the treasurer's pages
    **TREASURER_PAGES,
    # --- the officer's pages
    **_officer(),
    # --- firms
    ("GET", f"{API}/firms"): Api(EVERYBODY),
    ("GET", f"{API}/firms/<firm_id>"): Api(EVERYBODY, thing="firm"),
    ("POST", f"{API}/firms"): Api(EVERYBODY, {"name": "Somebody New"}),
    ("POST", f"{API}/firms/<firm_id>/identifiers"): Api(
        OFFICERS, {"identifiers": [{"scheme": "id", "value": "K-1"}]}, "firm"
    ),
    ("POST", f"{API}/firms/<firm_id>/activate"): Api(OFFICERS, EVIDENCE, "firm", versioned=True),
    ("POST", f"{API}/firms/<firm_id>/suspend"): Api(OFFICERS, REASON, "firm", versioned=True),
    **identity_routes.routes(Api),
    **tax_routes.routes(Api),
    **model_routes.routes(Api),
    # --- accounts
    ("GET", f"{API}/accounts"): Api(BANK | ADMIN | {Role.TREASURER}),
    ("POST", f"{API}/accounts"): Api(
        ADMIN | {Role.TREASURER, Role.OFFICER_MAKER},
        {"firm_id": "{firm}", "iban": "GB29NWBK60161331926819", "currency": "GBP"},
        "firm",
        # the firm is only invited by them: accounts of other firms are an officer's to add
        refused=lambda who: who.role is not Role.OFFICER_MAKER,
    ),
    ("POST", f"{API}/accounts/<account_id>/verify"): Api(OFFICERS, EVIDENCE, "account"),
    ("DELETE", f"{API}/accounts/<account_id>"): Api(
        OFFICERS | ADMIN | {Role.TREASURER}, thing="account"
    ),
    # --- people
    ("GET", f"{API}/users"): Api(EVERYBODY),
    ("GET", f"{API}/users/me"): Api(EVERYBODY),
    ("GET", f"{API}/users/<user_id>"): Api(EVERYBODY, thing="user"),
    ("POST", f"{API}/users"): Api(
        ADMIN,
        {
            "email": "somebody@new.example",
            "name": "Somebody New",
            "roles": ["administrator"],
            "password": "gravel-lantern-mimic-52",
        },
    ),
    ("POST", f"{API}/users/<user_id>/disable"): Api(ADMIN, thing="user"),
    ("PUT", f"{API}/users/<user_id>/password"): Api(
        EVERYBODY, {"password": "gravel-lantern-mimic-52", "current": "wrong"}, "user"
    ),
    ("GET", f"{API}/tokens"): Api(EVERYBODY),
    ("POST", f"{API}/tokens"): Api(EVERYBODY, {"label": "another"}),
    ("DELETE", f"{API}/tokens/<token_id>"): Api(EVERYBODY, thing="token"),
    # --- programmes and limits
    ("GET", f"{API}/programmes"): Api(TRADERS | BANK),
    ("GET", f"{API}/programmes/<programme_id>"): Api(TRADERS | BANK, thing="programme"),
    ("POST", f"{API}/programmes"): Api(
        frozenset({Role.OFFICER_MAKER, Role.HEAD_OFFICE}),
        {"content": "code = 1", "anchor_id": "{firm}", "effective_on": "2026-03-02"},
    ),
    ("POST", f"{API}/programmes/<programme_id>/activate"): Api(
        frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}), thing="programme"
    ),
    ("POST", f"{API}/programmes/<programme_id>/suspend"): Api(BANK, REASON, "programme"),
    ("POST", f"{API}/programmes/<programme_id>/resume"): Api(
        frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}), REASON, "programme"
    ),
    ("GET", f"{API}/fixings"): Api(TRADERS | BANK),
    ("POST", f"{API}/fixings"): Api(
        frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
        {"benchmark": "EURIBOR-3M", "fixed_on": "2026-03-02", "percent": "3.45"},
    ),
    ("GET", f"{API}/exchange-rates"): Api(BANK),
    ("POST", f"{API}/exchange-rates"): Api(
        BANK,
        {
            "source": "ECB",
            "rates": [{"base": "EUR", "quote": "JPY", "fixed_on": "2026-02-02", "rate": "163.05"}],
        },
    ),
    ("POST", f"{API}/exchange-rates/files"): Api(BANK, raw=b"no file of rates"),
    ("GET", f"{API}/exchange-rates/<publication_id>"): Api(BANK, thing="publication"),
    ("POST", f"{API}/exchange-rates/<publication_id>/confirm"): Api(
        SECOND, {"seen": "x"}, "publication"
    ),
    ("POST", f"{API}/exchange-rates/<publication_id>/refuse"): Api(BANK, REASON, "publication"),
    ("GET", f"{API}/ledger/book"): Api(BANK),
    ("PUT", f"{API}/ledger/book"): Api(frozenset({Role.HEAD_OFFICE}), {"currency": "EUR"}),
    ("GET", f"{API}/ledger/periods"): Api(BANK),
    ("GET", f"{API}/ledger/periods/checks"): Api(BANK),
    ("POST", f"{API}/ledger/periods"): Api(BANK, {"to_on": "2025-01-31", "note": "January"}),
    ("POST", f"{API}/ledger/periods/<period_id>/confirm"): Api(BANK, {"note": ""}, "period"),
    ("POST", f"{API}/ledger/periods/<period_id>/withdraw"): Api(BANK, NOTE, "period"),
    ("POST", f"{API}/ledger/periods/<period_id>/reopen"): Api(BANK, NOTE, "period"),
    ("POST", f"{API}/ledger/revaluations"): Api(BANK, {"on": "2026-01-31"}),
    ("GET", f"{API}/ledger/trial-balance/translated"): Api(BANK),
    ("GET", f"{API}/limits"): Api(BANK),
    ("POST", f"{API}/fixings/<fixing_id>/confirm"): Api(
        frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}), {"percent": "3.45"}, "fixing"
    ),
    ("POST", f"{API}/fixings/<fixing_id>/refuse"): Api(BANK, REASON, "fixing"),
    ("PUT", f"{API}/limits"): Api(
        BANK, {"kind": "country", "subject_id": "DE", "currency": "EUR", "limit_minor": 100}
    ),
    ("POST", f"{API}/limits/<limit_id>/confirm"): Api(
        frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}), {"limit_minor": 100}, "limit"
    ),
    ("POST", f"{API}/limits/<limit_id>/refuse"): Api(BANK, REASON, "limit"),
    # --- documents
    ("POST", f"{API}/transfers"): Api(
        TRADERS, {"name": "large.csv", "size": 1, "sha256": "0" * 64}
    ),
    ("GET", f"{API}/transfers"): Api(TRADERS),
    ("GET", f"{API}/transfers/<transfer_id>"): Api(TRADERS, thing="transfer"),
    ("POST", f"{API}/transfers/<transfer_id>/slices"): Api(
        TRADERS, thing="transfer", raw=b"a", query=f"?number=0&sha256={sha256(b'a').hexdigest()}"
    ),
    ("POST", f"{API}/transfers/<transfer_id>/complete"): Api(
        TRADERS, {"mode": "atomic"}, "transfer"
    ),
    ("DELETE", f"{API}/transfers/<transfer_id>"): Api(TRADERS, thing="transfer"),
    ("POST", f"{API}/uploads"): Api(TRADERS, raw=b" " * 70_000),
    ("GET", f"{API}/uploads"): Api(TRADERS),
    **{
        ("GET", f"{API}/uploads/<upload_id>{part}"): Api(TRADERS, thing="upload")
        for part in ("", "/files", "/findings", "/original", "/errors")
    },
    ("GET", f"{API}/findings"): Api(TRADERS),
    ("POST", f"{API}/batches"): Api(
        TRADERS, {"items": [{"client_id": "A-1", "document": {"notes": ["n" * 70_000]}}]}
    ),
    ("GET", f"{API}/batch-items"): Api(TRADERS),
    ("GET", f"{API}/orders"): Api(TRADERS | BANK),
    ("GET", f"{API}/orders/<order_id>"): Api(TRADERS | BANK, thing="order"),
    ("GET", f"{API}/receipts"): Api(TRADERS | BANK),
    ("GET", f"{API}/receipts/<receipt_id>"): Api(TRADERS | BANK, thing="receipt"),
    ("GET", f"{API}/trade-messages"): Api(TRADERS | BANK),
    ("GET", f"{API}/trade-messages/<message_id>"): Api(TRADERS | BANK, thing="trade_message"),
    ("GET", f"{API}/invoices"): Api(TRADERS | BANK),
    ("GET", f"{API}/invoices/<invoice_id>"): Api(TRADERS | BANK, thing="invoice"),
    ("POST", f"{API}/invoices/<invoice_id>/accept"): Api(
        frozenset({Role.ANCHOR_APPROVER}), {}, "invoice", refused=_is_seller
    ),
    ("POST", f"{API}/invoices/<invoice_id>/reject"): Api(
        ANCHORS, REASON, "invoice", refused=_is_seller
    ),
    ("POST", f"{API}/invoices/<invoice_id>/dispute"): Api(
        ANCHORS, {"amount": CENT, **REASON}, "invoice", refused=_is_seller
    ),
    **{
        (method, f"{API}{rule}"): Api(roles, body, thing, refused=refused)
        for method, rule, roles, body, thing, refused in matching_routes.ROWS
    },
    ("GET", f"{API}/disputes"): Api(TRADERS | BANK),
    ("GET", f"{API}/disputes/<dispute_id>"): Api(TRADERS | BANK, thing="dispute"),
    ("POST", f"{API}/disputes/<dispute_id>/resolve"): Api(
        TRADERS, {"outcome": "seller"}, "dispute", refused=_is_seller
    ),
    ("GET", f"{API}/duplicates"): Api(ANCHORS | BANK),
    ("GET", f"{API}/duplicates/<suspicion_id>"): Api(ANCHORS | BANK, thing="suspicion"),
    ("POST", f"{API}/duplicates/<suspicion_id>/decide"): Api(
        ANCHORS | OFFICERS, {"outcome": "DISTINCT", **REASON}, "suspicion"
    ),
    ("POST", f"{API}/invoices/<invoice_id>/appeal"): Api(
        TREASURER, NOTE, "invoice", refused=lambda who: who.org != "supplier-x"
    ),
    ("GET", f"{API}/credit-notes"): Api(TRADERS | BANK),
    ("GET", f"{API}/credit-notes/<credit_note_id>"): Api(TRADERS | BANK, thing="credit_note"),
    ("POST", f"{API}/credit-notes/<credit_note_id>/link"): Api(
        TRADERS, {"invoice_ids": ["nobody-knows-it"]}, "credit_note"
    ),
    # --- finance
    ("GET", f"{API}/risk-assessments"): Api(BANK),
    ("GET", f"{API}/risk-assessments/<assessment_id>"): Api(BANK, thing="assessment"),
    ("POST", f"{API}/quotes"): Api(
        frozenset({Role.TREASURER}), {"invoice_ids": ["{firm}"]}, "own_invoice"
    ),
    ("GET", f"{API}/quotes"): Api(SEES_QUOTES),
    ("GET", f"{API}/quotes/<quote_id>"): Api(SEES_QUOTES, thing="quote"),
    ("POST", f"{API}/financing-requests"): Api(
        frozenset({Role.TREASURER}), {"quote_id": "{firm}"}, "quote"
    ),
    ("GET", f"{API}/financing-requests"): Api(SEES_QUOTES),
    ("GET", f"{API}/financing-requests/<request_id>"): Api(SEES_QUOTES, thing="request"),
    ("POST", f"{API}/financing-requests/<request_id>/withdraw"): Api(
        frozenset({Role.TREASURER}), {}, "request", versioned=True
    ),
    ("POST", f"{API}/financing-requests/<request_id>/checks"): Api(
        OFFICERS, {"kind": "recheck", "result": "CLEAR", **EVIDENCE}, "request"
    ),
    ("GET", f"{API}/financing-requests/<request_id>/checks"): Api(BANK, thing="request"),
    ("POST", f"{API}/financing-requests/<request_id>/cancel"): Api(
        BANK, {"code": "OTHER", **NOTE}, "request", versioned=True
    ),
    ("POST", f"{API}/financing-requests/<request_id>/answers"): Api(
        frozenset({Role.TREASURER}), {"answer": "as agreed"}, "request", versioned=True
    ),
    ("GET", f"{API}/financing-requests/<request_id>/answers"): Api(SEES_QUOTES, thing="request"),
    ("GET", f"{API}/cases"): Api(BANK),
    ("GET", f"{API}/financing-requests/<request_id>/case"): Api(BANK, thing="request"),
    ("POST", f"{API}/decisions/bulk"): Api(
        BANK, {"items": [{"request_id": "{firm}", "version": 1}], **NOTE}, "request"
    ),
    ("POST", f"{API}/decisions/undo"): Api(
        BANK, {"request_id": "{firm}"}, "request", versioned=True
    ),
    ("POST", f"{API}/decisions/override"): Api(
        BANK,
        {
            "request_id": "{firm}",
            "what": "route",
            "value": "two_officers",
            "code": "CAUTION",
            **NOTE,
        },
        "request",
        versioned=True,
    ),
    ("POST", f"{API}/decisions/reprice"): Api(
        BANK,
        {"request_id": "{firm}", "margin_shift_bp": 5, "code": "CAUTION", **NOTE},
        "request",
        versioned=True,
    ),
    ("GET", f"{API}/financing-requests/<request_id>/reprice"): Api(BANK, thing="request"),
    ("GET", f"{API}/counter-offers"): Api(SEES_QUOTES),
    ("GET", f"{API}/counter-offers/<counter_offer_id>"): Api(SEES_QUOTES, thing="counter_offer"),
    ("POST", f"{API}/counter-offers/<counter_offer_id>/take"): Api(
        frozenset({Role.TREASURER}), thing="counter_offer", versioned=True
    ),
    ("POST", f"{API}/reviews"): Api(
        BANK, {"request_id": "{firm}", "outcome": "AGREE", **NOTE}, "request"
    ),
    ("GET", f"{API}/reviews"): Api(BANK),
    ("GET", f"{API}/reviews/<review_id>"): Api(BANK, thing="review"),
    ("GET", f"{API}/authorities"): Api(BANK | ADMIN),
    ("PUT", f"{API}/authorities"): Api(
        ADMIN | {Role.HEAD_OFFICE},
        {"user_id": "{firm}", "currency": "EUR", "ceiling_minor": 100},
        "officer",
        refused=lambda who: not who.is_bank,
    ),
    ("POST", f"{API}/decisions"): Api(
        BANK, {"request_id": "{firm}", "outcome": "APPROVE"}, "request", versioned=True
    ),
    ("GET", f"{API}/decisions"): Api(BANK),
    ("GET", f"{API}/decisions/<decision_id>"): Api(BANK, thing="decision"),
    ("GET", f"{API}/advances"): Api(SEES_QUOTES),
    ("GET", f"{API}/advances/<advance_id>"): Api(SEES_QUOTES, thing="advance"),
    ("GET", f"{API}/advances/<advance_id>/events"): Api(SEES_QUOTES, thing="advance"),
    ("GET", f"{API}/chain/<firm_id>"): Api(TRADERS | BANK, thing="chain_firm"),
    ("GET", f"{API}/chain/<firm_id>/what-if"): Api(BANK, thing="chain_firm"),
    ("POST", f"{API}/chain/snapshots"): Api(BANK, {"as_of_on": "2026-02-20"}),
    ("POST", f"{API}/advances/<advance_id>/recourse"): Api(OFFICERS, NOTE, "advance"),
    ("GET", f"{API}/over-advances"): Api(SEES_QUOTES),
    ("GET", f"{API}/over-advances/<over_advance_id>"): Api(SEES_QUOTES, thing="over_advance"),
    ("GET", f"{API}/provisions"): Api(BANK),
    ("GET", f"{API}/provisions/<advance_id>"): Api(BANK, thing="advance"),
    ("POST", f"{API}/provisions/<advance_id>/proposals"): Api(
        # refused for its currency: the matrix has no impairment policy
        OFFICERS,
        {"kind": "allowance", "ground": "default", "amount": YEN, **NOTE},
        "advance",
    ),
    ("POST", f"{API}/provision-proposals/<proposal_id>/decide"): Api(
        SECOND, {"agree": False}, "provision_proposal"
    ),
    # --- money
    ("POST", f"{API}/payment-files"): Api(OFFICERS),
    ("GET", f"{API}/payment-files"): Api(BANK),
    ("GET", f"{API}/payment-files/<file_id>"): Api(BANK, thing="payment_file"),
    ("POST", f"{API}/payment-files/<file_id>/release"): Api(SECOND, thing="payment_file"),
    ("POST", f"{API}/payment-files/<file_id>/cancel"): Api(OFFICERS, NOTE, "payment_file"),
    ("GET", f"{API}/payment-files/<file_id>/content"): Api(BANK, thing="payment_file"),
    ("POST", f"{API}/bank-statements"): Api(OFFICERS, raw=b"no file of a bank"),
    ("GET", f"{API}/bank-statements"): Api(BANK),
    ("GET", f"{API}/bank-statements/<statement_id>"): Api(BANK, thing="bank_statement"),
    ("GET", f"{API}/bank-statements/<statement_id>/entries"): Api(BANK, thing="bank_statement"),
    ("POST", f"{API}/payment-advices"): Api(OFFICERS, raw=b"no paper of a payer"),
    ("GET", f"{API}/payment-advices"): Api(BANK),
    ("GET", f"{API}/payment-advices/<advice_id>"): Api(BANK, thing="advice_paper"),
    ("POST", f"{API}/payment-advices/<advice_id>/withdraw"): Api(OFFICERS, NOTE, "advice_paper"),
    ("GET", f"{API}/own-accounts"): Api(HOLDERS | {Role.HEAD_OFFICE}),
    ("GET", f"{API}/own-accounts/<own_account_id>"): Api(
        HOLDERS | {Role.HEAD_OFFICE}, thing="own_account"
    ),
    ("PUT", f"{API}/own-accounts/<own_account_id>"): Api(HOLDERS, {"version": 0}, "own_account"),
    ("GET", f"{API}/bank-entries"): Api(BANK),
    ("GET", f"{API}/bank-entries/<entry_id>"): Api(BANK, thing="bank_entry"),
    ("POST", f"{API}/bank-entries/<entry_id>/identify"): Api(
        OFFICERS, {"pays": [], **NOTE}, "bank_entry"
    ),
    ("POST", f"{API}/bank-entries/<entry_id>/reverse"): Api(OFFICERS, NOTE, "bank_entry"),
    ("GET", f"{API}/payments/<payment_id>/remittance-advice"): Api(SEES_QUOTES, thing="payment"),
    ("GET", f"{API}/invoices/<invoice_id>/assignment"): Api(TRADERS | BANK, thing="invoice"),
    ("GET", f"{API}/bank-entries/<entry_id>/proposals"): Api(BANK, thing="bank_entry"),
    ("POST", f"{API}/bank-entries/<entry_id>/accept"): Api(
        OFFICERS, {"proposal_id": "{firm}", **NOTE}, "bank_entry"
    ),
    # --- books, work, trail
    ("GET", f"{API}/journals"): Api(BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}),
    ("GET", f"{API}/reports/supplier-finance"): Api(
        frozenset({Role.TREASURER, Role.ANCHOR_APPROVER})
    ),
    ("GET", f"{API}/account-mappings"): Api(BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}),
    ("PUT", f"{API}/account-mappings"): Api(
        frozenset({Role.TREASURER, Role.ANCHOR_APPROVER, Role.HEAD_OFFICE}),
        {"system": "saft", "version": 0, "accounts": {}},
    ),
    ("GET", f"{API}/ledger/accounts"): Api(BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}),
    ("GET", f"{API}/ledger/entries"): Api(BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}),
    ("GET", f"{API}/ledger/trial-balance"): Api(BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}),
    ("GET", f"{API}/ledger/accounts/<account_code>/statement"): Api(
        BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}, thing="ledger_account"
    ),
    ("GET", f"{API}/invoices/<invoice_id>/trail"): Api(TRADERS | BANK, thing="invoice"),
    ("GET", f"{API}/orders/<order_id>/trail"): Api(TRADERS | BANK, thing="order"),
    ("GET", "/follow/invoices/<invoice_id>"): Portal(
        signed_in=True, roles=TRADERS | BANK, thing="invoice"
    ),
    ("GET", "/follow/orders/<order_id>"): Portal(signed_in=True, roles=TRADERS, thing="order"),
    ("GET", f"{API}/notices"): Api(EVERYBODY),
    ("POST", f"{API}/notices/read"): Api(EVERYBODY, {"ids": []}),
    **{
        ("GET", f"/books/{rule}"): Portal(
            signed_in=True, roles=frozenset({Role.TREASURER, Role.ANCHOR_APPROVER})
        )
        for rule in (
            "",
            "file",
            "accounts/<account_code>",
            "accounts/<account_code>/file",
            "entries/<ledger_entry_id>",
        )
    },
    ("GET", "/supplier-finance/"): Portal(
        signed_in=True, roles=frozenset({Role.TREASURER, Role.ANCHOR_APPROVER})
    ),
    ("GET", "/account-numbers/"): Portal(
        signed_in=True, roles=BANK | {Role.TREASURER, Role.ANCHOR_APPROVER}
    ),
    ("POST", "/account-numbers/"): Portal(
        signed_in=True,
        roles=frozenset({Role.TREASURER, Role.ANCHOR_APPROVER, Role.HEAD_OFFICE}),
    ),
    ("GET", "/own-accounts/"): Portal(signed_in=True, roles=HOLDERS | {Role.HEAD_OFFICE}),
    ("GET", "/own-accounts/<own_account_id>"): Portal(
        signed_in=True, roles=HOLDERS | {Role.HEAD_OFFICE}, thing="own_account"
    ),
    **{
        ("POST", f"/own-accounts/<own_account_id>{rule}"): Portal(
            signed_in=True, roles=HOLDERS, thing="own_account"
        )
        for rule in ("", "/try")
    },
    # --- connections with other systems
    **connection_routes.EXPECTED,
    ("GET", f"{API}/jobs"): Api(EVERYBODY),
    ("GET", f"{API}/jobs/<job_id>"): Api(EVERYBODY, thing="job"),
    ("GET", f"{API}/audit"): Api(ADMIN | {Role.HEAD_OFFICE}),
}

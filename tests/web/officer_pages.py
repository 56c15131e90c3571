"""The officer's pages as expected: method, address below /officer, who may, and of which thing."""

from scf.kernel.actor import Role

OFFICERS = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
BANK = OFFICERS | {Role.HEAD_OFFICE}
SECOND = frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE})
MAKER_OR_HEAD = frozenset({Role.OFFICER_MAKER, Role.HEAD_OFFICE})
MAKER = frozenset({Role.OFFICER_MAKER})
PAGES: tuple[tuple[str, str, frozenset[Role], str], ...] = (
    ("GET", "/", BANK, ""),
    ("GET", "/queue", BANK, ""),
    ("POST", "/queue/approve", BANK, ""),
    ("GET", "/cases/<request_id>", BANK, "request"),
    ("POST", "/cases/<request_id>/checks", OFFICERS, "request"),
    ("POST", "/cases/<request_id>/decide", BANK, "request"),
    ("POST", "/cases/<request_id>/undo", BANK, "request"),
    ("GET", "/limits", BANK, ""),
    ("GET", "/limits/new", SECOND, ""),
    ("POST", "/limits/new", SECOND, ""),
    ("GET", "/limits/<node_id>", BANK, "limit"),
    ("POST", "/limits/<node_id>", SECOND, "limit"),
    ("GET", "/programmes", BANK, ""),
    ("POST", "/programmes", MAKER_OR_HEAD, ""),
    ("GET", "/programmes/<programme_id>", BANK, "programme"),
    ("POST", "/programmes/<programme_id>/activate", SECOND, "programme"),
    ("POST", "/programmes/<programme_id>/suspend", BANK, "programme"),
    ("POST", "/programmes/<programme_id>/resume", SECOND, "programme"),
    ("GET", "/fixings", BANK, ""),
    ("POST", "/fixings", BANK, ""),
    ("GET", "/pay-outs", BANK, ""),
    ("POST", "/pay-outs/prepare", OFFICERS, ""),
    ("GET", "/pay-outs/<file_id>", BANK, "payment_file"),
    ("POST", "/pay-outs/<file_id>/release", SECOND, "payment_file"),
    ("POST", "/pay-outs/<file_id>/resend", SECOND, "payment_file"),
    ("POST", "/pay-outs/<file_id>/cancel", OFFICERS, "payment_file"),
    ("GET", "/pay-outs/<file_id>/content", BANK, "payment_file"),
    ("GET", "/bank-files", BANK, ""),
    ("POST", "/bank-files", OFFICERS, ""),
    ("GET", "/receipts", BANK, ""),
    ("GET", "/receipts/<entry_id>", BANK, "bank_entry"),
    ("POST", "/receipts/<entry_id>", OFFICERS, "bank_entry"),
    ("POST", "/receipts/<entry_id>/reverse", OFFICERS, "bank_entry"),
    ("GET", "/advances", BANK, ""),
    ("GET", "/advances/<advance_id>", BANK, "advance"),
    ("POST", "/advances/<advance_id>/unwind", OFFICERS, "advance"),
    ("GET", "/books", BANK, ""),
    ("GET", "/books/entries", BANK, ""),
    ("GET", "/books/export", BANK, ""),
    ("GET", "/firms", BANK, ""),
    ("POST", "/firms/from-finding", BANK, ""),
    ("GET", "/firms/<firm_id>", BANK, "firm"),
    ("POST", "/firms/<firm_id>/activate", OFFICERS, "firm"),
    ("POST", "/firms/<firm_id>/suspend", OFFICERS, "firm"),
    ("POST", "/firms/<firm_id>/accounts", MAKER, "firm"),
    ("POST", "/accounts/<account_id>/verify", OFFICERS, "account"),
)

"""The pages that every person of an anchor may open: method and address below /anchor."""

ANCHOR_PAGES = (
    ("GET", "/"),
    ("GET", "/acceptances"),
    ("GET", "/chain"),
    ("GET", "/disputes"),
    ("GET", "/duplicates"),
    ("GET", "/invoices/<invoice_id>"),
    ("GET", "/matching"),
    ("GET", "/payments"),
    ("GET", "/payments.csv"),
    ("GET", "/suppliers"),
    ("POST", "/disputes/<dispute_id>/resolve"),
    ("POST", "/invoices/<invoice_id>/dispute"),
    ("POST", "/invoices/<invoice_id>/duplicates/<suspicion_id>"),
    ("POST", "/invoices/<invoice_id>/goods"),
    ("POST", "/invoices/<invoice_id>/order"),
    ("POST", "/invoices/<invoice_id>/pack"),
    ("POST", "/invoices/<invoice_id>/reject"),
    ("POST", "/matching/settle"),
    ("POST", "/packs/<pack_id>/withdraw"),
    ("POST", "/suppliers"),
)

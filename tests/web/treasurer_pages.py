"""The treasurer's pages, and a form that each of their addresses takes."""

from typing import Final

from tests.web.route_kinds import TREASURER, Portal


def _pages() -> dict[tuple[str, str], Portal]:
    shown = (
        "/", "/confirm", "/invoices", "/invoices/<invoice_id>", "/requests",
        "/requests/<request_id>", "/payments", "/payments/<payment_id>/remittance",
        "/cash", "/statement", "/settings",
    )  # fmt: skip
    sent = {
        "/": {"later": "7"},
        "/offer": {"key": "x"},
        "/renew": {"key": "x", "quote": "x"},
        "/confirm": {"key": "x", "quote": "x"},
        "/invoices/<invoice_id>/tax": {"key": "x"},
        "/invoices/<invoice_id>/appeal": {"key": "x"},
        "/invoices/<invoice_id>/disputes/<dispute_id>/give-way": {"key": "x"},
        "/requests/<request_id>/withdraw": {"key": "x"},
        "/requests/<request_id>/answer": {"key": "x", "answer": "x"},
        "/requests/<request_id>/take": {"key": "x", "offer": "x"},
    }
    page = Portal(signed_in=True, roles=TREASURER)
    return {
        **{("GET", f"/treasurer{rule}"): page for rule in shown},
        **{
            ("POST", f"/treasurer{rule}"): Portal(signed_in=True, roles=TREASURER, form=form)
            for rule, form in sent.items()
        },
    }


TREASURER_PAGES: Final = _pages()

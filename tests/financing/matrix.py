"""Deals under an approval matrix: up to 1,000.00 the policy or one officer, above it two."""

from importlib.resources import files
from typing import Any

from scf.db.engine import Database
from scf.offers.models import Quote
from tests.support.deals import EUR, HEAD, Deals

SMALL = "1,000.00"
LARGE = "1,000.01"
HUGE = "5,000.01"


def matrix_file(code: str = "", **terms: str) -> str:
    """Give the shipped programme with a matrix for euro, and the checks the platform answers."""
    text = files("config").joinpath("programmes/payables-finance.toml").read_text("utf-8")
    head = text.partition("[terms.currency.USD]")[0].replace("payables-finance", code or "matrix")
    changed = {
        "approval": None,
        "checks_before_decision": '["duplicate"]',
        "checks_before_payout": '["e_signature", "recheck"]',
        "platform_checks": '["duplicate", "e_signature"]',
        **terms,
    }
    lines = [line for line in head.splitlines() if line.split("=")[0].strip() not in changed]
    place = lines.index("[terms]") + 1
    lines[place:place] = [f"{name} = {value}" for name, value in changed.items() if value]
    return (
        "\n".join(lines)
        + """
[[terms.approval.EUR]]
up_to = "1000.00"
auto = true
people = 1
first = ["officer_maker", "officer_checker", "head_office"]

[[terms.approval.EUR]]
up_to = "5000.00"
people = 2

[[terms.approval.EUR]]
people = 2
second = ["head_office"]
"""
    )


class MatrixDeals(Deals):
    """One such programme; a quote goes the way that the test says."""

    file = staticmethod(matrix_file)

    def quoted(self, amount: str, route: str = "auto", **invoice: Any) -> str:  # noqa: ANN401 - columns
        """Quote a new invoice, as a risk price would send it on its way."""
        quote_id = str(self.quote(self.invoice(amount, **invoice))["id"])
        self.change(Quote, quote_id, route=route)
        return quote_id

    def asked(self, amount: str = SMALL, route: str = "auto") -> dict[str, Any]:
        """Request a new invoice."""
        return self.submit(self.quoted(amount, route))

    def ceiling(self, user_id: str, amount_minor: int) -> None:
        """Set a person's own ceiling."""
        self.run("authority.set", HEAD, user_id=user_id, currency=EUR, ceiling_minor=amount_minor)


def with_matrix(db: Database, **terms: str) -> MatrixDeals:
    """Make the world."""
    return MatrixDeals(db, **terms)

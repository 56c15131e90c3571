"""What the firm has on file: its accounts with each bank's word on them, and its people."""

from flask import render_template
from sqlalchemy import select
from sqlmodel import col

from scf.parties.models import AccountVerification, BankAccount, Firm, FirmIdentifier
from scf.parties.service import firm_names
from web.context import actor, platform
from web.portal.treasurer.blueprint import treasurer


@treasurer.get("/settings")
def settings() -> str:
    """Show the firm as banks and buyers know it."""
    who = actor()
    with platform().db.read(who) as reading:
        accounts = list(
            reading.execute(
                select(BankAccount)
                .where(col(BankAccount.firm_id) == who.org_id)
                .order_by(col(BankAccount.currency), col(BankAccount.id))
            ).scalars()
        )
        words = list(
            reading.execute(
                select(AccountVerification).where(
                    col(AccountVerification.account_id).in_([one.id for one in accounts])
                )
            ).scalars()
        )
        numbers = reading.execute(
            select(FirmIdentifier).where(col(FirmIdentifier.firm_id) == who.org_id)
        ).scalars()
        return render_template(
            "treasurer/settings.html",
            firm=reading.execute(
                select(Firm).where(col(Firm.id) == who.org_id)
            ).scalar_one_or_none(),
            numbers=list(numbers),
            accounts=[(one, [word for word in words if word.account_id == one.id])
                      for one in accounts],
            names=firm_names(reading.connection(), {word.financier_id for word in words}),
        )  # fmt: skip

"""Payment files as the bank of the own account takes them: their form, what fits, until when."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from scf.db.runner import Context
from scf.kernel.errors import RuleViolation
from scf.settlement import instructions
from scf.settlement.instructions import Payment
from scf.settlement.own_accounts.reading import Setup, setup_of
from scf.settlement.writers import is_sepa


def form_of(setup: Setup, version: str | None, together: bool | None) -> instructions.Form:  # noqa: FBT001 - as asked
    """Give the form of a file: what a person said for this one, else what is kept."""
    return instructions.Form(
        version or setup.payment_version,
        setup.batch_booking if together is None else together,
        setup.shape == "domestic",
    )


def unfit(
    ctx: Context,
    setup: Setup,
    own: Row[Any],
    due: Sequence[tuple[Payment, Row[Any]]],
    today: dt.date,
) -> list[str]:
    """Name for each payment of one day why the bank would not take it now; empty where it would."""
    if due and due[0][0].value_on == today and setup.is_past(today, ctx.now):
        return ["CUTOFF_PASSED"] * len(due)
    if setup.shape != "sepa":
        return [""] * len(due)
    debtor = instructions.party(own)
    return [
        "" if is_sepa(debtor, instructions.party(account), payment.currency) else "NOT_SEPA"
        for payment, account in due
    ]


def before_the_cut_off(ctx: Context, file: Row[Any], today: dt.date) -> None:
    """Stop a file of today once the bank of its account takes no more today.

    Raises
    ------
    RuleViolation
        CUTOFF_PASSED.
    """
    if file.account_id is None or file.execution_on != today:
        return
    setup = setup_of(ctx.conn, file.account_id)
    if setup.is_past(today, ctx.now):
        raise RuleViolation(
            "CUTOFF_PASSED",
            "The bank takes payments for this day until %(cut_off)s (%(zone)s); cancel the file.",
            cut_off=setup.cut_off,
            zone=setup.cut_off_zone,
            value_on=today.isoformat(),
        )

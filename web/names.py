"""What people call the things that the platform knows by codes: accounts, acts, objects.

A page shows the name, in the reader's language, and the code small beside it. A house test holds
the accounts to the chart and asks for a name of every command.
"""

from collections.abc import Mapping
from typing import Final

from flask import Flask
from flask_babel import lazy_gettext as _l

ACCOUNTS: Final[Mapping[str, object]] = {
    "cash": _l("Cash"),
    "trade_receivables": _l("Trade receivables"),
    "due_from_factor": _l("Due from factor"),
    "due_from_financier": _l("Due from financier"),
    "cash_clearing_held_by_factor": _l("Cash clearing (held by factor)"),
    "vouchers_receivable": _l("Vouchers receivable"),
    "input_tax": _l("Input tax"),
    "rebate_receivable": _l("Rebate receivable"),
    "claim_on_supplier_misdirected": _l("Claim on supplier (misdirected)"),
    "credit_notes_due_from_supplier": _l("Credit notes due from supplier"),
    "margin_deposit": _l("Margin deposit"),
    "prepayments_to_anchor": _l("Prepayments to anchor"),
    "inventory": _l("Inventory"),
    "receivables_purchased": _l("Receivables purchased"),
    "claims_under_payment_undertakings": _l("Claims under payment undertakings"),
    "instruments_purchased": _l("Instruments purchased"),
    "vouchers_purchased": _l("Vouchers purchased"),
    "loans_to_sellers": _l("Loans to sellers"),
    "loans_to_dealers": _l("Loans to dealers"),
    "interest_receivable": _l("Interest receivable"),
    "penalty_receivable": _l("Penalty receivable"),
    "due_from_sellers_repurchase": _l("Due from sellers (repurchase)"),
    "loss_allowance": _l("Loss allowance"),
    "trade_payables": _l("Trade payables"),
    "payables_in_supplier_finance_arrangement": _l("Payables in supplier finance arrangement"),
    "accrued_penalty": _l("Accrued penalty"),
    "vouchers_payable": _l("Vouchers payable"),
    "contract_liabilities": _l("Contract liabilities"),
    "borrowings": _l("Borrowings"),
    "deferred_finance_cost_contra_borrowings": _l("Deferred finance cost (contra borrowings)"),
    "accrued_interest": _l("Accrued interest"),
    "due_to_factor_repurchase": _l("Due to factor (repurchase)"),
    "collections_held_for_financier": _l("Collections held for financier"),
    "credit_notes_due_to_anchor": _l("Credit notes due to anchor"),
    "payments_in_transit": _l("Payments in transit"),
    "unearned_discount": _l("Unearned discount"),
    "deferred_service_fee": _l("Deferred service fee"),
    "output_tax": _l("Output tax"),
    "due_to_sellers_reserve": _l("Due to sellers (reserve)"),
    "collections_due_to_sellers": _l("Collections due to sellers"),
    "dealer_margin_deposits": _l("Dealer margin deposits"),
    "rebate_payable": _l("Rebate payable"),
    "suspense": _l("Suspense"),
    "due_to_payers": _l("Due to payers"),
    "revenue": _l("Revenue"),
    "revenue_returns": _l("Revenue (returns)"),
    "other_income": _l("Other income"),
    "finance_income": _l("Finance income"),
    "early_payment_income": _l("Early-payment income"),
    "discount_income": _l("Discount income"),
    "interest_income": _l("Interest income"),
    "penalty_income": _l("Penalty income"),
    "service_fee_income": _l("Service fee income"),
    "recoveries_of_amounts_written_off": _l("Recoveries of amounts written off"),
    "purchases_or_inventory": _l("Purchases or inventory"),
    "finance_cost": _l("Finance cost"),
    "finance_cost_loss_on_derecognition": _l("Finance cost (loss on derecognition)"),
    "finance_cost_late_payment": _l("Finance cost (late payment)"),
    "service_fee_expense": _l("Service fee expense"),
    "impairment_loss": _l("Impairment loss"),
    "compensation_expense": _l("Compensation expense"),
}
ACTIONS: Final[Mapping[str, object]] = {
    "account.add": _l("Bank account added"),
    "account.close": _l("Bank account closed"),
    "account.verify": _l("Bank account verified"),
    "authority.set": _l("Personal authority set"),
    "bank_file.hand_in": _l("File of the bank handed in"),
    "credit_note.link": _l("Credit note linked to its invoice"),
    "day.close": _l("Interest of the day booked"),
    "day.finish": _l("Day closed"),
    "day.open": _l("Books opened"),
    "debit.identify": _l("Debit of the bank identified"),
    "dispute.resolve": _l("Dispute ended"),
    "documents.discard": _l("Documents of a file dropped"),
    "documents.judge_again": _l("Documents to be held against their rules again"),
    "documents.keep_verdicts": _l("Verdicts of the rules of EN 16931 kept"),
    "documents.match": _l("Documents matched with orders"),
    "documents.publish": _l("Documents of a file published"),
    "documents.revalidate": _l("Waiting documents looked at again"),
    "documents.store": _l("Documents of a file stored"),
    "factor.add_passkey": _l("Passkey added"),
    "factor.enrol": _l("Authenticator set up"),
    "factor.new_codes": _l("Recovery codes made anew"),
    "factor.remove_passkey": _l("Passkey removed"),
    "factor.reset": _l("Second factor reset"),
    "firm.activate": _l("Firm activated"),
    "firm.add": _l("Firm invited"),
    "firm.fact": _l("Fact of a firm recorded"),
    "firm.fact.confirm": _l("Fact of a firm confirmed"),
    "firm.identify": _l("Number added to a firm"),
    "firm.recognise": _l("Name in a file recognised"),
    "firm.suspend": _l("Firm suspended"),
    "fixing.add": _l("Benchmark value recorded"),
    "fixing.confirm": _l("Benchmark value confirmed"),
    "fixing.refuse": _l("Benchmark value struck out"),
    "graph.build": _l("Chain of firms built"),
    "invoice.accept": _l("Invoices accepted"),
    "invoice.dispute": _l("Invoice disputed"),
    "invoice.reject": _l("Invoices rejected"),
    "limit.confirm": _l("Limit confirmed"),
    "limit.refuse": _l("Proposed limit dropped"),
    "limit.set": _l("Limit set or proposed"),
    "payout.cancel": _l("Payment file dropped"),
    "payout.prepare": _l("Payment file prepared"),
    "payout.release": _l("Payment file released"),
    "payout.resend": _l("Payment file sent again"),
    "payout.unwind": _l("Failed pay-out undone"),
    "programme.activate": _l("Programme terms put in force"),
    "programme.load": _l("Programme terms loaded"),
    "programme.resume": _l("Programme resumed"),
    "programme.suspend": _l("Programme suspended"),
    "quote.expire": _l("Quotes expired"),
    "quote.make": _l("Offer made"),
    "receipt.identify": _l("Receipt identified"),
    "receipt.misdirected": _l("Payment to the seller noted"),
    "receipt.retry": _l("Waiting receipts looked at again"),
    "receipt.reverse": _l("Receipt taken back"),
    "recourse.call": _l("Recourse called"),
    "request.answer": _l("Question answered"),
    "request.approve_many": _l("Small requests approved together"),
    "request.cancel": _l("Request cancelled"),
    "request.check": _l("Check recorded"),
    "request.decide": _l("Request decided"),
    "request.expire": _l("Requests expired"),
    "request.override": _l("Route or reason set aside"),
    "request.reprice": _l("Another price proposed"),
    "request.review": _l("Automatic approval looked over"),
    "request.submit": _l("Money requested"),
    "request.take_offer": _l("Offer of the bank taken"),
    "request.undo": _l("Decision taken back"),
    "request.withdraw": _l("Request withdrawn"),
    "risk.assess": _l("Firms assessed"),
    "session.revoke": _l("Browser signed out"),
    "statement.read": _l("Bank statement read"),
    "status.read": _l("Bank answers read"),
    "token.create": _l("Token made"),
    "token.revoke": _l("Token withdrawn"),
    "upload.correct": _l("Corrected rows handed in"),
    "upload.finish": _l("File finished"),
    "upload.receive": _l("File handed in"),
    "upload.start": _l("File started"),
    "user.add": _l("Person added"),
    "user.disable": _l("Person locked out"),
    "user.set_password": _l("Password changed"),
    "user.set_roles": _l("Roles changed"),
}
OBJECTS: Final[Mapping[str, object]] = {
    "advance": _l("Advance"),
    "api_token": _l("Token"),
    "authenticator": _l("Authenticator"),
    "bank_account": _l("Bank account"),
    "bank_entry": _l("Bank entry"),
    "bank_file": _l("File of the bank"),
    "bank_statement": _l("Bank statement"),
    "business_date": _l("Business date"),
    "counter_offer": _l("Smaller offer"),
    "credit_note": _l("Credit note"),
    "decision": _l("Decision"),
    "dispute": _l("Dispute"),
    "financing_request": _l("Request"),
    "firm": _l("Firm"),
    "firm_fact": _l("Fact of a firm"),
    "fixing": _l("Benchmark value"),
    "graph_snapshot": _l("Chain of firms"),
    "invoice": _l("Invoice"),
    "limit_node": _l("Limit"),
    "manual_check": _l("Check"),
    "over_advance": _l("Over-advance"),
    "passkey": _l("Passkey"),
    "password": _l("Password"),
    "payment_file": _l("Payment file"),
    "payment_instruction": _l("Payment"),
    "programme": _l("Programme"),
    "programme_version": _l("Programme terms"),
    "quote": _l("Offer"),
    "receipt": _l("Receipt"),
    "recovery_codes": _l("Recovery codes"),
    "request_override": _l("Override"),
    "request_review": _l("Look at an automatic approval"),
    "second_factor": _l("Second factor"),
    "session": _l("Session"),
    "trade_order": _l("Order"),
    "trade_payment": _l("Payment"),
    "upload": _l("File"),
    "user": _l("Person"),
    "user_authority": _l("Personal authority"),
}
# What was booked, by the kind of its event; a receipt has one for each thing that it pays.
EVENTS: Final[Mapping[str, object]] = {
    "advance.diluted": _l("Lowered by a credit note"),
    "bank.booked": _l("Booked by the bank"),
    "bank.explained": _l("Debit explained"),
    "discount.released": _l("Discount released"),
    "income.adjusted": _l("Income adjusted"),
    "income.close": _l("Income earned"),
    "income.reversed": _l("Income taken back"),
    "interest.adjusted": _l("Interest adjusted"),
    "interest.close": _l("Interest earned"),
    "interest.reversed": _l("Interest taken back"),
    "invoice_accepted": _l("Irrevocable acceptance"),
    "misdirected": _l("Paid to the seller"),
    "payout.instructed": _l("Pay-out with the bank"),
    "payout.rejected": _l("Pay-out refused by the bank"),
    "payout.returned": _l("Pay-out came back"),
    "payout.settled": _l("Pay-out booked"),
    "payout.unwound": _l("Pay-out undone"),
    "penalty.accrued": _l("Cost of lateness"),
    "penalty.close": _l("Cost of lateness"),
    "penalty.reversed": _l("Cost of lateness taken back"),
    "reserve.settled": _l("Reserve settled"),
    "sale.undone": _l("Sale undone"),
}
_ENDINGS: Final[Mapping[str, object]] = {
    "paid": _l("Receipt"),
    "reversed": _l("Allocation taken back"),
}


def attach(app: Flask) -> None:
    """Let templates call things by their names."""
    app.jinja_env.filters["account_name"] = account_name
    app.jinja_env.filters["action_name"] = action_name
    app.jinja_env.filters["object_name"] = object_name
    app.jinja_env.filters["event_name"] = event_name


def account_name(code: str) -> str:
    """Return the name of an account."""
    return str(ACCOUNTS.get(code, code))


def action_name(command: str) -> str:
    """Return what a command did, as the audit trail tells it."""
    return str(ACTIONS.get(command, command))


def object_name(kind: str) -> str:
    """Return the name of a kind of thing that a command changes."""
    return str(OBJECTS.get(kind, kind))


def event_name(kind: str) -> str:
    """Return what was booked, as a book tells it."""
    return str(EVENTS.get(kind) or _ENDINGS.get(kind.rpartition(".")[2], kind))

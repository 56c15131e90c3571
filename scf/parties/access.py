"""Who may do what: the one table of action × role.

An action is the name of a command ("firm.activate") or of a read ("firm.read"). An action without
a row is open to nobody. What a person sees *of* the things an action covers is another question,
answered by each slice's ``visible_to``.
"""

from typing import Final

from scf.kernel.actor import Actor, Role
from scf.kernel.errors import NotAllowed

_TRADER: Final = frozenset({Role.TREASURER, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER})
_ANCHOR: Final = frozenset({Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER})
_OFFICER: Final = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER})
_BANK: Final = _OFFICER | {Role.HEAD_OFFICE}
_ADMIN: Final = frozenset({Role.ADMINISTRATOR})
_OPERATOR: Final = frozenset({Role.OPERATOR})
_PEOPLE: Final = _TRADER | _BANK | _ADMIN
# Who lets an organisation's other systems in and tells them what happens.
_CONNECTORS: Final = _ADMIN | {Role.TREASURER, Role.ANCHOR_APPROVER}
# Who hands documents in decides by which ways they come.
_SENDERS: Final = frozenset({Role.TREASURER, Role.ANCHOR_APPROVER})
_TRADE_AND_BANK: Final = _TRADER | _BANK

MAY: dict[str, frozenset[Role]] = {
    # --- parties
    "firm.add": _PEOPLE | _OPERATOR,
    "firm.identify": _OFFICER | _OPERATOR,
    "firm.recognise": _TRADER,
    "firm.activate": _OFFICER | _OPERATOR,
    "firm.suspend": _OFFICER | _OPERATOR,
    "firm.read": _PEOPLE,
    "account.add": frozenset({Role.TREASURER, Role.ADMINISTRATOR, Role.OFFICER_MAKER}) | _OPERATOR,
    "account.verify": _OFFICER,
    "account.close": frozenset({Role.TREASURER, Role.ADMINISTRATOR}) | _OFFICER,
    "account.read": frozenset({Role.TREASURER}) | _BANK | _ADMIN,
    "user.add": _ADMIN | _OPERATOR,
    "user.set_password": _PEOPLE | _OPERATOR,
    "user.disable": _ADMIN | _OPERATOR,
    "user.read": _PEOPLE,
    "user.set_roles": _ADMIN,
    "factor.enrol": _PEOPLE | _OPERATOR,
    "factor.add_passkey": _PEOPLE,
    "factor.remove_passkey": _PEOPLE,
    "factor.new_codes": _PEOPLE | _OPERATOR,
    "factor.reset": _ADMIN | _OPERATOR,
    "session.revoke": _PEOPLE,
    "token.create": _PEOPLE | _OPERATOR,
    "token.revoke": _PEOPLE | _OPERATOR,
    "token.read": _PEOPLE,
    "day.open": _OPERATOR,
    # --- notices, jobs, audit trail
    "notice.read": _PEOPLE,
    "notice.mark_read": _PEOPLE,
    "notice.tell": _OPERATOR,
    "mail.ask": _PEOPLE,
    "mail.confirm": _PEOPLE,
    "mail.choose": _PEOPLE,
    "mail.leave": _PEOPLE,
    "mail.refuse": _OPERATOR,
    "job.read": _PEOPLE,
    "audit.read": frozenset({Role.HEAD_OFFICE, Role.ADMINISTRATOR}),
    # --- documents
    "document.read": _TRADE_AND_BANK,
    "order.follow": _TRADER,  # an order is between its parties; a bank follows the invoice
    "upload.receive": _TRADER,
    "upload.take": _TRADER,
    "upload.start": _TRADER,
    "batch.post": _TRADER,
    "transfer.open": _TRADER,
    "transfer.bring": _TRADER,
    "transfer.complete": _TRADER,
    "transfer.drop": _TRADER | _OPERATOR,
    "transfer.read": _TRADER,
    "upload.correct": _TRADER,
    "upload.read": _TRADER,
    "documents.match": _TRADER | _OPERATOR,
    "credit_note.link": _TRADER,
    "duplicate.read": _ANCHOR | _BANK,
    "duplicate.decide": _ANCHOR | _OFFICER,
    "duplicate.appeal": frozenset({Role.TREASURER}),
    "firm.merge": _OFFICER | _OPERATOR,
    "firm.unmerge": _OFFICER | _OPERATOR,
    "firm.merge.decide": _BANK | _OPERATOR,
    "identity.decide": _TRADER | _OFFICER | _OPERATOR,
    "match.waive": _ANCHOR,
    "match.ask_credit": _ANCHOR,
    "match.correct_order": _TRADER,
    "goods.receive": _ANCHOR,
    "pack.agree": _ANCHOR,
    "pack.withdraw": _ANCHOR,
    # What an import or a job does in its own name, once a person was allowed to start it.
    "documents.store": _OPERATOR,
    "documents.publish": _OPERATOR,
    "documents.discard": _OPERATOR,
    "upload.finish": _OPERATOR,
    "archive.note": _OPERATOR,
    "upload.give_up": _OPERATOR,
    "documents.revalidate": _OPERATOR,
    "documents.judge_again": _OPERATOR,
    "documents.keep_verdicts": _OPERATOR,
    "tax.identify": frozenset({Role.TREASURER}),
    "tax.ask": frozenset({Role.TREASURER}) | _OFFICER,
    # --- ledger
    "ledger.read": frozenset({Role.TREASURER, Role.ANCHOR_APPROVER}) | _BANK,
    "book.set": frozenset({Role.HEAD_OFFICE}),
    "rates.add": _BANK,
    "rates.confirm": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "rates.refuse": _BANK,
    "rates.read": _BANK,
    "ledger.revalue": _BANK | _OPERATOR,
    "period.read": _BANK | _ADMIN,
    # --- chain
    "graph.build": _BANK | _OPERATOR,
    "graph.look_back": _BANK,
    "graph.read": _TRADE_AND_BANK,
    "graph.explore": _BANK,
    "graph.own": _ANCHOR,
    # --- risk
    "firm.fact": frozenset({Role.OFFICER_MAKER}),
    "firm.fact.confirm": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "model.register": frozenset({Role.OFFICER_MAKER, Role.HEAD_OFFICE}),
    "model.validate": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "model.challenge": _BANK,
    "model.propose": _BANK,
    "model.promote": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "model.retire": _BANK,
    "model.kill": _BANK,
    "risk.answer_alarm": _BANK,
    "risk.assess": _OPERATOR,
    "risk.keep_chain": _OPERATOR,
    "risk.read": _BANK,
    "risk.watch": _OPERATOR,
    # --- programmes
    "programme.read": _TRADE_AND_BANK,
    "programme.load": frozenset({Role.OFFICER_MAKER, Role.HEAD_OFFICE}),
    "programme.activate": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "programme.suspend": _BANK,
    "programme.resume": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "registry.join": _ADMIN,
    "registry.read": _BANK | _ADMIN,
    "registry.enter": _OPERATOR,
    "registry.keep": _OPERATOR,
    "limit.read": _BANK,
    "limit.set": _BANK,
    "limit.confirm": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "limit.refuse": _BANK,
    "fixing.add": _BANK,
    "fixing.confirm": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "fixing.refuse": _BANK,
    "fixing.read": _BANK,
    "invoice.accept": frozenset({Role.ANCHOR_APPROVER}),
    "invoice.reject": _ANCHOR,
    "invoice.dispute": _ANCHOR,
    "dispute.resolve": _TRADER,
    # --- offers
    "quote.make": frozenset({Role.TREASURER}),
    "quote.read": frozenset({Role.TREASURER}) | _BANK,
    "quote.expire": _BANK | _OPERATOR,
    # --- financing
    "request.submit": frozenset({Role.TREASURER}),
    "request.withdraw": frozenset({Role.TREASURER}),
    "request.answer": frozenset({Role.TREASURER}),
    "request.take_offer": frozenset({Role.TREASURER}),
    "request.check": _OFFICER,
    "request.decide": _BANK,
    "request.approve_many": _BANK,
    "request.undo": _BANK,
    "request.override": _BANK,
    "request.reprice": _BANK,
    "request.review": _BANK,
    "request.cancel": _BANK,
    "tax.keep_answers": _OPERATOR,
    "tax.refuse_request": _OPERATOR,
    "tax.alerts": _BANK,
    "tax.take_alert": _BANK,
    "tax.close_alert": _BANK,
    "tax.vouch": _OFFICER,
    "tax.decide_vouch": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "authority.set": frozenset({Role.HEAD_OFFICE, Role.ADMINISTRATOR}),
    "authority.read": _BANK | _ADMIN,
    "request.expire": _BANK | _OPERATOR,
    "request.read": frozenset({Role.TREASURER}) | _BANK,
    "decision.read": _BANK,
    "advance.read": frozenset({Role.TREASURER}) | _BANK,
    # --- impairment
    "allowance.measure": _OPERATOR,
    "allowance.read": _BANK,
    "impairment.propose": _OFFICER,
    "impairment.decide": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    # --- reminders
    "reminder.send": _OPERATOR,
    "reminder.hold": _OFFICER,
    "reminder.read": _TRADE_AND_BANK,
    # --- settlement
    "payout.prepare": _OFFICER,
    "payout.release": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "payout.resend": frozenset({Role.OFFICER_CHECKER, Role.HEAD_OFFICE}),
    "payout.cancel": _OFFICER,
    "payout.unwind": _OFFICER,
    "period.close": _BANK,
    "period.reopen": _BANK,
    "period.confirm": _BANK,
    "period.withdraw": _BANK,
    "payout.redate": _OFFICER,
    "payout.repair": _OFFICER,
    "payment.read": frozenset({Role.TREASURER}) | _BANK,
    "payment_file.read": _BANK,
    "bank_file.hand_in": _OFFICER,
    "status.read": _OFFICER,
    "statement.read": _OFFICER,
    "bank_statement.read": _BANK,
    "advice.read": _BANK,
    "advice.keep": _OFFICER,
    "advice.pair": _OFFICER,
    "advice.withdraw": _OFFICER,
    "own_account.read": frozenset({Role.TREASURER, Role.ANCHOR_APPROVER}) | _BANK | _ADMIN,
    "own_account.set_up": frozenset({Role.TREASURER, Role.ANCHOR_APPROVER}) | _OFFICER | _ADMIN,
    "receipt.identify": _OFFICER,
    "receipt.accept": _OFFICER,
    "receipt.propose": _OFFICER,
    "receipt.retry": _OFFICER | _OPERATOR,
    "receipt.reverse": _OFFICER,
    "receipt.misdirected": _OFFICER,
    "debit.identify": _OFFICER,
    "recourse.call": _OFFICER,
    "over_advance.read": frozenset({Role.TREASURER}) | _BANK,
    "day.close": _OPERATOR,
    "day.finish": _OPERATOR,
    # --- connections with other systems
    "webhook.read": _CONNECTORS,
    "webhook.add": _CONNECTORS,
    "webhook.change": _CONNECTORS,
    "webhook.rotate": _CONNECTORS,
    "webhook.replay": _CONNECTORS,
    "webhook.test": _CONNECTORS,
    "webhook.disable": _OPERATOR,
    "channel.read": _SENDERS,
    "channel.add": _SENDERS,
    "channel.change": _SENDERS,
    "channel.rotate": _SENDERS,
    "channel.report": _OPERATOR,
    "erp.read": _SENDERS,
    "erp.add": _SENDERS,
    "erp.change": _SENDERS,
    "erp.password": _SENDERS,
    "erp.sync": _SENDERS,
    "erp.begin": _OPERATOR,
    "erp.take": _OPERATOR,
    "erp.written": _OPERATOR,
    "erp.end": _OPERATOR,
    # --- accounting
    "book.read": frozenset({Role.TREASURER, Role.ANCHOR_APPROVER}),
    "mapping.read": frozenset({Role.TREASURER, Role.ANCHOR_APPROVER}) | _BANK,
    "mapping.set": frozenset({Role.TREASURER, Role.ANCHOR_APPROVER, Role.HEAD_OFFICE}),
    "journal.read": frozenset({Role.TREASURER, Role.ANCHOR_APPROVER}) | _BANK,
}

# Which roles make sense in which kind of organisation; nobody is given the operator's.
ROLES_OF_KIND: Final[dict[str, frozenset[Role]]] = {
    "trader": _TRADER | _ADMIN,
    "financier": _BANK | _ADMIN,
    "platform": _ADMIN,
}


def authorise(actor: Actor, action: str) -> None:
    """Let the actor pass, or say which roles could do it and who grants them.

    Raises
    ------
    NotAllowed
        ``NOT_ALLOWED`` with the action, the roles that may, and who can grant one.
    """
    may = MAY.get(action, frozenset())
    if actor.roles & may:
        return
    roles = sorted(role.value for role in may if role is not Role.OPERATOR)
    raise NotAllowed(
        "NOT_ALLOWED",
        "Your role does not cover this. An administrator of your organisation can give it to you."
        if roles
        else "Your role does not cover this.",
        action=action,
        needs_one_of=roles,
        granted_by="administrator of your organisation" if roles else "nobody",
    )


def may(actor: Actor, action: str) -> bool:
    """Tell whether :func:`authorise` would let the actor pass; for what a page offers."""
    return bool(actor.roles & MAY.get(action, frozenset()))

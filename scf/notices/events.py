"""Which event is told to whom, and in which words.

An event without a row here concerns nobody in particular; it leaves by other channels or not at
all. Texts carry amounts, days and the next step, never a secret.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Table, column, select, table
from sqlalchemy.engine import Connection

from scf.documents.archives.results import all_of
from scf.documents.commands import READ_AT_ONCE
from scf.documents.match.models import PackSize
from scf.documents.models import Invoice, Original, Upload
from scf.documents.quantities import from_micro
from scf.documents.taxcheck.models import TaxCheck
from scf.financing.models import Advance, FinancingRequest
from scf.financing.taxwatch.models import TaxAlert
from scf.kernel.actor import Role
from scf.kernel.errors import Words
from scf.kernel.rates import PPM
from scf.notices import cases
from scf.notices.payers import reminded
from scf.notices.telling import Told, people_of, said
from scf.notices.webhooks.models import WebhookEndpoint
from scf.parties.models import User, UserRole
from scf.risk.models import RiskModel
from scf.risk.watch.models import ModelAlarm, WatchedMorning

_user: Final[Table] = User.__table__  # type: ignore[attr-defined]
_role: Final[Table] = UserRole.__table__  # type: ignore[attr-defined]
_upload: Final[Table] = Upload.__table__  # type: ignore[attr-defined]
_original: Final[Table] = Original.__table__  # type: ignore[attr-defined]
_request: Final[Table] = FinancingRequest.__table__  # type: ignore[attr-defined]
_webhook: Final[Table] = WebhookEndpoint.__table__  # type: ignore[attr-defined]
# Channels stand above notices, so their table is named here, and only here, by name and column.
_channel: Final = table(
    "channel",
    *(column(name) for name in ("id", "org_id", "user_id", "name", "created_by")),
)
_erp: Final = table(
    "erp_connection",
    *(column(name) for name in ("id", "org_id", "user_id", "name", "created_by", "problem")),
)
_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_check: Final[Table] = TaxCheck.__table__  # type: ignore[attr-defined]
_alert: Final[Table] = TaxAlert.__table__  # type: ignore[attr-defined]
_watched: Final[Table] = WatchedMorning.__table__  # type: ignore[attr-defined]
_model_alarm_table: Final[Table] = ModelAlarm.__table__  # type: ignore[attr-defined]
_risk_model: Final[Table] = RiskModel.__table__  # type: ignore[attr-defined]
_pack: Final[Table] = PackSize.__table__  # type: ignore[attr-defined]


Composer = Callable[[Connection, str, Mapping[str, Any]], Told | None]


def composed(conn: Connection, topic: str, payload: Mapping[str, Any]) -> Told | None:
    """Give what is told of an event; nothing where it concerns nobody."""
    made = COMPOSERS[topic](conn, topic, payload)
    return made if made and made.user_ids else None


# --- Files ------------------------------------------------------------------------------------


def _upload_finished(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told | None:
    """Tell the sender what came of a file; of a small and clean one it was seen at once."""
    row = conn.execute(
        select(_upload, _original.c.size)
        .join(_original, _original.c.id == _upload.c.original_id)
        .where(_upload.c.id == payload["upload_id"])
    ).one()
    channel = next(
        (
            found
            for ways in (_channel, _erp)
            if (found := conn.execute(select(ways).where(ways.c.user_id == row.user_id)).first())
        ),
        None,
    )
    if channel is not None:
        if not row.bad_count and not row.incomplete_count:
            return None  # its program is acknowledged; a person is told what a person must do
        words = _of_channel_file(row, channel.name)
        return Told(row.org_id, _keepers(conn, channel), words, "upload", row.id)
    small = row.size <= READ_AT_ONCE and not row.bad_count
    if small and conn.execute(all_of(row.id).limit(1)).first() is None:  # the worker reads archives
        return None
    known = conn.execute(select(_user.c.id).where(_user.c.id == row.user_id)).scalars()
    return Told(row.org_id, tuple(known), _of_file(row), "upload", row.id)


def _keepers(conn: Connection, channel: Any) -> tuple[str, ...]:  # noqa: ANN401 - a row
    """Give who added a channel; once that person has left, who may keep it."""
    added = conn.execute(
        select(_user.c.id).where(
            _user.c.id == channel.created_by,
            _user.c.org_id == channel.org_id,
            _user.c.state == "ACTIVE",
        )
    ).scalars()
    return tuple(added) or people_of(conn, channel.org_id, Role.TREASURER, Role.ANCHOR_APPROVER)


def _of_channel_file(row: Any, channel: str) -> Words:  # noqa: ANN401 - a row
    return Words(
        "%(name)s came through %(channel)s. Stored: %(stored)s, of these waiting: %(waiting)s."
        " To fix: %(bad)s.",
        name=row.name,
        channel=channel,
        stored=row.stored_count,
        waiting=row.incomplete_count,
        bad=row.bad_count,
    )


def _of_file(row: Any) -> Words:  # noqa: ANN401 - a row
    if row.state == "REFUSED":
        return Words(
            "%(name)s is read, and nothing of it was stored. To fix: %(bad)s.",
            name=row.name,
            bad=row.bad_count,
        )
    if row.bad_count:
        return Words(
            "%(name)s is read. Stored: %(stored)s. To fix: %(bad)s.",
            name=row.name,
            stored=row.stored_count,
            bad=row.bad_count,
        )
    return Words(
        "%(name)s is read. Stored: %(stored)s; nothing is to be fixed.",
        name=row.name,
        stored=row.stored_count,
    )


# --- Requests and advances, told to the seller's treasurers -------------------------------------

_OF_REQUEST: Final[Mapping[str, Callable[[str], Words]]] = {
    "request.returned": lambda amount: Words(
        "The bank has a question about your request for %(amount)s.", amount=amount
    ),
    "request.counter_offered": lambda amount: Words(
        "The bank offers other terms for your request for %(amount)s.", amount=amount
    ),
    "request.approved": lambda amount: Words(
        "Your request for %(amount)s is approved.", amount=amount
    ),
    "request.reopened": lambda amount: Words(
        "The decision on your request for %(amount)s is taken back; the bank looks at it again.",
        amount=amount,
    ),
}
_ENDED: Final[Mapping[str, Callable[[str], Words]]] = {
    "DECLINED": lambda amount: Words(
        "Your request for %(amount)s is declined; the page says why, and what frees it.",
        amount=amount,
    ),
    "EXPIRED": lambda amount: Words(
        "Your request for %(amount)s ended, because it was not decided in time.", amount=amount
    ),
}


def _of_request(conn: Connection, topic: str, payload: Mapping[str, Any]) -> Told | None:
    row = conn.execute(select(_request).where(_request.c.id == payload["request_id"])).one()
    told = _ENDED.get(payload["state"]) if topic == "request.closed" else _OF_REQUEST.get(topic)
    if told is None:
        return None  # who withdraws a request knows it
    words = told(said(row.net_minor, row.currency))
    people = people_of(conn, row.seller_id, Role.TREASURER)
    return Told(row.seller_id, people, words, "request", row.id)


def _recourse_called(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told:
    row = conn.execute(select(_advance).where(_advance.c.id == payload["advance_id"])).one()
    words = Words(
        "The buyer has not paid: the bank asks %(amount)s back from you.",
        amount=said(payload["due_minor"], row.currency),
    )
    people = people_of(conn, row.seller_id, Role.TREASURER)
    return Told(row.seller_id, people, words, "request", row.request_id)


# --- Invoices that do not fit their orders, told to the other side of the trade -----------------


def _of_match(conn: Connection, topic: str, payload: Mapping[str, Any]) -> Told:
    """Tell the side that did not act; what a clerk of the buyer settles concerns the seller."""
    row = conn.execute(select(_invoice).where(_invoice.c.id == payload["invoice_id"])).one()
    if topic == "invoice.credit_asked":
        words = Words(
            "Your buyer asks for a credit note over %(amount)s on invoice %(number)s.",
            amount=said(payload["amount_minor"], row.currency),
            number=row.number,
        )
    elif topic == "invoice.match_waived":
        words = Words(
            "Invoice %(number)s may pass: your buyer accepts that it differs from its order.",
            number=row.number,
        )
    else:
        words = Words(
            "Invoice %(number)s is now matched with order %(order)s.",
            number=row.number,
            order=row.order_number,
        )
    return _of_trade(conn, payload["told_id"], row, words)


def _pack_agreed(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told:
    row = conn.execute(select(_invoice).where(_invoice.c.id == payload["invoice_id"])).one()
    pack = conn.execute(select(_pack).where(_pack.c.id == payload["pack_id"])).one()
    words = Words(
        "Your buyer counts one %(pack)s of %(item)s as %(number)s %(unit)s.",
        pack=pack.pack_unit,
        item=pack.item,
        number=from_micro(pack.per_pack_micro),
        unit=pack.unit,
    )
    return _of_trade(conn, payload["told_id"], row, words)


def _of_trade(conn: Connection, org_id: str, invoice: Any, words: Words) -> Told:  # noqa: ANN401 - a row
    if org_id == invoice.seller_id:
        people = people_of(conn, org_id, Role.TREASURER)
        return Told(org_id, people, words, "invoice_sold", invoice.id)
    people = people_of(conn, org_id, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER)
    return Told(org_id, people, words, "invoice_bought", invoice.id)


# --- What a tax authority says -------------------------------------------------------------------

_TAX_ALERT: Final[Mapping[str, Callable[[str, str], Words]]] = {
    "VOIDED": lambda number, amount: Words(
        "The tax authority has invoice %(number)s as void; %(amount)s is financed on it.",
        number=number,
        amount=amount,
    ),
    "CREDITED": lambda number, amount: Words(
        "The tax authority has a credit note on invoice %(number)s that is not here;"
        " %(amount)s is financed on it.",
        number=number,
        amount=amount,
    ),
    "MISMATCH": lambda number, amount: Words(
        "The tax authority has invoice %(number)s otherwise than we do; %(amount)s is"
        " financed on it.",
        number=number,
        amount=amount,
    ),
    "NOT_FOUND": lambda number, amount: Words(
        "The tax authority does not know invoice %(number)s; %(amount)s is financed on it.",
        number=number,
        amount=amount,
    ),
    "UNANSWERED": lambda number, amount: Words(
        "The tax authority has not answered about invoice %(number)s for two weeks;"
        " %(amount)s is financed on it.",
        number=number,
        amount=amount,
    ),
}
_TAX_AGAINST: Final[Mapping[str, Callable[[str], Words]]] = {
    "VOIDED": lambda number: Words(
        "The tax authority has your invoice %(number)s as void. Hand in the invoice that"
        " replaces it.",
        number=number,
    ),
    "CREDITED": lambda number: Words(
        "The tax authority has a credit note on your invoice %(number)s that is not here."
        " Hand it in.",
        number=number,
    ),
    "MISMATCH": lambda number: Words(
        "The tax authority has your invoice %(number)s otherwise than it is here. Its page"
        " says what differs: correct that, or ask the tax authority to.",
        number=number,
    ),
    "NOT_FOUND": lambda number: Words(
        "The tax authority does not know your invoice %(number)s. Check its tax number,"
        " or report the invoice there.",
        number=number,
    ),
}


def _tax_alert(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told:
    """Tell the officers of the financier whose money is out; whoever has the alert is one."""
    row = conn.execute(
        select(_alert, _invoice.c.number)
        .join(_invoice, _invoice.c.id == _alert.c.invoice_id)
        .where(_alert.c.id == payload["alert_id"])
    ).one()
    amount = said(row.financed_minor, row.currency)
    words = _TAX_ALERT[row.kind](row.number, amount)
    people = people_of(conn, row.financier_id, Role.OFFICER_MAKER, Role.OFFICER_CHECKER)
    return Told(row.financier_id, people, words, "tax_alert", row.id)


def _tax_against(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told:
    """Tell the seller what its own authority said and what helps; of anybody's money nothing."""
    row = conn.execute(
        select(_check.c.answer, _invoice.c.id, _invoice.c.seller_id, _invoice.c.number)
        .join(_invoice, _invoice.c.id == _check.c.invoice_id)
        .where(_check.c.id == payload["check_id"])
    ).one()
    people = people_of(conn, row.seller_id, Role.TREASURER)
    words = _TAX_AGAINST[row.answer](row.number)
    return Told(row.seller_id, people, words, "invoice_sold", row.id)


# --- What judges firms ---------------------------------------------------------------------------


def _model_alarm(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told:
    """Tell the officers whose prices rest on it that the firms have moved; figures are a bank's."""
    row = conn.execute(select(_watched).where(_watched.c.id == payload["morning_id"])).one()
    alarms = conn.execute(
        select(_model_alarm_table)
        .where(_model_alarm_table.c.morning_id == row.id)
        .order_by(_model_alarm_table.c.psi_ppm.desc())
    ).all()
    model = conn.execute(
        select(_risk_model.c.name).where(_risk_model.c.id == row.subject)
    ).scalar_one_or_none()
    words = Words(
        "The firms are no longer those that %(model)s was set for: %(count)s of its figures have"
        " moved beyond 0.25, the furthest to %(psi)s. Somebody has to look.",
        model=model or row.subject.partition(":")[2],
        count=len(alarms),
        psi=f"{alarms[0].psi_ppm / PPM:.2f}",
    )
    people = people_of(
        conn, row.financier_id, Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE
    )
    subject = ("risk_model", row.subject) if model else ("card_alarm", payload["alarm_id"])
    return Told(row.financier_id, people, words, *subject)


# --- The own sign-in ----------------------------------------------------------------------------

_OF_PERSON: Final[Mapping[str, Words]] = {
    "user.authenticator_set": Words("An authenticator app was set up for your sign-in."),
    "user.passkey_added": Words("A passkey was added to your sign-in."),
    "user.passkey_removed": Words("A passkey was removed from your sign-in."),
    "user.second_factor_reset": Words("Your second factor was reset."),
    "user.password_set": Words("Your password was changed."),
    "user.roles_set": Words("Your roles were changed."),
    "mail.refused": Words(
        "Your mailbox refuses our messages: nothing more is sent there until you confirm it anew."
    ),
}


def _of_person(conn: Connection, topic: str, payload: Mapping[str, Any]) -> Told | None:
    row = conn.execute(select(_user).where(_user.c.id == payload["user_id"])).one()
    return Told(row.org_id, (row.id,), _OF_PERSON[topic], "account", row.id)


def _webhook_disabled(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told | None:
    """Tell who keeps the connections that an address is not called any more."""
    row = conn.execute(select(_webhook).where(_webhook.c.id == payload["webhook_id"])).one()
    words = Words(
        "%(url)s took no event for three days, or said that it is gone: nothing is sent there"
        " until you resume it. What happens meanwhile is kept.",
        url=str(row.url).partition("?")[0],
    )
    people = people_of(conn, row.org_id, Role.ADMINISTRATOR, Role.TREASURER, Role.ANCHOR_APPROVER)
    return Told(row.org_id, people, words, "webhook", row.id)


def _channel_problem(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told | None:
    """Tell who keeps a channel that nothing comes through it any more."""
    row = conn.execute(select(_channel).where(_channel.c.id == payload["channel_id"])).one()
    words = Words(
        "Nothing comes through %(channel)s at present; its page says why. What lies there waits.",
        channel=row.name,
    )
    return Told(row.org_id, _keepers(conn, row), words, "channel", row.id)


def _erp_problem(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told | None:
    """Tell who keeps a connection with an ERP that its rounds fail."""
    row = conn.execute(select(_erp).where(_erp.c.id == payload["connection_id"])).one()
    if row.problem == "ERP_UNMAPPED":
        words = Words(
            "Journal entries for %(connection)s wait for account numbers; its page says which.",
            connection=row.name,
        )
    else:
        words = Words(
            "Nothing goes over %(connection)s at present; its page says why. What waits is kept.",
            connection=row.name,
        )
    return Told(row.org_id, _keepers(conn, row), words, "erp", row.id)


COMPOSERS: Final[Mapping[str, Composer]] = {
    "upload.finished": _upload_finished,
    "webhook.disabled": _webhook_disabled,
    "channel.problem": _channel_problem,
    "erp.problem": _erp_problem,
    "request.closed": _of_request,
    "recourse.called": _recourse_called,
    "reminder.sent": reminded,
    "provision.proposed": cases.proposed,
    "provision.decided": cases.decided,
    "invoice.credit_asked": _of_match,
    "invoice.match_waived": _of_match,
    "invoice.order_corrected": _of_match,
    "pack.agreed": _pack_agreed,
    "tax.alert": _tax_alert,
    "tax.against": _tax_against,
    "model.alarm": _model_alarm,
    **dict.fromkeys(_OF_REQUEST, _of_request),
    **dict.fromkeys(_OF_PERSON, _of_person),
}

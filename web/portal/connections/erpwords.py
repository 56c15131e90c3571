"""How rounds over an ERP are told: streams, writings, and what is wrong in plain words."""

from flask_babel import gettext as _

from web.names import account_name
from web.portal.connections.blueprint import problem_words


def stream_words(name: str) -> str:
    """Say what is read, what is written, or where a round is."""
    words = {
        "SIGN_IN": _("Signing in"),
        "PARTIES": _("Parties"),
        "PURCHASES": _("Purchase orders"),
        "SALES": _("Sales orders"),
        "SUPPLIER_INVOICES": _("Supplier invoices"),
        "CUSTOMER_INVOICES": _("Customer invoices"),
        "JOURNAL": _("Journal entries"),
        "FINANCED": _("Invoices marked as financed"),
        "PAYEE": _("Invoices owed to the financier"),
    }
    return str(words.get(name, name))


def asked_words(kind: str) -> dict[str, str]:
    """Give how the form names what a make of system is asked with, and hints on it."""
    told = {
        "database": _("Database"),
        "username": _("User there"),
        "password": _("Its password"),
        "sealed": _("Sealed before it is kept; nobody reads it again."),
        "journal": _("Into the journal"),
        "journal_hint": _("Its code in the ERP."),
        "payee": _("Party code of the financier"),
    }
    if kind == "ODOO":
        told["password"] = _("API key of this user")
        told["sealed"] = _(
            "Made under Preferences, Account Security. Odoo ends each key after three months."
        )
        told["payee"] = _("Reference of the financier's contact")
    if kind == "ERPNEXT":
        told["database"] = _("Company")
        told["username"] = _("API key of the user there")
        told["password"] = _("Its API secret")
        told["journal"] = _("Entry type")
        told["journal_hint"] = _("As ERPNext calls it; Journal Entry unless you use another.")
        told["payee"] = _("Name of the financier's supplier record")
    return told


def erp_problem(code: str, said: str | None = None) -> str:
    """Say what is wrong with a connection, a record or a writing, and what helps."""
    words = {
        "ERP_SIGN_IN": _("The system there does not let this user in. Enter its password again."),
        "ERP_DATABASE": _("There is no database of this name at that address."),
        "ERP_TOO_OFTEN": _("The system there was asked too often; we come again later."),
        "ERP_COMPANY": _("The user there has no company. Choose one in its preferences."),
        "ERP_RIGHTS": _("The user there may not do this. Give it the right."),
        "ERP_NO_API": _("There is no API at this address, or it is closed to our user."),
        "ERP_NO_BUYER": _("The order names no buyer: it has no billing address."),
        "ERP_DOWN": _("The system there is out of order or being serviced; we come again later."),
        "ERP_MODULE": _("The ERP does not have this. Install its module or leave the stream out."),
        "ERP_ANSWER": _("The system there answered something that cannot be read."),
        "ERP_REFUSED": _("The ERP refused it."),
        "ERP_RACE": _("Somebody changed it in the ERP at the same moment; we try again."),
        "ERP_HERE": _("It could not be taken here."),
        "ERP_JOURNAL": _("There is no journal with this code in the ERP."),
        "ERP_PERIOD": _("No period of the ERP is open on this day."),
        "ERP_CURRENCY": _("The ERP keeps its books in another currency."),
        "ERP_UNMAPPED": _("These accounts have no number yet. Enter them under account numbers."),
        "ERP_NO_ACCOUNT": _("The ERP has no open account with this code."),
        "ERP_PARTY": _("The ERP wants a party on this account: enter its code in the mapping."),
        "ERP_NO_PARTY": _("The ERP has no party with this code."),
        "ERP_RESTORED": _(
            "The entry that was written last is not in the ERP any more: it was set back to an"
            " earlier state, or this is another database. Nothing is read or written until you"
            " say so."
        ),
        "ERP_AGAIN": _("It is looked for in the ERP again with the next round."),
        "ERP_GONE": _("The invoice is no longer in the ERP."),
        "AMOUNT_FORMAT": _("An amount cannot be read."),
        "AMOUNT_DECIMALS": _("An amount has more decimals than its currency."),
        "AMOUNT_RANGE": _("An amount is too large."),
        "CURRENCY": _("The currency is none that is in use."),
        "CHANNEL_PERSON": _("The person of this connection is disabled or may hand nothing in."),
    }
    if said and code == "ERP_UNMAPPED":
        said = ", ".join(account_name(one) for one in said.split(", "))
    text = str(words.get(code) or problem_words(code))
    return f"{text} ({said})" if said and code != "CHANNEL_PERSON" else text

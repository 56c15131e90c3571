"""Languages, and the one place where money, dates and states become text for people."""

import datetime as dt
from decimal import Decimal
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale
from flask_babel import gettext as _

from scf.kernel.money import exponent

LANGUAGES: Final = ("en", "zh")
COOKIE: Final = "__Host-language"
# How a browser says which Chinese it wants; the catalogue is one.
_ASKED: Final = {"en": "en", "zh": "zh", "zh-CN": "zh", "zh-Hans": "zh", "zh-Hans-CN": "zh"}
_TAGS: Final = {"en": "en", "zh": "zh-Hans"}


def attach(app: Flask) -> None:
    """Give templates the person's language and the formats that belong to it."""
    Babel(
        app,
        default_locale="en",
        default_translation_directories="translations",
        locale_selector=language,
    )
    app.jinja_env.filters["money"] = money
    app.jinja_env.filters["day"] = day
    app.jinja_env.globals["label"] = label
    app.jinja_env.globals["role_name"] = role_name
    app.jinja_env.globals["language_tag"] = lambda: _TAGS[language()]


def language() -> str:
    """Return the language of this request: the one chosen, else the browser's, else English."""
    if not has_request_context():
        return "en"
    if "language" not in g:
        chosen = request.cookies.get(COOKIE, "")
        if chosen not in LANGUAGES:
            chosen = _ASKED.get(request.accept_languages.best_match(list(_ASKED)) or "en", "en")
        g.language = chosen
    return str(g.language)


def money(amount_minor: int, currency: str) -> str:
    """Return an amount with the digits of its currency, always with the currency's code."""
    digits = exponent(currency)
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    number = format_decimal(
        Decimal(amount_minor).scaleb(-digits), format=pattern, locale=get_locale()
    )
    return f"{number}\u00a0{currency}"


def day(value: dt.date | None) -> str:
    """Return a date as the person's language writes it; a dash where there is none.

    English spells the month and puts the day first, which no reader can take for another date.
    """
    pattern = "d MMM y" if language() == "en" else "medium"
    return format_date(value, format=pattern, locale=get_locale()) if value else "–"


def label(word: str) -> str:
    """Return the word that a screen shows for the state of an invoice."""
    names = {
        "VOID": _("Void"),
        "WRITTEN_OFF": _("Written off"),
        "PAID": _("Paid"),
        "OVERDUE": _("Overdue"),
        "PART_PAID": _("Part paid"),
        "FINANCED": _("Financed"),
        "PART_FINANCED": _("Part financed"),
        "FUNDING_IN_PROGRESS": _("Funding in progress"),
        "DISPUTED": _("Disputed"),
        "EARLY_PAY_AVAILABLE": _("Early pay available"),
        "APPROVED": _("Approved"),
        "PART_APPROVED": _("Part approved"),
        "REJECTED": _("Rejected"),
        "IN_PROCESS": _("In process"),
        "INCOMPLETE": _("Incomplete"),
    }
    return str(names.get(word, word))


def role_name(role: str) -> str:
    """Return the name of a role as people say it."""
    names = {
        "treasurer": _("Treasurer"),
        "anchor_clerk": _("Anchor, clerk"),
        "anchor_approver": _("Anchor, approver"),
        "officer_maker": _("Officer, maker"),
        "officer_checker": _("Officer, checker"),
        "head_office": _("Head office"),
        "administrator": _("Administrator"),
    }
    return str(names.get(role, role))

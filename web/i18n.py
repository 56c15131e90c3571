"""Languages, and the one place where money, dates and states become text for people."""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_location
from babel.numbers import format_compact_decimal, format_decimal
from flask import Flask, g, has_app_context, has_request_context, request
from flask_babel import Babel, get_locale, ngettext, pgettext
from flask_babel import gettext as _

from scf.kernel.money import exponent

LANGUAGES: Final = ("en", "zh")
COOKIE: Final = "__Host-language"
# How a browser says which Chinese it wants; the catalogue is one.
_ASKED: Final = {"en": "en", "zh": "zh", "zh-CN": "zh", "zh-Hans": "zh", "zh-Hans-CN": "zh"}
_THOUSAND: Final = 1000
_TAGS: Final = {"en": "en", "zh": "zh-Hans"}
LANGUAGE_NAMES: Final = {"en": "English", "zh": "简体中文"}


def attach(app: Flask) -> None:
    """Give templates the person's language and the formats that belong to it."""
    Babel(
        app,
        default_locale="en",
        default_translation_directories="translations",
        locale_selector=language,
    )
    for form in (
        money, amount, short_amount, number, percent, exchange_rate, day, short_day,
        relative_days, moment,
    ):  # fmt: skip
        app.jinja_env.filters[form.__name__] = form
    app.jinja_env.globals["label"] = label
    app.jinja_env.globals["role_name"] = role_name
    app.jinja_env.globals["language_tag"] = lambda: _TAGS[language()]


def tag_of(code: str) -> str:
    """Return the tag that a page carries for a language."""
    return _TAGS[code]


def language() -> str:
    """Return the language of this request: the one chosen, else the browser's, else English.

    Outside a request that of the reader who is written to (:func:`speak`), else English.
    """
    if not has_request_context():
        return str(g.get("language", "en")) if has_app_context() else "en"
    if "language" not in g:
        chosen = request.cookies.get(COOKIE, "")
        if chosen not in LANGUAGES:
            chosen = _ASKED.get(request.accept_languages.best_match(list(_ASKED)) or "en", "en")
        g.language = chosen
    return str(g.language)


def speak(code: str) -> None:
    """Use a language for what is written outside a request; English where it is none of ours."""
    g.language = code if code in LANGUAGES else "en"


def money(amount_minor: int, currency: str) -> str:
    """Return an amount with the digits of its currency, always with the currency's code."""
    return f"{amount(amount_minor, currency)}\u00a0{currency}"


def amount(amount_minor: int, currency: str) -> str:
    """Return an amount without the currency's code, for a place that shows the code beside it."""
    digits = exponent(currency)
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    written = format_decimal(
        Decimal(amount_minor).scaleb(-digits), format=pattern, locale=get_locale()
    )
    return str(written).replace("-", "\N{MINUS SIGN}")


def short_amount(amount_minor: int, currency: str) -> str:
    """Return an amount in few digits ("1.28M", "128万"), to stand beside its full value."""
    whole = Decimal(amount_minor).scaleb(-exponent(currency))
    digits = 1 if abs(whole) < _THOUSAND * 10 or abs(whole) >= _THOUSAND**2 else 0
    return str(format_compact_decimal(whole, locale=get_locale(), fraction_digits=digits))


def number(scaled: int, decimals: int = 0) -> str:
    """Write a count or a measure, grouped; an even one without decimals."""
    exact = Decimal(scaled).scaleb(-decimals)
    return str(format_decimal(exact, locale=get_locale()))


def percent(rate_ppm: int, digits: int = 2) -> str:
    """Return a rate in parts per million as percent, rounded half up as a person would."""
    value = (Decimal(rate_ppm) / 10_000).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    pattern = "0" + ("." + "0" * digits if digits else "")
    return f"{format_decimal(value, format=pattern, locale=get_locale())}%"


def exchange_rate(ratio: Fraction) -> str:
    """Return an exchange rate with six significant digits; the exact one is what counts."""
    value = Decimal(ratio.numerator) / Decimal(ratio.denominator)
    told = value.quantize(Decimal(1).scaleb(value.adjusted() - 5)).normalize()
    return str(format_decimal(told, locale=get_locale(), decimal_quantization=False))


def day(value: dt.date | None) -> str:
    """Return a date as the person's language writes it; a dash where there is none.

    English spells the month and puts the day first, which no reader can take for another date.
    """
    pattern = "d MMM y" if language() == "en" else "medium"
    return format_date(value, format=pattern, locale=get_locale()) if value else "–"


def short_day(value: dt.date | None) -> str:
    """Return a date without its year, with the day of the week: for a day of the coming weeks."""
    pattern = {"en": "EEE d MMM", "zh": "M月d日 EEE"}.get(language(), "EEE d MMM")
    return format_date(value, format=pattern, locale=get_locale()) if value else "–"


def month_day(value: dt.date | None) -> str:
    """Return a date without its year: for the axis of a chart."""
    pattern = {"en": "d MMM", "zh": "M月d日"}.get(language(), "d MMM")
    return format_date(value, format=pattern, locale=get_locale()) if value else "–"


def relative_days(value: dt.date | None, today: dt.date) -> str:
    """Return how far a day is from today, in words."""
    if value is None:
        return ""
    days = (value - today).days
    if days == 0:
        return str(_("today"))
    if days > 0:
        return str(ngettext("in %(num)d day", "in %(num)d days", days))
    return str(ngettext("%(num)d day ago", "%(num)d days ago", -days))


def moment(value: dt.datetime | None, zone: str = "UTC", *, with_day: bool = True) -> str:
    """Return an instant as the clock of a place shows it, with the name of the place."""
    if value is None:
        return "–"
    there = value.astimezone(ZoneInfo(zone))
    time = format_time(there, format="HH:mm", locale=get_locale())
    place = get_timezone_location(zone, locale=get_locale(), return_city=True)
    where = "UTC" if zone == "UTC" else place
    return f"{day(there.date())}, {time} ({where})" if with_day else f"{time} ({where})"


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
        "APPROVED": pgettext("invoice", "Approved"),
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

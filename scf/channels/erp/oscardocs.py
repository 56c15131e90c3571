"""Orders of a django-oscar shop as documents in the platform's own JSON; the shop is the seller.

Read as django-oscar-api 3.3 tells them. It says neither when an order last changed nor what was
shipped or paid back: an order is known by what it says of itself, its lines are read only when
that has changed, and its status is all that is told of what became of it.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from scf.channels.erp.oscar import Oscar
from scf.channels.erp.port import Make, Record
from scf.channels.erp.wire import Refused, decimal_text, readable
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.kernel.ids import digest
from scf.kernel.money import parse_minor
from scf.notices.webhooks.targets import Targets

ORDERS: Final = "admin/orders/"
# So long after it was placed an order is still looked at for another status or other lines.
LIVELY: Final = dt.timedelta(days=60)
# What a shop's own words for a status mean; any other says nothing yet, such as "Pending".
_SAYS: Final[Mapping[str, str]] = dict.fromkeys(
    ("being processed", "processing", "processed", "confirmed", "accepted", "shipped", "delivered",
     "complete", "completed"),
    "accepted",
) | dict.fromkeys(
    ("cancelled", "canceled", "refused", "declined", "rejected", "refunded", "returned"),
    "refused",
)  # fmt: skip
# What an order says of itself that means anything here.
_TOLD: Final = (
    "number", "currency", "total_incl_tax", "total_excl_tax", "shipping_incl_tax",
    "shipping_excl_tax", "surcharges", "status", "email", "date_placed", "billing_address",
    "shipping_address", "owner",
)  # fmt: skip
# Oscar's own addresses have no number; shops for firms, and django-oscar-vat_moss, call it so.
_VAT_FIELDS: Final = ("vatin", "vat_number", "vat_id")


class Unread(Exception):
    """Something of an order cannot be read; ``said`` begins with its place."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(code, said)
        self.code = code
        self.said = said


class Shop:
    """A django-oscar that somebody has signed in to; orders are read from a day on."""

    def __init__(self, oscar: Oscar, from_on: dt.date, username: str) -> None:
        self.oscar = oscar
        self.from_on = from_on
        self.username = username
        self._heads: list[dict[str, Any]] = []
        self._articles: dict[str, dict[str, Any]] = {}

    def own_party(self) -> str:
        """Give as whom the shop is asked; what the merchant is called, its API does not say."""
        return self.username

    def changed(
        self, stream: str, since: str | None, after: str, limit: int, own: Mapping[str, Any]
    ) -> list[Record]:
        """Give orders that are still lively, by id; their lines are read when they are needed."""
        if stream != "SALES":
            return []
        with readable():
            if not after or not self._heads:
                self._heads = self._recent(since)
            wanted = [head for head in self._heads if _id(head) > int(after or 0)][:limit]
            return [self._record(head, own) for head in wanted]

    def overlap(self, high: str) -> str:
        """Give from where the next pass reads: what was placed earlier changes no more."""
        return _stamp(dt.datetime.fromisoformat(high) - LIVELY)

    def _recent(self, since: str | None) -> list[dict[str, Any]]:
        """Read the newest orders, which the shop lists first, until they are too old."""
        heads: dict[int, dict[str, Any]] = {}
        for head in self.oscar.every(ORDERS):
            if (since is not None and _placed(head) < since) or _instant(
                head
            ).date() < self.from_on:
                break
            heads[_id(head)] = head
        return [heads[one] for one in sorted(heads)]

    def _record(self, head: dict[str, Any], own: Mapping[str, Any]) -> Record:
        def whole() -> Record:
            with readable():
                return self._whole(head, own)

        # Some shops write amounts as numbers, read by their digits: those have no canonical JSON.
        said = digest(json.dumps([head.get(name) for name in _TOLD], default=str, sort_keys=True))
        return Record(str(_id(head)), _placed(head), _label(head), stamp=said, whole=whole)

    def _whole(self, head: dict[str, Any], own: Mapping[str, Any]) -> Record:
        lines = list(self.oscar.every(str(head["lines"])))
        articles = [self._article(one.get("product")) for one in lines]
        known = str(_id(head)), _placed(head), _label(head)
        try:
            with readable():
                order = order_of(head, lines, articles, own)
        except (Unread, Refused) as why:
            return Record(*known, problem=why.code, said=why.said)
        status = str(head["status"] or "").strip()
        says = _SAYS.get(status.casefold())
        return Record(
            *known, document=order, answers=[_answer(order, says, status)] if says else [],
            changed_document=_answer(order, "changed", "", order["lines"]),
        )  # fmt: skip

    def _article(self, address: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """Read a product once a round; one that is no longer sold has only its price."""
        if not address:
            return {}
        if address not in self._articles:
            try:
                self._articles[address] = self.oscar.one(str(address))
            except Refused as gone:
                if gone.code != "ERP_NO_API":
                    raise
                self._articles[address] = {}
        return self._articles[address]


def order_of(
    head: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    articles: Sequence[Mapping[str, Any]],
    own: Mapping[str, Any],
) -> dict[str, Any]:
    """Give an order as canonical JSON; ``articles`` are the products of its lines, each or none.

    Raises
    ------
    Unread
        ERP_NO_BUYER, CURRENCY, and what ``minor`` raises.
    """
    currency = str(head["currency"])
    net = minor(head["total_excl_tax"], currency, "total_excl_tax")
    gross = minor(head["total_incl_tax"], currency, "total_incl_tax")
    charges = minor(head["shipping_excl_tax"], currency, "shipping_excl_tax")
    for place, one in enumerate(head.get("surcharges") or (), start=1):
        charges += minor(one["excl_tax"], currency, f"surcharges[{place}].excl_tax")
    told = [
        _line(place, one, article, currency)
        for place, (one, article) in enumerate(zip(lines, articles, strict=True), start=1)
    ]
    return {
        "kind": "order",
        "number": str(head["number"]),
        "sales_order_reference": str(head["number"]),
        "issue_on": _instant(head).date().isoformat(),  # where the shop is
        "currency": currency,
        "seller": dict(own),
        "buyer": _buyer(head),
        "lines_minor": sum(one["net_minor"] for one in told),
        "charge_minor": charges,
        "net_minor": net,
        "tax_minor": gross - net,
        "gross_minor": gross,
        "payable_minor": gross,
        "lines": told,
    }


def _line(
    place: int, one: Mapping[str, Any], article: Mapping[str, Any], currency: str
) -> dict[str, Any]:
    if one["price_currency"] != currency:
        raise Unread("CURRENCY", f"lines[{place}].price_currency: {one['price_currency']}")
    told: dict[str, Any] = {
        "line_id": str(place),
        "item_name": " ".join(str(article.get("title") or "").split())[:400],
        "quantity": decimal_text(one["quantity"]),
        "net_minor": minor(one["price_excl_tax"], currency, f"lines[{place}].price_excl_tax"),
    }
    if article.get("upc"):
        told["item_ids"] = [{"scheme": "id", "value": str(article["upc"])}]
    return {name: value for name, value in told.items() if value != ""}


def minor(value: object, currency: str, place: str) -> int:
    """Give an amount as minor units; a shop writes two decimals whatever the currency has.

    Raises
    ------
    Unread
        AMOUNT_FORMAT, AMOUNT_DECIMALS, AMOUNT_RANGE, CURRENCY, with the place.
    """
    text = decimal_text(value)
    if not text:
        raise Unread("AMOUNT_FORMAT", f"{place}: {shown(str(value), 40)}")
    try:
        return parse_minor(text, currency, signed=True)
    except InvalidInput as wrong:
        raise Unread(wrong.code, f"{place}: {shown(str(value), 40)} {currency}") from None


def _answer(
    order: Mapping[str, Any],
    word: str,
    status: str,
    lines: Any = (),  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Give what the seller says of an order; the platform numbers and dates it when it is sent."""
    names = ("seller", "buyer", "currency")
    return {
        "kind": "order_response",
        "order_reference": order["number"],
        "word": word,
        "notes": [status] if status else [],
        "lines": [one | {"order_line": one["line_id"]} for one in lines],
        **{name: order[name] for name in names},
    }


def _buyer(head: Mapping[str, Any]) -> dict[str, Any]:
    """Name the customer as the order does: by the billing address and the shop's own number."""
    where = head.get("billing_address") or head.get("shipping_address") or {}
    name = _words(where, "first_name", "last_name")
    if not name:
        raise Unread("ERP_NO_BUYER", "billing_address")
    country = str(where.get("country") or "").rstrip("/").rpartition("/")[2]
    party: dict[str, Any] = {
        "name": name,
        "address": _words(where, "line1", "line2", "line3", "postcode", "line4", "state"),
        "country": country if len(country) == 2 and country.isalpha() else "",  # noqa: PLR2004
        "mail": str(head.get("email") or ""),
    }
    numbers = [
        {"scheme": "vat", "value": str(where[field])}
        for field in _VAT_FIELDS
        if str(where.get(field) or "").strip()
    ]
    customer = str(head.get("owner") or "").rstrip("/").rpartition("/")[2]
    if customer.isdigit():
        numbers.append({"scheme": "id", "value": f"customer {customer}"})
    return party | {"identifiers": numbers}


def _words(where: Mapping[str, Any], *names: str) -> str:
    return " ".join(" ".join(str(where.get(name) or "") for name in names).split())


def _id(head: Mapping[str, Any]) -> int:
    """Give the id of an order, which stands in its address alone."""
    return int(str(head["url"]).rstrip("/").rpartition("/")[2])


def _label(head: Mapping[str, Any]) -> str:
    return str(head["number"] or f"#{_id(head)}")


def _placed(head: Mapping[str, Any]) -> str:
    return _stamp(_instant(head))


def _instant(head: Mapping[str, Any]) -> dt.datetime:
    at = dt.datetime.fromisoformat(str(head["date_placed"]))
    return at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


def sign_in(targets: Targets, connection: Any, password: str) -> Shop:  # noqa: ANN401 - a row
    """Reach the shop of a connection.

    Raises
    ------
    NotReached
        When nobody answers there.
    Refused
        When it does not let us in.
    """
    oscar = Oscar(targets, connection.url, connection.username, password)
    with readable():
        oscar.sign_in()
    return Shop(oscar, connection.from_on, connection.username)


OSCAR: Final = Make("OSCAR", "django-oscar", sign_in, pulls=("SALES",))

"""Calls over HTTP that carry JSON both ways: sizes, times, and answers that are not what they say.

Amounts travel as JSON numbers in some ERPs. They are read by their digits, never as floating point
numbers, and an amount is taken where the ERP's own floating point number names one amount only.
"""

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from scf.channels.erp.wire import Refused, minor_of
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.kernel.money import MAX_MINOR, exponent
from scf.kernel.strict_json import loads
from scf.notices.webhooks.targets import Targets

MAX_ANSWER: Final = 32 * 1024 * 1024
SECONDS: Final = 120.0  # a batch of entries is posted in one call
_OVERLAP: Final = dt.timedelta(hours=1)
_OK: Final = 200
_REDIRECT: Final = 300
_ERROR: Final = 400
_ITS_FAULT: Final = 500
_NOISE: Final = 4  # last binary places by which sums of floating point numbers are off
_CODES: Final = {
    401: "ERP_SIGN_IN",
    403: "ERP_RIGHTS",
    404: "ERP_DATABASE",
    409: "ERP_RACE",
    423: "ERP_RACE",
    429: "ERP_TOO_OFTEN",
}


@dataclasses.dataclass(frozen=True)
class Failed:
    """An answer that says no: its status and its body, none where that is no JSON."""

    status: int
    body: Any

    def code(self) -> str:
        """Give our code of it where the body says nothing better."""
        if self.status >= _ITS_FAULT:
            return "ERP_DOWN"
        return _CODES.get(self.status, "ERP_ANSWER")

    def refusal(self) -> Refused:
        """Give it by its status alone."""
        return Refused(self.code(), f"HTTP {self.status}")


class Rest:
    """One address that is asked with the same headers each time."""

    def __init__(self, targets: Targets, url: str, headers: Mapping[str, str]) -> None:
        self._targets = dataclasses.replace(targets, seconds=SECONDS)
        self.url = url.rstrip("/")
        self._headers = {"Accept": "application/json", "User-Agent": "Tributary", **headers}

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """Ask once; gives the value of the answer, or a ``Failed``.

        Raises
        ------
        NotReached
            When no answer came; whether it was done there, nobody knows.
        Refused
            ERP_ANSWER for what is no JSON of one meaning, is too large, or leads elsewhere.
        """
        content, headers = b"", self._headers
        if body is not None:
            content = json.dumps(body, allow_nan=False).encode()
            headers = {**headers, "Content-Type": "application/json; charset=utf-8"}
        answer, text = self._targets.exchange(
            self.url + path, content, headers, MAX_ANSWER + 1, method
        )
        if len(text) > MAX_ANSWER:
            raise Refused("ERP_ANSWER", f"more than {MAX_ANSWER} bytes")
        if answer.status < _OK or _REDIRECT <= answer.status < _ERROR:
            raise Refused("ERP_ANSWER", f"HTTP {answer.status}")
        good = answer.status < _REDIRECT
        try:
            said = loads(text, exact=True)
        except (ValueError, RecursionError):
            if good:
                raise Refused("ERP_ANSWER", "no JSON") from None
            said = None
        return said if good else Failed(answer.status, said)


def amount_of(value: object, currency: str) -> int:
    """Give an amount that came as a JSON number in minor units.

    Raises
    ------
    InvalidInput
        AMOUNT_FORMAT, AMOUNT_DECIMALS, AMOUNT_RANGE, CURRENCY.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise InvalidInput("AMOUNT_FORMAT", "This is no amount.", value=shown(str(value), 40))
    number, digits = Decimal(value), exponent(currency)
    if abs(number.scaleb(digits)) <= MAX_MINOR:
        near = number.quantize(Decimal(1).scaleb(-digits))
        wanted = float(near)
        if abs(float(number) - wanted) <= _NOISE * math.ulp(wanted) and near:
            number = near
    return minor_of(number, currency)


def number_of(minor: int, currency: str) -> float:
    """Give an amount as the JSON number that names it: 15 digits stand in one without loss."""
    return float(Decimal(minor).scaleb(-exponent(currency)))


def line_of(place: int, one: Mapping[str, Any], currency: str, sign: int = 1) -> dict[str, Any]:
    """Give a line as documents have it; ``net`` is its amount as the ERP said it."""
    quantity = one["quantity"]
    told = {
        "line_id": str(place),
        "item_name": one["item_name"][:400],
        "quantity": quantity.removeprefix("-") if sign < 0 else quantity,
        "unit": one["unit"],
        "price": one["price"],
    }
    if one["code"]:
        told["item_ids"] = [{"scheme": "id", "value": one["code"]}]
    net = sign * amount_of(one["net"], currency)
    return {key: value for key, value in told.items() if value} | {"net_minor": net}


def instant_of(said: object) -> dt.datetime:
    """Read the instant of a record's last change, which has no zone: it is only compared.

    Raises
    ------
    Refused
        ERP_ANSWER.
    """
    try:
        at = dt.datetime.fromisoformat(str(said))
    except ValueError:
        raise Refused("ERP_ANSWER", "a record without an instant") from None
    if at.tzinfo is not None:
        raise Refused("ERP_ANSWER", "an instant with a zone")
    return at


def an_hour_before(high: str) -> str:
    """Give an instant so much earlier that no transaction is still open from before it."""
    try:
        at = instant_of(high) - _OVERLAP
    except OverflowError:
        raise Refused("ERP_ANSWER", "an instant before all others") from None
    return at.isoformat(sep=" ", timespec="microseconds")[: len(high)]

"""What was set aside and what was looked at again, in the officer's words."""

from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scf.financing.authority import ROUTES
from scf.financing.lifecycle import DECIDABLE
from scf.kernel.actor import Actor, Role
from scf.parties.access import may
from scf.reporting.casefile import CaseFile
from web.portal.officer import words

_OVERRIDES: Final = {
    "DATA_CORRECTED": _l("The input was wrong and has been put right"),
    "EVIDENCE_SEEN": _l("I have seen evidence that the model does not know"),
    "RELATION_KNOWN": _l("We have known the firm for long"),
    "MITIGANT_AGREED": _l("Security or an undertaking is agreed"),
    "CAUTION": _l("More eyes should look at it"),
}
_REVIEWS: Final = {
    "WRONG_INPUT": _l("The input was wrong"),
    "WRONG_ROUTE": _l("A person should have decided"),
    "MISSED_RISK": _l("A risk was missed"),
    "CHECK_TOO_WEAK": _l("A check is too weak"),
    "OTHER": _l("Something else"),
}


def override_code(code: str) -> str:
    """Return why something was set aside."""
    return str(_OVERRIDES.get(code, code))


def review_code(code: str) -> str:
    """Return what an officer found wrong with an automatic approval."""
    return str(_REVIEWS.get(code, code))


def override_codes() -> list[tuple[str, str]]:
    """Return the reasons for setting something aside, for a form."""
    return [(code, str(text)) for code, text in _OVERRIDES.items()]


def review_codes() -> list[tuple[str, str]]:
    """Return what may have been wrong, for a form."""
    return [(code, str(text)) for code, text in _REVIEWS.items()]


def of_case(file: CaseFile, who: Actor) -> dict[str, Any]:
    """Give what was set aside on a case, and what this person may set aside now."""
    return {
        "made": [
            {
                "what": _what(one),
                "code": override_code(one.code),
                "note": one.note,
                "name": file.people.get(one.user_id, ""),
                "at": one.at,
            }
            for one in file.overrides
        ],
        "options": _options(file, who),
        "codes": override_codes(),
    }


def _what(one: Any) -> str:  # noqa: ANN401 - the row of an override
    if one.what == "route":
        return str(
            _(
                "Decided by %(after)s instead of %(before)s",
                after=words.decided_by(one.after),
                before=words.decided_by(one.before),
            )
        )
    if one.what == "price":
        return str(
            _(
                "Price %(after)s instead of %(before)s",
                after=f"{one.after}%",
                before=f"{one.before}%",
            )
        )
    return str(_("Does not count: %(reason)s", reason=words.criterion(one.before)))


def _options(file: CaseFile, who: Actor) -> list[tuple[str, str]]:
    """Give what may be chosen: more eyes for everybody, fewer for the head office, and reasons."""
    row = file.request
    if row.state not in DECIDABLE or not may(who, "request.override"):
        return []
    present = ROUTES.index(row.route) if row.route in ROUTES else 1
    head = Role.HEAD_OFFICE in who.roles
    routes = [
        (f"route:{name}", str(_("Let it be decided by %(who)s", who=words.decided_by(name))))
        for number, name in enumerate(ROUTES)
        if number and number != present and (number > present or head)
    ]
    aside = {one.before for one in file.overrides if one.what == "reason"}
    return routes + [
        (
            f"reason:{one['code']}",
            str(_("Does not count: %(reason)s", reason=words.criterion(str(one["code"])))),
        )
        for one in row.reasons or ()
        if not one.get("passed") and one["code"] not in aside
    ]

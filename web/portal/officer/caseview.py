"""A case in the words of the page: tiles, ladder, bars and sentences, ready for a template."""

from fractions import Fraction
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import ngettext

from scf.financing.lifecycle import DECIDABLE
from scf.financing.policy import UNFINISHED
from scf.kernel.actor import Actor
from scf.kernel.money import format_minor
from scf.kernel.rates import PPM, round_half_up
from scf.parties.access import may
from scf.reporting.casefile import CaseCheck, CaseExposure, CaseFile, CaseWord
from scf.reporting.casescore import CaseScore
from scf.risk.stress import LATE_DAYS, Stressed
from web.i18n import day, moment, money, number, percent, role_name, short_amount
from web.portal.officer import modelwords, priceview, words
from web.portal.officer.queue import clock
from web.refusals import translated

_MOST_POINTS: Final = 6
_SHARES: Final = frozenset({"late_share", "sales_ratio", "equity_ratio"})
_MOST_ORIGINS: Final = 3


def view(file: CaseFile, who: Actor) -> dict[str, Any]:
    """Give the case as its template draws it."""
    row = file.request
    ready = row.state in DECIDABLE and not file.missing
    last_round = [word for word in file.words if word.round == row.round]
    agree = all(word.outcome == "APPROVE" for word in last_round)
    clean = bool(row.reasons) and all(one.get("passed") for one in row.reasons)
    return {
        "id": row.id,
        "version": row.version,
        "state": row.state,
        "seller": file.seller,
        "seller_id": row.seller_id,
        "obligor": ", ".join(file.obligors),
        "model_kind": modelwords.kind(file.economics.kind) if file.economics else None,
        "score_note": modelwords.note(
            file.score.firm, file.score.kind, file.score.model, file.score.refer
        )
        if file.score
        else "",
        "memo": str(
            _("Effect of the chain on the price: %(bp)s bp", bp=file.economics.chain_effect_bp)
        )
        if file.economics
        else "",
        "currency": row.currency,
        "face_minor": row.face_minor,
        "net_minor": row.net_minor,
        "grade": file.quote.grade or "",
        "stage": _stage(file),
        "clock": clock(row.decide_by, stopped=row.clock_stopped_at is not None)
        if row.state in DECIDABLE or row.clock_stopped_at
        else None,
        "facts": _facts(file),
        "price": _price(file),
        "explained": priceview.view(file.price, row.currency),
        "exposure": [_bar(one) for one in file.exposure],
        "lines": [_line(file, number) for number in range(len(file.lines))],
        "reasons": [_reason(one, file) for one in row.reasons or ()],
        "checks": [_check(one, file, who) for one in file.checks],
        "checks_passed": sum(one.result == "CLEAR" for one in file.checks),
        "checks_open": len(open_checks(file)),
        "checks_together": len(open_checks(file)) > 1 and may(who, "request.check"),
        "questions": file.questions,
        "words": [_word(one) for one in file.words],
        "word": ("last" if file.word.last else "first") if file.word else "",
        "second": file.word is not None and file.word.step > 1,
        "why_not": _why_not(file),
        "unread": _missing(file),
        "may_counter": file.word is not None and file.repriced is None,
        # Nothing is chosen for anybody unless maker, model and checks all say the same.
        "preselected": "APPROVE" if ready and clean and last_round and agree else "",
        "pays_minor": file.repriced.net_minor if file.repriced else row.net_minor,
        "sum_at_rate": f"{money(row.net_minor, row.currency)} · {_rate(file)}"
        if file.repriced is None
        else _offered(file.repriced),
        "differences": [
            _difference(one, row.currency) for one in file.differences if not one.agrees
        ],
        "same": [words.seen_name(one.what) for one in file.differences if one.agrees],
        "repriced": _repriced(file),
        "may_reprice": any(one.name == "reprice" and one.allowed for one in file.acts),
        "undo": {"until": file.undo_until} if file.undo_until else None,
        "bound_to": file.signed,
        "score": _score(file),
        "stress": [_stress(one, firm) for one, firm in file.stress],
        "stress_note": _stress_note(file),
    }


def open_checks(file: CaseFile) -> list[str]:
    """Give the checks that may be recorded now and are not yet clear."""
    before_payout = file.request.state == "APPROVED"
    if file.request.state not in DECIDABLE and not before_payout:
        return []
    return [
        one.kind
        for one in file.checks
        if one.before_payout is before_payout and one.result != "CLEAR"
    ]


def _stage(file: CaseFile) -> dict[str, str]:
    state = file.request.state
    if state in DECIDABLE and any(word.round == file.request.round for word in file.words):
        return {"text": str(_("Second approval (four eyes)")), "kind": "info"}
    text, kind = words.request_state(state)
    return {"text": text, "kind": kind}


def _rate(file: CaseFile) -> str:
    return str(_("%(rate)s a year all-in", rate=percent(file.quote.all_in_ppm)))


def _offered(offer: Any) -> str:  # noqa: ANN401 - the row of an offer
    rate = _("%(rate)s a year all-in", rate=percent(offer.all_in_ppm))
    return f"{money(offer.net_minor, offer.currency)} · {rate}"


def _repriced(file: CaseFile) -> dict[str, str] | None:
    """Say what is proposed instead of the price that the firm has asked for."""
    offer = file.repriced
    if offer is None:
        return None
    more = offer.net_minor - file.request.net_minor
    return {
        "rate": f"{offer.rate_percent}%",
        "before": f"{file.quote.rate_percent}%",
        "sum": money(offer.net_minor, offer.currency),
        "more": f"{'+' if more > 0 else ''}{money(more, offer.currency)}",
    }


def _facts(file: CaseFile) -> list[tuple[str, Any, str]]:
    """Give the six facts; what a price by contract does not have is said so."""
    row, quote = file.request, file.quote
    days = max((line.days for line in file.lines), default=0)
    due = max((line.due_on for line in file.lines), default=None)
    income = money(quote.discount_minor + quote.fee_minor, row.currency)
    share = percent(row.net_minor * PPM // row.face_minor, 1) if row.face_minor else ""
    invoices = ngettext("%(num)d invoice", "%(num)d invoices", len(file.lines))
    return [
        (_("Finance amount"), _sum(row.net_minor, row.currency), f"{invoices}, {share}"),
        (
            _("Tenor"),
            ngettext("%(num)d day", "%(num)d days", days),
            _("due %(day)s", day=day(due)),
        ),
        (
            _("Price"),
            f"{percent(quote.effective_ppm)} {_('APR')}",
            _("%(sum)s income", sum=income),
        ),
        *_risk_facts(file),
    ]


def _risk_facts(file: CaseFile) -> list[tuple[str, Any, str]]:
    titles = (_("Default risk, 1 year"), _("Expected loss"), _("Risk-adjusted return"))
    found = file.economics
    if found is None:
        return [(title, "–", str(_("priced by contract"))) for title in titles]
    alone = ""
    if file.score is not None:
        alone = str(
            _(
                "alone %(own)s, chain %(more)s",
                own=percent(file.score.own_ppm),
                more=f"+{percent(max(0, file.score.pd_ppm - file.score.own_ppm))}",
            )
        )
    grade = file.quote.grade or "–"
    return [
        (titles[0], f"{percent(found.pd_ppm)} · {grade}", alone),
        (
            titles[1],
            _sum(found.expected_loss_minor, file.request.currency),
            _("%(share)s for this claim", share=percent(found.pd_item_ppm, 3)),
        ),
        (
            titles[2],
            percent(found.return_ppm, 1) if found.return_ppm is not None else "–",
            _("hurdle %(rate)s", rate=percent(found.hurdle_ppm, 1)),
        ),
    ]


def _sum(minor: int, currency: str) -> dict[str, Any]:
    """Give a sum for the macro that writes its currency small beside it."""
    return {"minor": minor, "currency": currency}


def _price(file: CaseFile) -> dict[str, Any]:
    quote = file.quote
    total_ppm = quote.rate_ppm
    total = {"text": _("Price"), "value": total_ppm, "shown": f"{quote.rate_percent}%"}
    line = max(file.lines, key=lambda one: one.face_minor, default=None)
    if line is None or not line.components:
        fixing = total_ppm - quote.margin_ppm
        steps = [
            {
                "text": _("%(name)s of %(day)s", name=quote.benchmark, day=day(quote.fixing_on)),
                "value": fixing,
                "shown": f"{quote.fixing_percent}%",
                "kind": "mute",
            },
            {
                "text": _("Margin of the programme"),
                "value": quote.margin_ppm,
                "shown": f"+{percent(quote.margin_ppm)}",
                "kind": "chart",
            },
        ]
        return {"components": [], "contract": steps, "total": total, "sums": _sums(file)}
    rate = sum(bp for _name, bp in line.components)
    return {
        "components": [
            {
                "text": words.component(name),
                "value": bp,
                "shown": f"{bp} bp",
                "kind": "mute" if name == "funding" else "chart",
            }
            for name, bp in line.components
        ],
        "contract": [],
        "total": {"text": _("Price"), "value": rate, "shown": f"{rate} bp"},
        "sums": _sums(file),
    }


def _measured(name: str, value: str) -> str:
    """Write what the card read: shares as percent, other exact fractions with one decimal."""
    try:
        exact = Fraction(value)
    except ValueError:
        return value
    if name in _SHARES:
        return percent(round_half_up(exact * PPM), 0)
    return number(round_half_up(exact * 10), 1)


def _score(file: CaseFile) -> list[dict[str, Any]]:
    """Give what raised and what lowered the obligor's risk, the strongest first."""
    if file.score is None:
        return []
    by_card = file.score.kind == "expert_prior"
    rows = [
        {
            "sign": "+" if points > 0 else "−",
            "kind": "bad" if points > 0 else "ok",
            "text": _input(file.score, name),
            "note": str(_("not known"))
            if missing
            else _measured(name, value)
            if by_card
            else value,
            "aside": f"{'+' if points > 0 else '−'}{abs(points)}",
        }
        for name, value, points, missing in file.score.points[:_MOST_POINTS]
    ]
    return rows + [
        {
            "sign": "+",
            "kind": "bad",
            "text": str(_("By the chain: %(firm)s", firm=firm)),
            "note": str(_("if it fails, the loss reaches this obligor")),
            "aside": f"+{percent(hazard)}",
        }
        for firm, hazard in file.score.chain[:_MOST_ORIGINS]
    ]


def _input(score: CaseScore, name: str) -> str:
    """Name what an input looks at; a model's word on other firms is marked as the chain's."""
    if score.kind == "expert_prior":
        return words.card_input(name)
    text = modelwords.model_input(name)
    return str(_("Chain: %(input)s", input=text)) if name in score.of_chain else text


def _stress(one: Stressed, firm: str) -> dict[str, str]:
    """Give one line of what would be if something broke."""
    says = {
        "none": _("As it was priced"),
        "late": _("The obligor pays %(days)s days later", days=LATE_DAYS),
        "customer": _("Its weightiest customer fails: %(firm)s", firm=firm),
        "downgrade": _("The obligor is one grade worse"),
    }
    return {
        "what": str(says[one.what]),
        "pd": percent(one.pd_ppm),
        "grade": one.grade,
        "rate": f"{one.rate_bp} bp" if one.rate_bp is not None else str(_("no price")),
        "route": words.price_asks_for(one.route),
    }


def _stress_note(file: CaseFile) -> str:
    """Say what is not there, and why."""
    if not file.stress or any(one.what == "customer" for one, _firm in file.stress):
        return ""
    return str(_("No customer's failure reaches the obligor in the model: a rating stands whole."))


def _sums(file: CaseFile) -> list[tuple[str, str, str]]:
    """Give the money from face to pay-out: every line adds up to the last."""
    row, quote = file.request, file.quote
    discount, fee = row.discount_minor, row.fee_minor
    rest = row.face_minor - discount - fee - row.net_minor
    lines = [
        (_("Face that is financed"), money(row.face_minor, row.currency), ""),
        (_("Discount"), f"−{money(discount, row.currency)}", ""),
    ]
    if fee:
        lines.append((_("Fee"), f"−{money(fee, row.currency)}", ""))
    if rest:
        lines.append((_("Kept back"), f"−{money(rest, row.currency)}", ""))
    lines.append((_("Pays out"), money(row.net_minor, row.currency), "total"))
    lines.append((_("All-in a year, simple"), percent(quote.all_in_ppm), ""))
    return lines


def _bar(one: CaseExposure) -> dict[str, Any]:
    line = one.line
    limit = line.limit_minor or 1
    after = line.taken_minor * 100 // limit
    before = (line.taken_minor - one.this_minor) * 100 // limit
    name = words.subject(line.kind, line.name)
    return {
        "name": f"{name} · {words.limit_kind(line.kind)}",
        "used": before,
        "more": max(after - before, 1 if one.this_minor else 0),
        "shown": str(
            _(
                "%(share)s of %(limit)s",
                share=f"{after}%",
                limit=f"{short_amount(line.limit_minor, line.currency)} {line.currency}",
            )
        ),
    }


def _line(file: CaseFile, number: int) -> dict[str, Any]:
    line = file.lines[number]
    match_text, match_kind = words.match_state(line.match_state)
    accepted_text, accepted_kind = words.acceptance_state(line.acceptance_state)
    return {
        "invoice_id": line.invoice_id,
        "number": line.number,
        "obligor": line.obligor,
        "order": line.order_number,
        "match": {"text": match_text, "kind": match_kind},
        "acceptance": {"text": accepted_text, "kind": accepted_kind},
        "ipu": line.ipu,
        "due_on": line.due_on,
        "days": line.days,
        "face_minor": line.face_minor,
        "net_minor": line.net_minor,
    }


def _reason(one: dict[str, Any], file: CaseFile) -> dict[str, Any]:
    """Give a stored criterion of the policy as it was found when the case came about."""
    passed = bool(one.get("passed"))
    code = str(one.get("code", ""))
    if passed:
        note = ""
    elif code == "BAND":
        note = str(
            _(
                "%(sum)s is for an officer",
                sum=money(file.request.face_minor, file.request.currency),
            )
        )
    elif code == "ROUTE":
        note = words.route_name(str(one.get("measured")))
    elif code.startswith("CHECK_"):
        note = str(_("found a hit") if one.get("measured") == "HIT" else _("an officer looks"))
    elif code == "REGISTRY":
        found = {"HELD": _("another financier has it"), "SIMILAR": _("another has a similar one")}
        note = str(found.get(str(one.get("measured")), _("no answer")))
    elif code == "RING" and one.get("measured") == UNFINISHED:
        note = str(_("too many invoices to search them all"))
    else:
        note = f"{one.get('measured') or ''}"
    return {
        "sign": "✓" if passed else "!",
        "kind": "ok" if passed else "warn",
        "text": words.criterion(code),
        "note": note,
    }


def _check(one: CaseCheck, file: CaseFile, who: Actor) -> dict[str, Any]:
    sign, mark = {"CLEAR": ("✓", "ok"), "HIT": ("!", "bad")}.get(one.result, ("–", "warn"))
    return {
        "kind": one.kind,
        "sign": sign,
        "mark": mark if one.result or not one.before_payout else "",
        "evidence": translated(one.evidence),
        "when": _("before the pay-out") if one.before_payout else _("before the decision"),
        "who": f"{one.who or _('The platform')}, {moment(one.at)}" if one.at else "",
        "form": one.kind in open_checks(file) and may(who, "request.check"),
    }


def _word(one: CaseWord) -> dict[str, Any]:
    return {
        "name": one.name or str(_("The policy")),
        "said": words.word_of(one.outcome),
        "codes": [words.decline_name(code) for code in one.codes],
        "note": one.note,
        "at": one.at,
    }


def _why_not(file: CaseFile) -> str:
    """Say why this person has no word on the case, and who has."""
    if file.why_not is not None:
        needed = file.why_not.facts.get("needs_one_of")
        if file.why_not.code == "AUTHORITY" and isinstance(needed, list):
            roles = ", ".join(role_name(str(one)) for one in needed)
            return str(_("The next word on this amount is for: %(roles)s.", roles=roles))
        return words.refused(file.why_not)
    state = file.request.state
    if state == "APPROVED" and open_checks(file):
        return str(_("Approved. It can be paid once the checks before the pay-out are recorded."))
    if state == "RETURNED":
        return str(_("The firm owes an answer. The clock stands still until then."))
    if state == "COUNTER_OFFERED":
        other = file.counter is not None and file.counter.quote_id
        return str(
            _("The firm has been offered another price. It takes it, or it lapses.")
            if other
            else _("The firm has been offered less. It takes it, or it lapses.")
        )
    return str(_("This case is decided: %(state)s.", state=words.request_state(state)[0]))


def _missing(file: CaseFile) -> str:
    if not file.missing:
        return ""
    names = ", ".join(words.check_name(kind) for kind in file.missing)
    return str(_("To approve, record these first: %(names)s.", names=names))


def _difference(one: Any, currency: str) -> dict[str, str]:  # noqa: ANN401 - a named tuple
    return {
        "what": words.seen_name(one.what),
        "then": _plain(one.what, one.then, currency),
        "now": _plain(one.what, one.now, currency),
    }


def _plain(what: str, value: Any, currency: str) -> str:  # noqa: ANN401 - as it was kept
    """Write a stored fact for people; what is nested is told by its parts."""
    if value in (None, "", [], {}):
        return "–"
    if what.endswith("_minor") and isinstance(value, int):
        return money(value, currency)
    if isinstance(value, dict):
        return "; ".join(f"{_part(key)}: {_amount(item, currency)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(str(item[0] if isinstance(item, list) else item) for item in value)
    return str(value)


def _part(key: str) -> str:
    kind = key.partition(":")[0]
    return words.limit_kind(kind) if ":" in key else words.check_name(key)


def _amount(item: Any, currency: str) -> str:  # noqa: ANN401 - as it was kept
    return format_minor(item, currency) if isinstance(item, int) else str(item)

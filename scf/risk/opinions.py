"""What trained models say of the firms of a morning: asked once a night, kept, and read again.

The champion's word goes into the assessments; validated models and challengers are heard beside it
and kept for comparison, and no price reads them. A model that cannot be had or that knows nothing
of a firm stops nobody: the expert's card prices, and a person decides.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf
from scf.risk.items import day_number
from scf.risk.models import ModelFile, ModelScore, RiskModel
from scf.risk.past import past_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scoring.modelfile import Model
    from scoring.opinion import Opinion

SCORE: Final[Table] = ModelScore.__table__  # type: ignore[attr-defined]
MODEL: Final[Table] = RiskModel.__table__  # type: ignore[attr-defined]
_FILE: Final[Table] = ModelFile.__table__  # type: ignore[attr-defined]
CHAMPION: Final = "champion"
SHADOW: Final = "shadow"
_ROLES: Final = {"CHAMPION": CHAMPION, "CHALLENGER": SHADOW, "VALIDATED": SHADOW}
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """One model's word on one firm."""

    model_id: str
    name: str
    kind: str
    file_digest: str
    role: str
    opinion: "Opinion"


@dataclass(frozen=True)
class Heard:
    """What all models that are watched said of the firms of a morning."""

    champion: Mapping[str, Said]
    shadows: Sequence[Mapping[str, Said]] = ()

    def of(self, firm_id: str) -> list[Said]:
        """Give all that was said of a firm."""
        found = [one[firm_id] for one in self.shadows if firm_id in one]
        return [self.champion[firm_id], *found] if firm_id in self.champion else found


NOBODY: Final = Heard({})


def ask(conn: Connection, morning: AsOf, appetite: Appetite, firms: Collection[str]) -> Heard:
    """Ask every model of a financier that is champion, challenger or validated.

    Each file is read once, and nothing of it is opened before its digest is the promoted one.
    """
    rows = conn.execute(
        select(MODEL)
        .where(MODEL.c.financier_id == morning.financier_id, MODEL.c.state.in_(_ROLES))
        .order_by(MODEL.c.id)
    ).all()
    if not rows:
        return NOBODY
    try:
        seen = _seen(conn, morning, appetite)
    except ImportError:  # the libraries of models are not installed on this machine
        seen = None
    champion: Mapping[str, Said] = {}
    shadows: list[Mapping[str, Said]] = []
    for row in rows:
        told = _asked(conn, row, seen, firms)
        if _ROLES[row.state] == CHAMPION:
            champion = told
        else:
            shadows.append(told)
    return Heard(champion, tuple(shadows))


@dataclass(frozen=True)
class _Seen:
    """The features of a morning, as training worked them out; a row for each firm."""

    place: Mapping[str, int]
    found: "NDArray[np.float64]"
    trading: "NDArray[np.bool_]"
    lately: "NDArray[np.bool_]"


def _seen(conn: Connection, morning: AsOf, appetite: Appetite) -> _Seen:
    from scf.risk.training import place_of
    from scoring.features import features
    from scoring.training import trading

    past = past_of(conn, morning, appetite)
    t = day_number(morning.on)
    found = features(past.events, t, place_of(conn, past, morning))
    place = {firm: at for at, firm in enumerate(past.firms)}
    return _Seen(place, found, trading(found), past.in_default(t))


def digests(
    conn: Connection, morning: AsOf, appetite: Appetite, row: Row[Any], firms: Collection[str]
) -> dict[str, str]:
    """Work out again what a model looked at on a morning: the features' digest of each firm.

    Reads the model's card and never its file; firms that it knew nothing of are left out.
    """
    from scoring import canonical
    from scoring.asking import digest_of_row, seen_by
    from scoring.modelfile import ModelCard

    card = canonical.load(ModelCard, row.card)
    seen = _seen(conn, morning, appetite)
    rows = seen_by(card, seen.found)
    return {
        firm: digest_of_row(card, rows[seen.place[firm]]) for firm in firms if firm in seen.place
    }


def _asked(
    conn: Connection, row: Row[Any], seen: _Seen | None, firms: Collection[str]
) -> dict[str, Said]:
    """Hear one model on some firms."""
    role = _ROLES[row.state]
    from scoring.opinion import UNREAD, UNSEEN, silent

    def said(opinion: "Opinion") -> Said:
        return Said(row.id, row.name, row.kind, row.file_digest, role, opinion)

    model = None if seen is None else _read(conn, row)
    if seen is None or model is None:
        return {firm: said(silent(UNREAD)) for firm in firms}
    told = {firm: said(silent(UNSEEN)) for firm in firms}
    known = [firm for firm in sorted(firms) if firm in seen.place]
    asked = [firm for firm in known if seen.trading[seen.place[firm]]]
    try:
        opinions = _opinions(model, seen, asked, explain=role == CHAMPION)
    except Exception:  # noqa: BLE001 - whatever a model does, the morning begins
        _LOG.exception("model %s gives no answer", row.id)
        return {firm: said(silent(UNREAD)) for firm in firms}
    return told | {firm: said(one) for firm, one in zip(asked, opinions, strict=True)}


def _opinions(
    model: "Model", seen: _Seen, firms: Sequence[str], *, explain: bool
) -> "list[Opinion]":
    import dataclasses

    from scoring.asking import opinions
    from scoring.opinion import LATELY

    if not firms:
        return []
    places = [seen.place[firm] for firm in firms]
    found = opinions(model, seen.found[places], explain=explain)
    return [
        dataclasses.replace(one, refer=(*one.refer, LATELY)) if seen.lately[place] else one
        for place, one in zip(places, found, strict=True)
    ]


def _read(conn: Connection, row: Row[Any]) -> "Model | None":
    """Read a model's file, if it is the one that was trained and still means what it did."""
    from scoring.features import FEATURES
    from scoring.modelfile import ModelUnavailableError, read

    content = conn.execute(
        select(_FILE.c.content).where(_FILE.c.digest == row.file_digest)
    ).scalar_one_or_none()
    try:
        model = read(content, row.file_digest, FEATURES)
    except ModelUnavailableError as why:
        _LOG.warning("model %s is not read: %s", row.id, why)
    except Exception:  # noqa: BLE001 - a file that only another version of a library could read
        _LOG.exception("model %s cannot be read", row.id)
    else:
        if model.card.kind == row.kind:
            return model
        _LOG.warning("model %s is not of the kind that its row says", row.id)
    return None


# --- Kept, and read again -------------------------------------------------------------------------


def row_of(said: Said) -> dict[str, Any]:
    """Give the columns of a stored word."""
    opinion, term = said.opinion, said.opinion.term
    return {
        "model_id": said.model_id,
        "role": said.role,
        "pd_one_year": None if term is None else f"{term.pd_one_year:.12f}",
        "curve": None if term is None else [str(one) for one in term.total],
        "own_curve": None if term is None else [str(one) for one in term.own],
        "refer": list(opinion.refer),
        "why": [[one.name, one.value, one.points, one.chain] for one in opinion.why],
        "features_digest": opinion.features_digest,
    }


def stored(conn: Connection, snapshot_id: str) -> dict[str, Said]:
    """Read what the champion of a morning said, of every firm; needs no file of a model."""
    from decimal import Decimal

    from scoring.opinion import Opinion, Why
    from scoring.term import TermStructure

    rows = conn.execute(
        select(SCORE, MODEL.c.name, MODEL.c.kind, MODEL.c.file_digest)
        .join(MODEL, MODEL.c.id == SCORE.c.model_id)
        .where(SCORE.c.snapshot_id == snapshot_id, SCORE.c.role == CHAMPION)
    )
    found = {}
    for row in rows:
        term = None
        if row.curve is not None:
            own, total = (tuple(map(Decimal, bins)) for bins in (row.own_curve, row.curve))
            term = TermStructure(row.kind, own, total)
        opinion = Opinion(
            term,
            tuple(row.refer),
            row.features_digest,
            tuple(
                Why(name, None if value is None else float(value), points, chain)
                for name, value, points, chain in row.why
            ),
        )
        found[row.firm_id] = Said(
            row.model_id, row.name, row.kind, row.file_digest, row.role, opinion
        )
    return found


def told(said: Said) -> dict[str, Any]:
    """Give a champion's word as it stands in the result of an assessment, for people and proofs."""
    kept = row_of(said)
    return {
        "id": said.model_id,
        "name": said.name,
        "kind": said.kind,
        "file_digest": said.file_digest,
        **{name: kept[name] for name in ("pd_one_year", "refer", "why", "features_digest")},
    }

"""Facts of firms, policies as they were used, assessments of firms, and how prices were made."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text

from scf.db.types import (
    Blob,
    Code,
    CodeKey,
    Count,
    Day,
    Flag,
    Id,
    IdKey,
    Instant,
    Json,
    OptCode,
    OptCurrency,
    OptDay,
    OptId,
    OptInstant,
    OptJson,
    OptMinor,
    OptPpm,
    OptText,
    Record,
    SignedCount,
    SignedPpm,
    Text,
    index_where,
    table_args,
)


class FirmFact(Record, table=True):
    """What a financier's officers know of a firm that no trade document says.

    ``registry``: when it was founded. ``statement``: revenue, equity, liquidity, a week's cost.
    ``rating``: an approved rating as a one-year probability. ``grade``: how many columns of the
    scale people grade it worse (below nothing: better) than the model, why, and until when.
    ``owner``: the firm that holds more than half of it, itself for nobody. A fact that could make
    somebody cheaper, or take firms of one group apart, counts from the day after another person
    confirmed it, any other from the day after it was entered.
    """

    __tablename__ = "firm_fact"
    __table_args__ = table_args(
        ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_firm_fact_firm"),
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_firm_fact_financier"),
        CheckConstraint(
            "kind IN ('registry', 'statement', 'rating', 'grade', 'owner')",
            name="ck_firm_fact_kind",
        ),
        CheckConstraint("(kind = 'owner') = (owner_id IS NOT NULL)", name="ck_firm_fact_owner"),
        ForeignKeyConstraint(["owner_id"], ["firm.id"], name="fk_firm_fact_owner"),
        CheckConstraint("confirmed_by <> entered_by", name="ck_firm_fact_two_people"),
        Index("ix_firm_fact_firm", "financier_id", "firm_id"),
    )
    id: IdKey
    financier_id: Id
    firm_id: Id
    kind: Code
    founded_on: OptDay
    period_end_on: OptDay
    received_on: OptDay
    currency: OptCurrency
    revenue_minor: OptMinor
    equity_ppm: SignedPpm = 0  # of the balance sheet; may be negative
    liquidity_minor: OptMinor  # cash and undrawn committed lines
    weekly_cost_minor: OptMinor
    pd_ppm: OptPpm  # a rating's probability of default within a year
    notches: SignedCount = 0
    code: OptCode  # why people grade it otherwise
    owner_id: OptId  # who holds more than half of it; itself: nobody
    valid_to: OptDay
    evidence: Text
    entered_by: Id
    entered_at: Instant
    confirmed_by: OptId
    confirmed_at: OptInstant
    known_at: OptInstant  # from when it counts; empty while it waits for a second person


class RiskPolicy(Record, table=True):
    """The risk appetite as it was used, whole, under its fingerprint; for replays."""

    __tablename__ = "risk_policy"
    __table_args__ = table_args()
    digest: CodeKey
    version: Code
    content: Text
    first_used_at: Instant


class RiskAssessment(Record, table=True):
    """A firm as a financier saw it on one morning: inputs, points, own risk, risk with the chain.

    ``sequence`` is the last dated fact of an invoice that could be seen. ``kind`` says what the
    figures rest on: ``expert_prior`` on judgement, ``trained`` and ``simulated`` on the champion
    ``model_id``. A champion that was asked and does not stand (a rating, a default, nothing that
    it could go by) leaves its id and the kind ``expert_prior``.
    """

    __tablename__ = "risk_assessment"
    __table_args__ = table_args(
        UniqueConstraint("snapshot_id", "firm_id", name="uq_risk_assessment"),
        ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_assessment_firm"),
        ForeignKeyConstraint(
            ["policy_digest"], ["risk_policy.digest"], name="fk_assessment_policy"
        ),
        ForeignKeyConstraint(["model_id"], ["risk_model.id"], name="fk_assessment_model"),
        CheckConstraint(
            "kind = 'expert_prior' OR (kind IN ('trained', 'simulated') AND model_id IS NOT NULL)",
            name="ck_assessment_kind",
        ),
        Index("ix_assessment_firm", "financier_id", "firm_id", "as_of_on"),
    )
    id: IdKey
    financier_id: Id
    snapshot_id: Id
    firm_id: Id
    as_of_on: Day
    sequence: Count
    kind: Code = "expert_prior"
    model_id: OptId  # the champion of that morning
    policy_digest: Code
    policy_version: Code
    grade: Code
    defaulted: Flag
    inputs: Text  # canonical JSON: what was known
    result: Text  # canonical JSON: points, hazards, probabilities, floors, flags
    splits: OptJson  # three ways to take the hazard apart; only where the chain adds anything
    digest: Code  # of inputs and result
    command_id: Id
    at: Instant


class ChainArrays(Record, table=True):
    """The chain of a financier's last assessed morning as arrays, for questions during the day.

    Derived from what is stored elsewhere and replaced each night; without it the chain is worked
    out anew when somebody asks.
    """

    __tablename__ = "chain_arrays"
    __table_args__ = table_args(
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_chain_arrays_financier"),
        ForeignKeyConstraint(
            ["snapshot_id"], ["graph_snapshot.id"], name="fk_chain_arrays_snapshot"
        ),
    )
    financier_id: IdKey
    snapshot_id: Id
    policy_digest: Code
    content: Blob
    at: Instant


class PriceAssessment(Record, table=True):
    """How one line of a quote got its price: everything that went in, and all that came out."""

    __tablename__ = "price_assessment"
    __table_args__ = table_args(
        UniqueConstraint("quote_line_id", name="uq_price_assessment"),
        ForeignKeyConstraint(["policy_digest"], ["risk_policy.digest"], name="fk_price_policy"),
        ForeignKeyConstraint(
            ["obligor_assessment_id"], ["risk_assessment.id"], name="fk_price_obligor"
        ),
        ForeignKeyConstraint(
            ["seller_assessment_id"], ["risk_assessment.id"], name="fk_price_seller"
        ),
        ForeignKeyConstraint(["model_id"], ["risk_model.id"], name="fk_price_model"),
        CheckConstraint(
            "kind = 'expert_prior' OR (kind IN ('trained', 'simulated') AND model_id IS NOT NULL)",
            name="ck_price_kind",
        ),
    )
    id: IdKey
    financier_id: Id
    quote_line_id: Id
    invoice_id: Id
    obligor_id: Id
    seller_id: Id
    obligor_assessment_id: Id
    seller_assessment_id: OptId  # an undertaking is priced without its seller
    as_of_on: Day
    sequence: Count
    kind: Code = "expert_prior"
    model_id: OptId  # the champion by which it was priced; empty where the card alone was read
    policy_digest: Code
    policy_version: Code
    terms: Text  # canonical JSON: what the agreement and the claim said
    inputs: Text  # canonical JSON: what the price was worked out from
    result: Text  # canonical JSON: components, route, figures behind
    digest: Code  # of terms, inputs and result
    route: Code
    route_reasons: Json
    at: Instant


class ModelFile(Record, table=True):
    """A trained model, byte for byte, under the digest of its bytes; kept once."""

    __tablename__ = "model_file"
    __table_args__ = table_args()
    digest: CodeKey
    content: Blob
    size: Count
    stored_at: Instant


class RiskModel(Record, table=True):
    """A trained model of a financier: what it was made of, who answers for it, what it may do.

    ``trained`` rests on defaults that happened; ``simulated`` on a drawn chain, for a demo world
    only. Who trained it does not validate it, and who proposes a champion does not promote it.
    """

    __tablename__ = "risk_model"
    __table_args__ = table_args(
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_risk_model_financier"),
        ForeignKeyConstraint(["file_digest"], ["model_file.digest"], name="fk_risk_model_file"),
        CheckConstraint("kind IN ('trained', 'simulated')", name="ck_risk_model_kind"),
        CheckConstraint(
            "state IN ('TRAINED', 'VALIDATED', 'CHALLENGER', 'CHAMPION', 'RETIRED', 'KILLED')",
            name="ck_risk_model_state",
        ),
        CheckConstraint(
            "validated_by <> trained_by AND promoted_by <> proposed_by",
            name="ck_risk_model_two_people",
        ),
        CheckConstraint(
            "state <> 'CHAMPION' OR (promoted_by IS NOT NULL AND proposed_by IS NOT NULL"
            " AND validated_by IS NOT NULL)",
            name="ck_risk_model_champion",
        ),
        UniqueConstraint("financier_id", "file_digest", name="uq_risk_model"),
        index_where(
            text("state = 'CHAMPION'"), "uq_risk_model_champion", "financier_id", unique=True
        ),
    )
    id: IdKey
    financier_id: Id
    name: Code
    kind: Code
    state: Code
    file_digest: Code
    schema_hash: Code  # of names, units and signs of its inputs
    data_hash: Code  # of the rows that it was fitted to
    card: Text  # canonical JSON: inputs, windows, settings, measures
    tenths: Json  # told and happened on the test window, by tenths
    trained_on: Day  # the morning on which it was trained: nothing later is in it
    trained_by: Id
    trained_at: Instant
    validated_by: OptId
    validated_at: OptInstant
    validation: OptText  # what the second person held it against
    proposed_by: OptId
    proposed_at: OptInstant
    promoted_by: OptId
    promoted_at: OptInstant
    ended_by: OptId
    ended_at: OptInstant
    end_reason: OptText


class ModelScore(Record, table=True):
    """What a model said of a firm on the morning of a chain snapshot, before anybody asked a price.

    One row for each firm, snapshot and model that was the champion (``role = 'champion'``), or was
    validated or a challenger (``'shadow'``: watched beside it, read by no price). How to read it:
    all firms of one model on one morning are ``snapshot_id = …, model_id = …``; the time line of a
    model is ``financier_id = …, model_id = …`` by ``as_of_on``; champion and challenger on the same
    firms are the two rows of one ``snapshot_id`` and ``firm_id``. ``pd_one_year`` and the twelve
    monthly chances of ``curve`` (given no failure before; bins of 30 days, the last of 35) and
    ``own_curve`` (its chain as an ordinary one) are texts of twelve decimals; None where the model
    had no answer. ``refer`` says why a person decides instead; empty where a price may rest on it.
    What priced the firm that morning, card or champion, is in ``risk_assessment`` of the same
    snapshot and firm.
    """

    __tablename__ = "model_score"
    __table_args__ = table_args(
        UniqueConstraint("snapshot_id", "firm_id", "model_id", name="uq_model_score"),
        ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_model_score_firm"),
        ForeignKeyConstraint(["model_id"], ["risk_model.id"], name="fk_model_score_model"),
        CheckConstraint("role IN ('champion', 'shadow')", name="ck_model_score_role"),
        index_where(
            text("role = 'champion'"),
            "uq_model_score_champion",
            "snapshot_id",
            "firm_id",
            unique=True,
        ),
        Index("ix_model_score_model", "financier_id", "model_id", "as_of_on"),
    )
    id: IdKey
    financier_id: Id
    snapshot_id: Id
    firm_id: Id
    model_id: Id
    as_of_on: Day
    role: Code
    pd_one_year: OptCode  # 0.012345678901, with the chain
    curve: OptJson
    own_curve: OptJson
    refer: Json
    why: Json  # the champion's strongest inputs: name, value, points (100 are a logit), of chain
    features_digest: Code  # of what it looked at
    command_id: Id
    at: Instant


__all__ = [
    "ChainArrays",
    "FirmFact",
    "ModelFile",
    "ModelScore",
    "PriceAssessment",
    "RiskAssessment",
    "RiskModel",
    "RiskPolicy",
]

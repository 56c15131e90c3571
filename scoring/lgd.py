"""How much of the exposure is lost when the obligor fails."""

from fractions import Fraction

from scoring.policy import LgdTable
from scoring.schema import LgdTerms


def lgd_of(terms: LgdTerms, table: LgdTable) -> Fraction:
    """Return the LGD before insurance: row, additions, bounds, and a reserve that covers credit.

    Parameters
    ----------
    terms : LgdTerms
        Case, silent or cross-border, and the advance rate if the reserve covers credit loss.
    table : LgdTable
        Figures of the policy.

    Returns
    -------
    Fraction
        Share of EAD between the bounds of the table. With a reserve for credit loss
        max(lowest, 1 - (1 - LGD) / advance).
    """
    share = table.cases[terms.case]
    if terms.silent:
        share += table.silent
    if terms.cross_border:
        share += table.cross_border
    share = min(max(share, table.lowest), table.highest)
    if terms.credit_reserve_advance is not None:
        share = max(table.lowest, 1 - (1 - share) / terms.credit_reserve_advance)
    return share


def insured_lgd(lgd: Fraction, cover: Fraction, phi: Fraction, insurer_pd: float) -> float:
    """Return the LGD after the insurer paid: LGD·(1 - c·φ·(1 - PD of the insurer)).

    Parameters
    ----------
    lgd : Fraction
        Share of EAD without insurance.
    cover : Fraction
        Insured share of the loss, c.
    phi : Fraction
        Share of the claims that an insurer alive pays.
    insurer_pd : float
        Insurer's PD over the item.

    Returns
    -------
    float
        Never above the uninsured LGD.

    Examples
    --------
    >>> from scoring.hazard import hazard_of, pd_within
    >>> insurer = pd_within(hazard_of(0.001), 90)
    >>> round(insured_lgd(Fraction("0.40"), Fraction("0.9"), Fraction("0.95"), insurer), 8)
    0.05808436
    """
    if not 0 <= insurer_pd <= 1:
        raise ValueError("insurer_pd lies in [0, 1].")
    return float(lgd) * (1 - float(cover * phi) * (1 - insurer_pd))

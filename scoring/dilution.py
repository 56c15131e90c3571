"""Dilution: what credit notes take off a claim after the money went out."""

from fractions import Fraction

from scoring.policy import Model


def diluted_beyond(share: Fraction, reserve: Fraction, concentration: int) -> float:
    """Return the expected loss of face by dilution beyond the reserve.

    The diluted share X is beta distributed with parameters a = cδ and b = c(1 - δ); the result is
    E[max(0, X - r)] in closed form, δ·(1 - I_r(a + 1, b)) - r·(1 - I_r(a, b)).

    Parameters
    ----------
    share : Fraction
        Expected diluted share δ of the face, in [0, 1].
    reserve : Fraction
        Share r of the face that is kept back, in [0, 1].
    concentration : int
        c = a + b, above 0; larger means closer to δ.

    Returns
    -------
    float
        Share of the face, in [0, δ].

    Examples
    --------
    >>> round(diluted_beyond(Fraction("0.01"), Fraction("0.05"), 20), 8)
    0.00181034
    """
    if not (0 <= share <= 1 and 0 <= reserve <= 1 and concentration > 0):
        raise ValueError("share and reserve lie in [0, 1], concentration is above 0.")
    if share in {0, 1} or reserve in {0, 1}:
        return float(share * (1 - reserve))
    from scipy.special import betaincc

    mean, kept = float(share), float(reserve)
    alpha, beta = concentration * mean, concentration * (1 - mean)
    beyond = mean * float(betaincc(alpha + 1, beta, kept)) - kept * float(
        betaincc(alpha, beta, kept)
    )
    return min(max(beyond, 0.0), mean)


def loss_of_diluted(seller_pd: float, model: Model) -> float:
    """Return the share of a diluted amount that is lost although the seller buys back.

    Parameters
    ----------
    seller_pd : float
        Seller's PD until the end of its call window, in [0, 1].
    model : Model
        Holds the share that a seller alive buys back.

    Returns
    -------
    float
        1 - φ·(1 - PD), in [1 - φ, 1].
    """
    if not 0 <= seller_pd <= 1:
        raise ValueError("seller_pd lies in [0, 1].")
    return 1 - float(model.repurchase_phi) * (1 - seller_pd)

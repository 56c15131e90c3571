"""How what judges firms is watched, on one page: drift, calibration, what people set aside, losses.

Read-only, of one financier. Drift and calibration come from ``scf.risk.watch``; what people changed
and what was lost only the later rooms know.
"""

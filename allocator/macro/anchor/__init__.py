"""What still follows government bonds: gold, the dollar, equities."""

from allocator.macro.anchor.asymmetry import (
    AsymmetricBeta,
    ConditionalBetas,
    asymmetric_beta,
    conditional_betas,
    henriksson_merton,
    treynor_mazuy,
)
from allocator.macro.anchor.capture import CaptureRatios, capture_ratios
from allocator.macro.anchor.comovement import Comovement
from allocator.macro.anchor.diagnostics import AnchorDiagnostics, anchor_diagnostics
from allocator.macro.anchor.relation import RelationByPeriod, relation_by_period
from allocator.macro.anchor.safe_haven import SafeHaven, safe_haven

__all__ = [
    "AnchorDiagnostics",
    "AsymmetricBeta",
    "CaptureRatios",
    "Comovement",
    "ConditionalBetas",
    "RelationByPeriod",
    "SafeHaven",
    "anchor_diagnostics",
    "asymmetric_beta",
    "capture_ratios",
    "conditional_betas",
    "henriksson_merton",
    "relation_by_period",
    "safe_haven",
    "treynor_mazuy",
]

"""Is a result to be believed: blind to the future, robust to timing, chosen without hindsight."""

from allocator.research.causality import CausalityAudit, Finding, audit_causality
from allocator.research.choices import WalkForward, walk_forward
from allocator.research.timing import TimingSensitivity, timing_sensitivity

__all__ = [
    "CausalityAudit",
    "Finding",
    "TimingSensitivity",
    "WalkForward",
    "audit_causality",
    "timing_sensitivity",
    "walk_forward",
]

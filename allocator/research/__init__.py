"""Is a result to be believed: blind to the future, robust to timing, chosen without hindsight."""

from allocator.research.baseline import BaselineCheck, check_baseline, write_baseline
from allocator.research.causality import CausalityAudit, Finding, audit_causality
from allocator.research.choices import WalkForward, walk_forward
from allocator.research.scenario_runs import ScenarioRuns, run_scenarios
from allocator.research.timing import TimingSensitivity, timing_sensitivity

__all__ = [
    "BaselineCheck",
    "CausalityAudit",
    "Finding",
    "ScenarioRuns",
    "TimingSensitivity",
    "WalkForward",
    "audit_causality",
    "check_baseline",
    "run_scenarios",
    "timing_sensitivity",
    "walk_forward",
    "write_baseline",
]

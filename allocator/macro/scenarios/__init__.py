"""Worlds in which a debt is handled by one means: a stated path, and simulated markets and economies."""

from allocator.macro.scenarios.history import ScenarioHistory, scenario_history
from allocator.macro.scenarios.scenario import DebtScenario, debt_scenario
from allocator.macro.scenarios.worlds import SimulatedWorlds, simulate_scenarios

__all__ = [
    "DebtScenario",
    "ScenarioHistory",
    "SimulatedWorlds",
    "debt_scenario",
    "scenario_history",
    "simulate_scenarios",
]

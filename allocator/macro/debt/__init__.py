"""How a government's debt moves, and by which means it is handled."""

from allocator.macro.debt.accounts import debt_accounts
from allocator.macro.debt.assets import (
    ARTICLE_EXPECTATIONS,
    AssetsByDebtRegime,
    Expectation,
    assets_by_debt_regime,
)
from allocator.macro.debt.classifier import DebtRegimes, DebtRule, debt_regimes
from allocator.macro.debt.contributions import DebtContributions, debt_contributions
from allocator.macro.debt.draws import FirstOrderVar, HistoryBlocks, MacroDraws
from allocator.macro.debt.fan import DebtFan, debt_fan
from allocator.macro.debt.law import (
    debt_stabilising_balance,
    linear_debt_ratio,
    next_debt_ratio,
    steady_state_debt,
)
from allocator.macro.debt.paths import DebtPath, debt_path, debt_paths

__all__ = [
    "ARTICLE_EXPECTATIONS",
    "AssetsByDebtRegime",
    "DebtContributions",
    "DebtFan",
    "DebtPath",
    "DebtRegimes",
    "DebtRule",
    "Expectation",
    "FirstOrderVar",
    "HistoryBlocks",
    "MacroDraws",
    "assets_by_debt_regime",
    "debt_regimes",
    "debt_accounts",
    "debt_contributions",
    "debt_fan",
    "debt_path",
    "debt_paths",
    "debt_stabilising_balance",
    "linear_debt_ratio",
    "next_debt_ratio",
    "steady_state_debt",
]

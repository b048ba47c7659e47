"""What a long yield is made of, and which part of it moves."""

from allocator.macro.yields.acm import ACMFit, ACMModel, fit_acm
from allocator.macro.yields.assets import (
    DriverStudy,
    RisingYields,
    assets_by_driver,
    assets_when_yields_rise,
)
from allocator.macro.yields.curves import ar1_average_rate, diebold_li_loadings, zero_curve
from allocator.macro.yields.decomposition import YieldDecomposition, carve_credit, decompose_yield
from allocator.macro.yields.driver_regimes import driver_regimes, period_drivers, signed_driver_regimes
from allocator.macro.yields.drivers import DriverPath, DriverShares, driver_shares, rolling_drivers
from allocator.macro.yields.episodes import EpisodeTable, episode_table
from allocator.macro.yields.term_premium import (
    TermPremium,
    apply_acm,
    bootstrap_term_premium,
    estimate_term_premium,
    expanding_term_premium,
    term_premium_episodes,
)

__all__ = [
    "ACMFit",
    "ACMModel",
    "DriverPath",
    "DriverShares",
    "DriverStudy",
    "EpisodeTable",
    "RisingYields",
    "TermPremium",
    "YieldDecomposition",
    "apply_acm",
    "ar1_average_rate",
    "assets_by_driver",
    "assets_when_yields_rise",
    "bootstrap_term_premium",
    "carve_credit",
    "decompose_yield",
    "diebold_li_loadings",
    "driver_regimes",
    "driver_shares",
    "episode_table",
    "estimate_term_premium",
    "expanding_term_premium",
    "fit_acm",
    "period_drivers",
    "rolling_drivers",
    "signed_driver_regimes",
    "term_premium_episodes",
    "zero_curve",
]

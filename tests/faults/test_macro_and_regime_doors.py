"""Every public function of regimes and macro: each argument, spoilt, is refused by its name.

A door is a function and good arguments. Each argument in turn is replaced by spoilt ones. The outcome is an
AllocatorError that names the argument, or what ``FINE`` explains. Warnings are errors, so that a
RuntimeWarning of NumPy fails, too.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import inspect
import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator import macro, regimes
from allocator.errors import AllocatorError, UndefinedStatisticWarning

SCRIPT = "<script>alert(1)</script>\nsecond line"
Door = tuple[Callable[..., Any], dict[str, Any]]


# Good arguments -------------------------------------------------------------------------------------------


def months(n: int, start: str = "2010-01-01") -> pd.DatetimeIndex:
    return pd.date_range(start, periods=n, freq="ME")


def normal(n: int, seed: int, mean: float = 0.002, deviation: float = 0.02) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, n)


def returns_of(name: str, seed: int, n: int = 72) -> pd.Series:
    return pd.Series(normal(n, seed), index=months(n), name=name)


@cache
def x() -> pd.Series:
    return returns_of("x", 1)


@cache
def y() -> pd.Series:
    return returns_of("y", 2)


@cache
def table() -> pd.DataFrame:
    return pd.DataFrame({"stocks": x(), "bonds": y()})


@cache
def labels() -> pd.Series:
    return pd.Series(np.where(np.arange(72) % 24 < 12, "calm", "wild"), index=months(72), name="mood")


@cache
def labelled() -> regimes.Regimes:
    return regimes.Regimes(labels(), "mood", "by hand", True, ("calm", "wild"))


@cache
def figures() -> pd.Series:
    index = months(190, "2005-01-01")[:140]
    return pd.Series(normal(140, 5, 0.03, 0.01), index=index, name="inflation")


@cache
def market() -> al.Market:
    index = months(73, "2009-12-01")
    steps = np.vstack([np.zeros(2), np.column_stack([normal(72, 1), normal(72, 2)])])
    prices = pd.DataFrame(np.exp(steps.cumsum(axis=0)), index=index, columns=["stocks", "bonds"])
    growth = pd.Series(normal(140, 6, 0.02, 0.02), index=figures().index, name="growth")
    signals = {"inflation": regimes.published(figures(), 15), "growth": regimes.published(growth, 30)}
    return al.Market(prices, 0.02, signals)


@cache
def short_market() -> al.Market:
    return al.Market(market().prices[["bonds"]].iloc[-30:], 0.02)


@cache
def conditional() -> regimes.ConditionalTable:
    return regimes.conditional_statistic(table(), labels(), np.mean, n_resamples=20)


@cache
def yields() -> pd.Series:
    walk = 0.04 + normal(73, 7, 0.0, 0.001).cumsum()
    return pd.Series(walk, index=months(73, "2009-12-01"), name="yield")


@cache
def part() -> pd.Series:
    return pd.Series(0.01 + normal(73, 8, 0.0, 0.001).cumsum(), index=yields().index, name="real")


@cache
def decomposition() -> macro.YieldDecomposition:
    return macro.decompose_yield(yields(), {"real": part()}, 10, ex_post=False, rest="rest")


@cache
def path() -> macro.DriverPath:
    return macro.rolling_drivers(decomposition(), 2, n_resamples=5)


@cache
def par() -> pd.DataFrame:
    rng, factors = np.random.default_rng(9), np.zeros((80, 2))
    for row in range(1, 80):
        factors[row] = 0.9 * factors[row - 1] + rng.normal(0.0, 0.003, 2)
    loadings = macro.diebold_li_loadings([1, 3, 6, 12, 24, 36, 60])[["level", "slope"]].to_numpy()
    noise = rng.normal(0.0, 1e-5, (80, 7))
    return pd.DataFrame(0.04 + factors @ loadings.T + noise, months(80), [1, 3, 6, 12, 24, 36, 60])


@cache
def zeros() -> pd.DataFrame:
    return macro.zero_curve(par())


@cache
def model() -> macro.ACMModel:
    return macro.ACMModel(2, (3, 12, 24, 60), (6, 24, 60))


@cache
def fit() -> macro.ACMFit:
    return macro.fit_acm(zeros(), model())


@cache
def premium() -> macro.TermPremium:
    return macro.bootstrap_term_premium(zeros(), (2, 5), model(), n_resamples=3, block_length=6)


@cache
def amounts() -> pd.DataFrame:
    n, rng = 31, np.random.default_rng(10)
    real = 100.0 * np.cumprod(1.0 + rng.normal(0.02, 0.01, n))
    gdp = real * np.cumprod(1.0 + rng.normal(0.02, 0.01, n))
    debt = gdp * (0.6 + 0.05 * rng.normal(size=n))
    columns = {
        "debt": debt,
        "interest": 0.03 * debt,
        "deficit": 0.04 * gdp,
        "gdp": gdp,
        "real_gdp": real,
        "market_rate": rng.normal(0.03, 0.01, n),
        "central_bank": 0.1 * debt,
    }
    return pd.DataFrame(columns, index=pd.date_range("1990-12-31", periods=n, freq="YE"))


@cache
def accounts() -> pd.DataFrame:
    return macro.debt_accounts(amounts())


@cache
def debt_labels() -> macro.DebtRegimes:
    return macro.debt_regimes(accounts())


@cache
def past() -> macro.ScenarioHistory:
    return macro.scenario_history()


@cache
def worlds() -> macro.SimulatedWorlds:
    return macro.simulate_scenarios("inflation", 2, 3)


DRAWS = {"confidence": 0.9, "n_resamples": 20, "seed": 1}
LAW = {"interest_rate": 0.03, "growth": 0.02, "inflation": 0.02, "primary_deficit": 0.01}
PAIR = {"asset": x, "benchmark": y, "errors": al.HC3Errors()}
EPISODES = {"all": ("2011-01", "2012-06")}
EXPECTED = (macro.Expectation("A", "calm", "stocks", 1),)

# Functions stand for what they give: tables are made when a test asks for them.
DOORS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "conditional_correlation": (
        regimes.conditional_correlation,
        {"x": x, "y": y, "regimes": labels, "block_length": 2, **DRAWS},
    ),
    "conditional_performance": (
        regimes.conditional_performance,
        {"returns": table, "cash": y, "regimes": labelled, "periods_per_year": 12, **DRAWS},
    ),
    "conditional_statistic": (
        regimes.conditional_statistic,
        {
            "returns": table,
            "regimes": labels,
            "statistic": lambda: lambda one, other: float(np.mean(one - other)),
            "beside": y,
            "name": "gap",
            "null": 0.0,
            **DRAWS,
        },
    ),
    "correlation_sign": (
        regimes.correlation_sign,
        {"market": market, "x": "stocks", "y": "bonds", "window_years": 2.0},
    ),
    "decades": (regimes.decades, {"dates": lambda: months(72), "first_year": 1}),
    "eras": (
        regimes.eras,
        {"dates": lambda: months(72), "starts": {"one": "2010-01-01", "two": "2012-01-01"}},
    ),
    "fit_markov": (
        regimes.fit_markov,
        {
            "series": x,
            "model": regimes.MarkovModel(ordered_by="mean", switching_variance=False),
            "n_starts": 0,
            "seed": 1,
        },
    ),
    "given_labels": (
        regimes.given_labels,
        {"market": market, "labels": labels, "publication_lag": 10, "ex_post": False},
    ),
    "inflation_level": (regimes.inflation_level, {"market": market, "threshold": 0.03, "ex_post": False}),
    "inflation_trend": (regimes.inflation_trend, {"market": market, "years": 3.0, "ex_post": False}),
    "markov_regimes": (
        regimes.markov_regimes,
        {
            "market": market,
            "series": "stocks",
            "model": regimes.MarkovModel(ordered_by="mean", switching_variance=False),
            "refit_every": 60,
            "fewest": 60,
            "n_starts": 0,
            "seed": 1,
            "ex_post": False,
        },
    ),
    "price_trend": (regimes.price_trend, {"market": market, "asset": "stocks", "years": 1.0}),
    "published": (regimes.published, {"values": figures, "publication_lag": 15}),
    "regime_contrast": (
        regimes.regime_contrast,
        {"table": conditional, "first": "calm", "second": "wild", "series": "stocks", "confidence": 0.9},
    ),
    "relative_volatility": (
        regimes.relative_volatility,
        {"market": market, "x": "inflation", "y": "growth", "years": 3.0, "ratio": 1.0},
    ),
    "signal_level": (
        regimes.signal_level,
        {"market": market, "signal": "inflation", "thresholds": 0.03, "ex_post": False},
    ),
    "signal_quantile": (
        regimes.signal_quantile,
        {"market": market, "signal": "inflation", "quantiles": 0.5, "fewest": 24, "ex_post": False},
    ),
    "MarkovModel": (
        regimes.MarkovModel,
        {"n_regimes": 2, "switching_variance": True, "order": 0, "switching_lags": 0, "ordered_by": "mean"},
    ),
    "Regimes": (
        regimes.Regimes,
        {
            "labels": labels,
            "name": "mood",
            "rule": "by hand",
            "ex_post": True,
            "order": ("calm", "wild"),
            "next_label": "calm",
        },
    ),
    "anchor_diagnostics": (
        macro.anchor_diagnostics,
        {
            "market": short_market,
            "beside": lambda: pd.DataFrame({"y10": yields(), "gold": 1.0 + part()}).iloc[-30:],
            "gold": "gold",
            "bonds": "bonds",
            "stocks": None,
            "emerging": None,
            "non_dollar": None,
            "nominal_yield": "y10",
            "real_yield": None,
            "dollar": None,
            "valuation": None,
            "since": ("2014-12-01",),
            "dollar_since": "2014-12-01",
            "dollar_window_years": 1.0,
            "rolling_years": 1.0,
            "quantiles": (0.2,),
            "regimes": labels,
            "errors": al.HC3Errors(),
            "confidence": 0.9,
            "n_resamples": 4,
            "seed": 1,
        },
    ),
    "apply_acm": (macro.apply_acm, {"fit": fit, "zeros": zeros, "years": (2, 5)}),
    "ar1_average_rate": (
        macro.ar1_average_rate,
        {"rate": 0.02, "mean": 0.04, "persistence": 0.9, "periods": 10},
    ),
    "assets_by_debt_regime": (
        macro.assets_by_debt_regime,
        {
            "returns": table,
            "regimes": labelled,
            "over": y,
            "changes": lambda: pd.DataFrame({"dollar": returns_of("d", 3)}),
            "expectations": EXPECTED,
            **DRAWS,
        },
    ),
    "assets_by_driver": (
        macro.assets_by_driver,
        {"returns": table, "drivers": labelled, "pairs": (("stocks", "bonds"),), **DRAWS},
    ),
    "assets_when_yields_rise": (
        macro.assets_when_yields_rise,
        {"returns": table, "yields": yields, "groups": {"a": ["stocks"], "b": ["bonds"]}, **DRAWS},
    ),
    "asymmetric_beta": (macro.asymmetric_beta, {**PAIR, "confidence": 0.9}),
    "henriksson_merton": (macro.henriksson_merton, {**PAIR, "confidence": 0.9}),
    "treynor_mazuy": (macro.treynor_mazuy, {**PAIR, "confidence": 0.9}),
    "conditional_betas": (macro.conditional_betas, {**PAIR, "confidence": 0.9}),
    "capture_ratios": (
        macro.capture_ratios,
        {"asset": x, "benchmark": y, "bootstrap": al.CircularBlockBootstrap(2), **DRAWS},
    ),
    "safe_haven": (
        macro.safe_haven,
        {"asset": x, "markets": y, "quantiles": (0.2,), "errors": al.HC3Errors(), "significance": 0.05},
    ),
    "relation_by_period": (
        macro.relation_by_period,
        {
            "y": y,
            "x": x,
            "starts": ("2013-01-01",),
            "errors": al.HC3Errors(),
            "levels": lambda: (y().cumsum(), x().cumsum()),
            "per": 0.01,
            **DRAWS,
        },
    ),
    "bootstrap_term_premium": (
        macro.bootstrap_term_premium,
        {
            "zeros": zeros,
            "years": (2, 5),
            "model": model,
            "confidence": 0.9,
            "n_resamples": 2,
            "block_length": 6,
            "seed": 1,
        },
    ),
    "estimate_term_premium": (
        macro.estimate_term_premium,
        {"zeros": zeros, "years": (2, 5), "model": model},
    ),
    "expanding_term_premium": (
        macro.expanding_term_premium,
        {"zeros": zeros, "years": (2, 5), "model": model, "first_years": 6.0},
    ),
    "fit_acm": (macro.fit_acm, {"zeros": zeros, "model": model}),
    "carve_credit": (
        macro.carve_credit,
        {
            "decomposition": decomposition,
            "cds": lambda: pd.Series(20.0 + normal(73, 3), yields().index),
            "out_of": "rest",
            "name": "credit",
        },
    ),
    "debt_accounts": (macro.debt_accounts, {"amounts": amounts}),
    "debt_contributions": (macro.debt_contributions, {"accounts": accounts}),
    "debt_fan": (
        macro.debt_fan,
        {
            "accounts": accounts,
            "n_years": 3,
            "draws": macro.HistoryBlocks(2),
            "n_paths": 5,
            "seed": 1,
            "cap": 10.0,
        },
    ),
    "debt_path": (
        macro.debt_path,
        {"debt": 0.6, **LAW, "stock_flow": 0.0, "first_year": 2025, "n_years": 3, "cap": 10.0},
    ),
    "debt_paths": (
        macro.debt_paths,
        {"debt": 0.6, **LAW, "growth": lambda: np.array([0.02, 0.01]), "stock_flow": 0.0, "cap": 10.0},
    ),
    "debt_regimes": (macro.debt_regimes, {"accounts": accounts, "rule": macro.DebtRule()}),
    "debt_scenario": (macro.debt_scenario, {"regime": "inflation", "n_years": 3, "history": past}),
    "debt_stabilising_balance": (
        macro.debt_stabilising_balance,
        {"debt": 0.6, "interest_rate": 0.03, "growth": 0.02, "inflation": 0.02},
    ),
    "steady_state_debt": (macro.steady_state_debt, LAW),
    "linear_debt_ratio": (macro.linear_debt_ratio, {"debt": 0.6, **LAW, "stock_flow": 0.0}),
    "next_debt_ratio": (macro.next_debt_ratio, {"debt": 0.6, **LAW, "stock_flow": 0.0}),
    "decompose_yield": (
        macro.decompose_yield,
        {
            "total": yields,
            "parts": lambda: {"real": part()},
            "maturity": 10,
            "ex_post": False,
            "rest": "rest",
        },
    ),
    "diebold_li_loadings": (
        macro.diebold_li_loadings,
        {"months": lambda: np.array([3.0, 12.0]), "decay": 0.06},
    ),
    "driver_regimes": (macro.driver_regimes, {"path": path}),
    "signed_driver_regimes": (macro.signed_driver_regimes, {"path": path}),
    "driver_shares": (
        macro.driver_shares,
        {"decomposition": decomposition, "block_length": 3, **DRAWS},
    ),
    "rolling_drivers": (
        macro.rolling_drivers,
        {
            "decomposition": decomposition,
            "years": 2.0,
            "dwell": 3,
            "margin": 0.1,
            "n_resamples": 5,
            "seed": 1,
        },
    ),
    "period_drivers": (macro.period_drivers, {"decomposition": decomposition}),
    "episode_table": (macro.episode_table, {"decomposition": decomposition, "episodes": EPISODES}),
    "term_premium_episodes": (
        macro.term_premium_episodes,
        {"estimate": premium, "years": 5, "episodes": EPISODES},
    ),
    "scenario_history": (
        macro.scenario_history,
        {
            "market": al.load_us_history,
            "regimes": lambda: past_labels(),
            "assets": ("stocks", "bonds"),
            "since": 1940,
        },
    ),
    "simulate_scenarios": (
        macro.simulate_scenarios,
        {
            "scenario": "inflation",
            "n_paths": 2,
            "n_years": 3,
            "draws": macro.HistoryBlocks(2),
            "seed": 1,
            "history": past,
        },
    ),
    "zero_curve": (macro.zero_curve, {"par": par}),
    "ACMModel": (
        macro.ACMModel,
        {"n_factors": 2, "factor_months": (3, 12, 24), "return_months": (6, 12)},
    ),
    "DebtRule": (macro.DebtRule, dataclasses.asdict(macro.DebtRule())),
    "Expectation": (
        macro.Expectation,
        {"claim": "A", "regime": "calm", "asset": "stocks", "sign": 1, "less": None, "than_others": False},
    ),
    "HistoryBlocks": (macro.HistoryBlocks, {"block_length": 5}),
    "YieldDecomposition.between": (
        lambda **given: decomposition().between(**given),
        {"first": "2011", "last": "2012"},
    ),
    "TermPremium.decomposition": (lambda **given: premium().decomposition(**given), {"years": 5}),
    "DebtRegimes.known": (
        lambda **given: past_labels().known(**given),
        {"market": market, "publication_lag": 31},
    ),
    "DebtRegimes.hindsight": (
        lambda **given: past_labels().hindsight(**given),
        {"dates": lambda: months(72)},
    ),
    "ScenarioHistory.years": (lambda **given: past().years(**given), {"regime": "inflation"}),
    "ScenarioHistory.official_gold": (
        lambda **given: past().official_gold(**given),
        {"regime": "inflation"},
    ),
    "SimulatedWorlds.series": (lambda **given: worlds().series(**given), {"name": "debt"}),
    "SimulatedWorlds.market": (lambda **given: worlds().market(**given), {"path": 1}),
    "SimulatedWorlds.years_error": (
        lambda **given: worlds().years_error(**given),
        {"values": lambda: np.array([0.1, 0.2])},
    ),
}


@cache
def past_labels() -> macro.DebtRegimes:
    return macro.debt_regimes(macro.debt_accounts(al.load_us_debt()))


# Nobody makes these: functions return them.
RESULTS = {
    *("ConditionalTable", "MarkovFit", "RegimeContrast", "ACMFit", "AnchorDiagnostics", "AssetsByDebtRegime"),
    *("AsymmetricBeta", "CaptureRatios", "Comovement", "ConditionalBetas", "DebtContributions", "DebtFan"),
    *("DebtPath", "DebtRegimes", "DriverPath", "DriverShares", "DriverStudy", "EpisodeTable"),
    *("RelationByPeriod", "RisingYields", "SafeHaven", "ScenarioHistory", "SimulatedWorlds", "TermPremium"),
    *("YieldDecomposition", "DebtScenario"),
    *("MacroDraws", "FirstOrderVar"),  # without arguments
}


# Spoilt ones ----------------------------------------------------------------------------------------------


def spoilt(good: Any) -> Iterator[tuple[str, Any]]:
    """Yield what can go wrong with an argument, by name."""
    if isinstance(good, pd.Series | pd.DataFrame):
        yield from spoilt_table(good)
    elif isinstance(good, pd.DatetimeIndex):
        yield from spoilt_dates(good)
    elif isinstance(good, np.ndarray):
        yield from spoilt_array(good)
    elif isinstance(good, bool):
        yield from {"number": 1, "text": "no", "None": None, "nan": np.nan, "list": [True]}.items()
    elif isinstance(good, int | float):
        yield from spoilt_number(good)
    elif isinstance(good, str):
        yield from spoilt_text(good)
    else:
        yield from {"a number": 3, "text": "calm", "list": [3], "object": object(), "True": True}.items()
        if good is not None:
            yield "None", None
    if isinstance(good, tuple):
        yield from {"empty": (), "twice": (*good, *good), "nan": (np.nan,), "texts": ("a", "b")}.items()
    if isinstance(good, dict):
        yield from {"empty": {}, "numbers": {"a": 3}, "bad key": {3: next(iter(good.values()))}}.items()


def spoilt_table(good: Any) -> Iterator[tuple[str, Any]]:
    numeric = not pd.api.types.is_object_dtype(
        good.dtypes if isinstance(good, pd.Series) else good.dtypes.iloc[0]
    )
    numeric = numeric and not isinstance(good.iloc[0], str)
    yield "list", good.to_numpy().tolist()
    yield "None", None
    yield "text", "calm"
    yield "a number", 3
    yield "empty", good.iloc[:0]
    yield "one row", good.iloc[:1]
    yield "reversed", good.iloc[::-1]
    yield "unsorted", good.iloc[[1, 0, *range(2, len(good))]]
    yield "duplicated date", good.iloc[[0, *range(len(good))]]
    yield "with a zone", good.set_axis(good.index.tz_localize("UTC"))
    yield "other calendar", good.set_axis(good.index - pd.Timedelta(days=3))
    yield "no dates", good.reset_index(drop=True)
    yield "text dates", good.set_axis(good.index.strftime("%d/%m/%Y"))
    yield "NaT", good.set_axis(good.index[:-1].append(pd.DatetimeIndex([pd.NaT])))
    yield "time of day", good.set_axis(good.index + pd.Timedelta(hours=16))
    if numeric:
        yield "object", good.astype(str)
        yield "bool", good > 0.0
        yield "complex", good.astype(complex)
        for name, value in {
            "NaN": np.nan,
            "inf": np.inf,
            "-inf": -np.inf,
            "1e300": 1e300,
            "-1e300": -1e300,
        }.items():
            other = good.copy()
            other.iloc[len(good) // 2] = value
            yield f"{name} inside", other
        yield "constant", good * 0.0 + 0.01
        yield "all tiny", good * 0.0 + 1e-300
        yield "tiny scale", good * 1e-300
        yield "huge scale", good * 1e300
        yield "all NaN", good * np.nan
        frozen = good.copy()
        yield "read-only", frozen.set_flags(allows_duplicate_labels=True)
    if isinstance(good, pd.Series):
        yield "script", good.rename(SCRIPT)
        yield "frame", good.to_frame()
        yield "array", good.to_numpy()
    else:
        yield "no columns", good.iloc[:, :0]
        yield "a column twice", good.iloc[:, [0, *range(good.shape[1])]]
        yield "script", good.rename(columns={good.columns[-1]: SCRIPT})


def spoilt_dates(good: pd.DatetimeIndex) -> Iterator[tuple[str, Any]]:
    yield "list", list(good)
    yield "None", None
    yield "empty", good[:0]
    yield "one row", good[:1]
    yield "reversed", good[::-1]
    yield "duplicated", good[[0, *range(len(good))]]
    yield "with a zone", good.tz_localize("UTC")
    yield "numbers", pd.RangeIndex(len(good))
    yield "texts", pd.Index(good.strftime("%Y-%m-%d"))
    yield "NaT", good[:-1].append(pd.DatetimeIndex([pd.NaT]))
    yield "time of day", good + pd.Timedelta(hours=16)


def spoilt_array(good: np.ndarray) -> Iterator[tuple[str, Any]]:
    yield "None", None
    yield "text", "calm"
    yield "empty", good[:0]
    yield "3-D", good[:, np.newaxis, np.newaxis]
    for name, value in {"NaN": np.nan, "inf": np.inf, "1e300": 1e300, "-1e300": -1e300}.items():
        other = good.copy()
        other[0] = value
        yield f"{name} inside", other
    yield "bool", good > 0.0
    yield "object", good.astype(str)
    yield "complex", good.astype(complex)


def spoilt_number(good: float) -> Iterator[tuple[str, Any]]:
    yield from {"text": "calm", "number as text": str(good), "True": True, "list": [good]}.items()
    yield from {
        "nan": np.nan,
        "inf": np.inf,
        "-inf": -np.inf,
        "-1": -1,
        "1e300": 1e300,
        "-1e300": -1e300,
    }.items()
    yield from {"object": object(), "complex": 1j, "None": None, "0": 0, "1e-300": 1e-300}.items()
    if isinstance(good, int):
        yield from {"half": good + 0.5, "10**30": 10**30}.items()
    yield "percent", good * 100


def spoilt_text(good: str) -> Iterator[tuple[str, Any]]:
    yield from {
        "a number": 3,
        "None": None,
        "list": [good],
        "True": True,
        "empty": "",
        "script": SCRIPT,
    }.items()
    yield from {"bytes": good.encode(), "nan": np.nan}.items()


def alike(good: Any) -> Iterator[tuple[str, Any]]:
    """Yield what means the same and must give the same."""
    if isinstance(good, pd.Series | pd.DataFrame):
        if isinstance(good, pd.Series) and good.dtype == float:
            values = good.to_numpy().copy()
            values.flags.writeable = False
            yield "read-only", pd.Series(values, index=good.index, name=good.name)
    elif isinstance(good, np.ndarray):
        frozen = good.copy()
        frozen.flags.writeable = False
        yield "read-only", frozen
    elif isinstance(good, bool) or good is None:
        return
    elif isinstance(good, int):
        yield "numpy", np.int64(good)
    elif isinstance(good, float):
        yield "numpy", np.float64(good)


def made(good: Any) -> Any:
    is_maker = inspect.isfunction(good) or hasattr(good, "cache_info")
    return good() if is_maker else good


def run(door: str, **changed: Any) -> Any:
    function, good = DOORS[door]
    arguments = {key: made(value) for key, value in good.items()} | changed
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UndefinedStatisticWarning)
        found = function(**arguments)
        looked_at(found)
    return found


def looked_at(found: Any) -> str:
    """Return what a person sees, which must not fail either."""
    for lazy in ("labels", "order"):
        getattr(found, lazy, None)
    page = getattr(found, "_repr_html_", lambda: "")() or ""
    assert "<script" not in page
    return repr(found)


# What is taken although it was spoilt, and why: door, argument, what was done to it.
FINE = """
# It means the same, or is what the argument is for.
* | * | read-only, script
* | seed | 0, 10**30, percent
* | n_resamples | percent
* | n_paths | percent
* | n_starts | 0, percent
* | n_years | None, percent
* | model | None
* | history | None
* | market | None                                 # the embedded history
* | regimes | None
* | bootstrap | None
* | block_length | None, percent
* | years | None, percent, list                   # the default, or a list of maturities
* | window_years | None, percent                  # longer than the sample is waited for: unclassified
* | null | None, -1, 0, 1e300, -1e300, 1e-300, percent
* | name | None
* | next_label | None
* | publication_lag | 0, percent
*_beta* | * | frame                               # of one column, as all of statistics take it
capture_ratios | * | frame
henriksson_merton | * | frame
treynor_mazuy | * | frame
safe_haven | * | frame
relation_by_period | * | frame
# Zero and next to nothing are rates, thresholds and ratios like others.
DebtRule | * | -1, 0, 1e-300, percent
Expectation | sign | -1, 0
Expectation | less | text
MarkovModel | *s | 0, percent
MarkovModel | order | 0, percent
debt_* | [dgip]* | list, -1, 0, 1e-300
debt_* | stock_flow | list, 0, 1e-300, percent
*_debt_ratio | [dgip]* | list, -1, 0, 1e-300
*_debt_ratio | stock_flow | list, 0, 1e-300, percent
steady_state_debt | * | list, 0, 1e-300
ar1_average_rate | * | 0, 1e-300
ar1_average_rate | periods | percent
inflation_level | threshold | 0, 1e-300
signal_level | thresholds | list, -1, 0, 1e300, -1e300, 1e-300, percent    # in the unit of the signal
signal_quantile | quantiles | list, 1e-300
relative_volatility | ratio | 1e-300, percent
relative_volatility | years | 1e-300              # no changes in it: unclassified
rolling_drivers | dwell | percent
rolling_drivers | margin | 0, 1e-300, percent
relation_by_period | per | 1e-300, percent
debt_* | cap | percent
debt_path | first_year | -1, 0
decades | first_year | 0
diebold_li_loadings | decay | percent
decompose_yield | maturity | half
markov_regimes | refit_every | percent
SimulatedWorlds.market | path | 0
# Labels and signals may have other dates: what was known is looked up by date.
* | regimes | reversed, unsorted
conditional_performance | cash | reversed, unsorted
given_labels | labels | other calendar
published | values | other calendar, one row, constant, all tiny, tiny scale
fit_markov | series | with a zone, other calendar, time of day
decades | dates | empty, one row
eras | dates | empty, one row
Regimes | labels | empty, one row, reversed, unsorted, duplicated date, other calendar
Regimes | labels | with a zone, time of day
Regimes | order | empty, twice, texts             # what takes labels holds them to its own dates
# There is no other table to contradict the dates, and a level may stand still.
*_acm | zeros | other calendar, one row, constant, all tiny, tiny scale
*_term_premium | zeros | other calendar
zero_curve | par | other calendar, one row, constant, all tiny, tiny scale
debt_* | accounts | other calendar, constant, all tiny, tiny scale
debt_accounts | amounts | other calendar, tiny scale
decompose_yield | total | constant, all tiny, tiny scale
assets_when_yields_rise | yields | tiny scale     # only whether it rises counts
# A series that never changes has NaN and the reason in its table (F154).
conditional_* | [xyrcb]* | constant
assets_* | [roc]* | constant
capture_ratios | asset | constant
relation_by_period | [xy] | constant
SimulatedWorlds.years_error | values | NaN inside # documented: left out
# Less is asked for.
assets_by_debt_regime | changes | None, no columns
assets_by_debt_regime | expectations | empty, twice
assets_by_driver | pairs | empty, twice
assets_when_yields_rise | groups | None, empty
relation_by_period | levels | None
relation_by_period | starts | empty
*episode* | episodes | bad key                    # becomes its text
decompose_yield | parts | bad key
# Parts that cannot be made are left out, and the result says why.
anchor_diagnostics | [gbsn]* | None, twice, empty
anchor_diagnostics | quantiles | empty, twice
anchor_diagnostics | rolling_years | None, 1e-300, percent
anchor_diagnostics | dollar_window_years | 1e-300, percent
anchor_diagnostics | beside | one row, NaN inside, constant, all tiny, tiny scale
anchor_diagnostics | regimes | empty, one row, with a zone, other calendar, time of day
# The message is about the other table: it is the one that lacks the dates, or the name that is looked for.
* | returns | one row, with a zone, other calendar, time of day, no columns, script
assets_by_debt_regime | changes | one row
conditional_statistic | beside | None
anchor_diagnostics | beside | None, empty, with a zone, other calendar, time of day, all NaN, no columns
debt_accounts | amounts | 1e300 inside, constant, all tiny, huge scale    # names the accounts they make
simulate_scenarios | scenario | empty, script     # the name of a regime
ACMModel | factor_months | list
# A SolverError says that the series never changes.
fit_markov | series | constant, all tiny, tiny scale
"""


# The tests ------------------------------------------------------------------------------------------------


def allowed(door: str, argument: str, how: str) -> bool:
    """Whether a line of ``FINE`` covers this."""
    for line in FINE.splitlines():
        if line.count("|") != 2:
            continue
        door_is, argument_is, *done = (part.strip() for part in line.split("#")[0].split("|"))
        here = done and fnmatch.fnmatchcase(door, door_is) and fnmatch.fnmatchcase(argument, argument_is)
        if here and how in [each.strip() for each in done[0].split(",")]:
            return True
    return False


def names(error: AllocatorError, argument: str) -> bool:
    """Whether a message names an argument, as a word of its own."""
    return (
        argument in str(error).replace("[", " ").replace(".", " ").replace(":", " ").replace(",", " ").split()
    )


def outcome(door: str, argument: str, bad: Any) -> str:
    """Return nothing where the argument was refused by its name, else what happened instead."""
    try:
        found = run(door, **{argument: bad})
    except AllocatorError as error:
        return "" if names(error, argument) else f"named another: {error}"
    except Exception as error:
        return f"CRASHED: {error!r}"
    return f"a result: {looked_at(found)[:80]!r}"


CASES = [(door, argument) for door, (_, good) in DOORS.items() for argument in good]


@pytest.mark.parametrize(("door", "argument"), CASES, ids=[".".join(case) for case in CASES])
def test_a_spoilt_argument_is_refused_by_its_name(door, argument):
    good = made(DOORS[door][1][argument])
    done = {how: outcome(door, argument, bad) for how, bad in spoilt(good)}
    odd = {how: said for how, said in done.items() if said and not allowed(door, argument, how)}
    assert not odd
    assert not [how for how, said in done.items() if said.startswith("CRASHED")]  # whatever FINE says


def plain(found: Any) -> str:
    """Return what a person sees, numbers of NumPy written as those of Python."""
    return re.sub(r"np\.(?:int|float)64\(([^)]*)\)", r"\1", looked_at(found))


@pytest.mark.parametrize("door", DOORS)
def test_what_means_the_same_gives_the_same(door):
    expected = plain(run(door))
    for argument, given in DOORS[door][1].items():
        for how, same in alike(made(given)):
            assert plain(run(door, **{argument: same})) == expected, (argument, how)


def test_every_public_function_is_a_door():
    public = {*regimes.__all__, *macro.__all__} - {"US_ERAS", "ARTICLE_EXPECTATIONS"}
    assert public == {door for door in DOORS if "." not in door} | RESULTS
    for door, (function, good) in DOORS.items():
        if "." not in door:
            parameters = inspect.signature(function).parameters
            assert set(parameters) == set(good), door

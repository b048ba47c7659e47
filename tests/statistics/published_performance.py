"""Answers to the C cases: performance, drawdown and tail beside PerformanceAnalytics and empyrical."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from published_cases import Answer, Ledger, document, monthly, paths, silently, table, undefined

import allocator as al


@cache
def panel(name: str) -> pd.DataFrame:
    return monthly(f"C_{name}_input.csv")


def performance_analytics() -> Iterator[Answer]:
    """PerformanceAnalytics c079aea on 23 monthly series, 30 statistics each, 15 digits."""
    for row, line in enumerate(table("C_performanceanalytics_expected.csv").itertuples()):
        returns = panel(line.dataset)[line.series].dropna()
        ours, convention = _beside_r(line.stat, line.value, returns)
        yield Answer(f"{row}/value", line.value, ours, convention)


def _beside_r(stat: str, theirs: float, returns: pd.Series) -> tuple[Any, str]:
    if np.isinf(theirs):
        return _no_divisor(stat, returns), "nothing to divide by"
    if np.isnan(theirs):  # the bill: R gives no value at risk that is a gain
        return bool(np.isfinite(AS_R_HAS_IT[stat][0](returns))), "a tail that is a gain"
    statistic, convention = AS_R_HAS_IT[stat]
    return statistic(returns), convention


def _no_divisor(stat: str, returns: pd.Series) -> bool:
    if stat == "calmar":
        return undefined("no drawdown", al.calmar_ratio, returns)
    if stat == "burke_rf0":
        return al.drawdowns(returns).empty
    name = {"martin_ratio_rf0": "martin_ratio", "sortino_mar0": "sortino_ratio", "omega_0": "omega_ratio"}
    return undefined("no drawdown|no period lost", getattr(al, name[stat]), returns, 0.0)


def per_period(ratio: Any, returns: pd.Series, cash: Any = 0.0) -> float:
    return float(ratio(returns, cash) / np.sqrt(12))


def added_drawdown(returns: pd.Series) -> float:
    """Of a wealth of 1 to which returns are added, not compounded."""
    wealth = np.cumsum(np.r_[1.0, returns])
    return float(-np.min(wealth / np.maximum.accumulate(wealth) - 1.0))


def burke_of_r(returns: pd.Series) -> float:
    """CAGR over the root of the summed squares of runs of losing months, their returns taken for percent."""
    x = returns.to_numpy()
    runs = np.split(x[1:], np.flatnonzero(np.diff(x[1:] < 0)) + 1)
    lost = [100.0 * (np.prod(1.0 + run / 100.0) - 1.0) for run in runs if len(run) and run[0] < 0]
    return float(al.cagr(returns) / np.sqrt(np.sum(np.square(lost))))


def episodes_of_r(returns: pd.Series) -> np.ndarray:
    """Depths of the drawdowns, and a 0 for every stretch at a high between them."""
    at_high = al.drawdown_path(returns).to_numpy() == 0.0
    stretches = int(at_high[0]) + int(np.sum(at_high[1:] & ~at_high[:-1]))
    return np.concatenate([al.drawdowns(returns)["depth"], np.zeros(stretches)])


def mean_beyond(values: np.ndarray, cut: float) -> float:
    return float(-values[values <= cut].mean())


def discrete_cdd(returns: pd.Series) -> float:
    depths = episodes_of_r(returns)
    return mean_beyond(depths, np.quantile(depths, 0.05))


def average_cdd(returns: pd.Series) -> float:
    path = al.drawdown_path(returns).to_numpy()
    return mean_beyond(path, np.quantile(path, 0.05, method="median_unbiased"))


def whole_periods_shortfall(returns: pd.Series) -> float:
    return float(returns[returns <= -al.value_at_risk(returns)].mean())


def rescaled_range(returns: pd.Series) -> float:
    wandering = np.cumsum(returns - returns.mean())
    return float(np.log((wandering.max() - wandering.min()) / returns.std()) / np.log(len(returns)))


def month_of_4_percent(returns: pd.Series) -> np.ndarray:
    return np.full(len(returns), 0.04 / 12)


AS_R_HAS_IT: dict[str, tuple[Any, str]] = {
    "n": (lambda r: al.performance_summary(r, 0.0)["n"].iloc[0] if (r < 0).any() else len(r), ""),
    "ann_return_geometric": (al.cagr, ""),
    "ann_return_arithmetic": (lambda r: al.sharpe_ratio(r, 0.0) * al.volatility(r), "arithmetic return"),
    "ann_stdev": (al.volatility, ""),
    "ann_sharpe_arithmetic_rf0": (lambda r: al.sharpe_ratio(r, 0.0), ""),
    "monthly_sharpe_stddev_rf0": (lambda r: per_period(al.sharpe_ratio, r), "of one period"),
    "monthly_sharpe_stddev_rf_0.04_12": (
        lambda r: per_period(al.sharpe_ratio, r, month_of_4_percent(r)),
        "of one period",
    ),
    "max_drawdown": (lambda r: -al.max_drawdown(r), "sign of a loss"),
    "max_drawdown_arithmetic": (added_drawdown, "uncompounded drawdown"),
    "calmar": (al.calmar_ratio, ""),
    "sterling_0.1": (al.sterling_ratio, ""),
    "burke_rf0": (burke_of_r, "Burke ratio"),
    "ulcer_index": (al.ulcer_index, ""),
    "pain_index": (al.pain_index, ""),
    "martin_ratio_rf0": (lambda r: al.martin_ratio(r, 0.0), ""),
    "average_drawdown": (lambda r: -al.average_drawdown(r), "sign of a loss"),
    "cdd_quantile_95": (lambda r: -np.quantile(episodes_of_r(r), 0.05), "conditional drawdown"),
    "cdd_discrete_95": (discrete_cdd, "conditional drawdown"),
    "cdd_average_95": (average_cdd, "conditional drawdown"),
    "sortino_mar0": (lambda r: per_period(al.sortino_ratio, r), "of one period"),
    "downside_deviation_mar0_full": (lambda r: per_period(al.downside_deviation, r), "of one period"),
    "skew_moment": (al.skewness, ""),
    "excess_kurtosis_moment": (al.kurtosis, ""),
    "var_hist_95": (lambda r: -al.value_at_risk(r), "sign of a loss"),
    "es_hist_95": (whole_periods_shortfall, "expected shortfall"),
    "var_gauss_95": (lambda r: -al.normal_value_at_risk(r), "sign of a loss"),
    "var_modified_95": (lambda r: -silently(al.modified_value_at_risk, r), "sign of a loss"),
    "es_modified_95": (lambda r: -silently(al.modified_expected_shortfall, r), "sign of a loss"),
    "omega_0": (lambda r: al.omega_ratio(r, 0.0), ""),
    "hurst": (rescaled_range, "Hurst exponent"),
}


def snapshot_tables() -> Iterator[Answer]:
    """table.AnnualizedReturns and capture of PerformanceAnalytics' own snapshots, four decimals."""
    known, managers = document("C_performanceanalytics_snapshot_tables.json"), panel("managers")
    statistics: dict[str, tuple[Any, str]] = {
        "ann_return": (al.cagr, ""),
        "ann_sd": (al.volatility, ""),
        "ann_sharpe_geometric": (lambda r: al.cagr(r) / al.volatility(r), "geometric Sharpe ratio"),
        "max_drawdown": (lambda r: -al.max_drawdown(r), "sign of a loss"),
    }
    for stat, (ours, convention) in statistics.items():
        for name, theirs in known[stat].items():
            yield Answer(f"{stat}/{name}", theirs, ours(managers[name].dropna()), convention, abs=5.1e-5)
    for side, by_name in known["capture_vs_EDHEC_LS_EQ"].items():
        for name, theirs in by_name.items():
            pair = managers[[name, "EDHEC LS EQ"]].dropna()
            ours = al.capture_ratios(pair.iloc[:, 0], pair.iloc[:, 1], n_resamples=99).table
            leaf = f"capture_vs_EDHEC_LS_EQ/{side}/{name}"
            yield Answer(leaf, theirs, ours.loc[side, "cumulative"], abs=5.1e-5)


def drawdown_tables() -> Iterator[Answer]:
    """table.Drawdowns of PerformanceAnalytics: five of each of five series."""
    for row, line in enumerate(table("C_table_drawdowns_expected.csv").itertuples()):
        returns = panel(line.dataset)[line.series].dropna()
        start = returns.index[0] - pd.offsets.MonthEnd()
        ours = al.drawdowns(returns, start=start).iloc[line.rank - 1]
        is_open = not ours["recovered"]
        first = ours["peak"] + pd.offsets.MonthEnd()
        yield Answer(f"{row}/From", day(line.From), day(first), "first month below")
        yield Answer(f"{row}/Trough", day(line.Trough), day(ours["trough"]))
        yield Answer(f"{row}/To", day(line.To), day(ours["recovery"]))
        yield Answer(f"{row}/Depth", line.Depth, ours["depth"])
        length = ours["length"] + is_open
        yield Answer(f"{row}/Length", line.Length, length, "length while open" if is_open else "")
        yield Answer(f"{row}/To Trough", line[9], ours["to_trough"])
        yield Answer(f"{row}/Recovery", line.Recovery, float("nan") if is_open else ours["to_recovery"])


def day(date: Any) -> float:
    return float("nan") if pd.isna(date) else float(pd.Timestamp(date).toordinal())


def fixtures() -> Iterator[Answer]:
    """The series of empyrical-reloaded's tests again, 252 periods a year."""
    known = document("C_empyrical_fixtures.json")
    raw = {name: np.array(values, dtype=float) for name, values in known["series"].items()}
    series = {name: values[~np.isnan(values)] for name, values in raw.items()}
    mixed, beside = series["mixed"], series["benchmark"][1:]
    filled = np.nan_to_num(raw["mixed"])
    gap, target = "missing first return", "target of one period"
    ours: dict[str, tuple[Any, str]] = {
        "max_drawdown/mixed": (al.max_drawdown(mixed), gap),
        "max_drawdown/negative": (al.max_drawdown(series["negative"]), ""),
        "max_drawdown/positive": (al.max_drawdown(series["positive"]), ""),
        "annual_return/mixed": (al.cagr(filled, 252), gap),
        "annual_volatility/mixed": (al.volatility(mixed, 252), gap),
        "sharpe/mixed_rf0": (al.sharpe_ratio(mixed, 0.0, 252), gap),
        "sharpe/positive_rf0": (al.sharpe_ratio(series["positive"], 0.0, 252), ""),
        "sharpe/negative_rf0": (al.sharpe_ratio(series["negative"], 0.0, 252), ""),
        "sharpe/mixed_rf_benchmark": (al.sharpe_ratio(mixed - beside, 0.0, 252), target),
        "calmar/mixed": (al.calmar_ratio(filled, 252), gap),
        "sortino/mixed": (al.sortino_ratio(mixed, 0.0, 252), gap),
        "sortino/negative": (al.sortino_ratio(series["negative"], 0.0, 252), ""),
        "sortino/positive": (
            undefined("no period lost", al.sortino_ratio, series["positive"], 0.0, 252),
            "nothing to divide by",
        ),
        "downside_risk/mixed_mar0": (al.downside_deviation(mixed, 0.0, 252), gap),
        "downside_risk/mixed_mar0p1": (al.downside_deviation(mixed - 0.1, 0.0, 252), target),
        "stability/mixed": (summary_of(mixed)["Stability"], "stability"),
        "tail_ratio/mixed": (al.tail_ratio(mixed), "tail ratio"),
        "omega/mixed_rf0_req10": (al.omega_ratio(mixed - (11.0 ** (1 / 252) - 1), 0.0, 252), target),
    }
    for leaf, theirs in paths_of(known["expected_daily252"]):
        value, convention = ours[leaf]
        coarse = 0.15 if convention == "tail ratio" else 1e-12  # what its own test allows
        yield Answer(f"expected_daily252/{leaf}", theirs, value, convention, abs=coarse)
    yield Answer("all_negative_mdd", known["all_negative_mdd"], al.max_drawdown(series["all_negative"]))


def summary_of(returns: np.ndarray) -> pd.Series:
    return silently(al.empyrical_summary, returns, 0.0, 252).iloc[:, 0]


def paths_of(nested: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    for stat, by_name in nested.items():
        for name, theirs in by_name.items():
            yield from paths(theirs, f"{stat}/{name}")


LEDGERS = [
    Ledger(
        "C_performanceanalytics_expected.csv",
        ("*/dataset", "*/series", "*/stat", "*/r_call"),
        performance_analytics,
    ),
    Ledger("C_performanceanalytics_snapshot_tables.json", ("source", "trap"), snapshot_tables),
    Ledger("C_table_drawdowns_expected.csv", ("*/dataset", "*/series", "*/rank"), drawdown_tables),
    Ledger("C_empyrical_fixtures.json", ("source", "series/*"), fixtures),
]

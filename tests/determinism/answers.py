"""One answer of every kind, and a digest of its bytes: ``python tests/determinism/answers.py [NAME ...]``.

Prints JSON: ``bytes`` holds a digest of each answer of the engine, the statistics and the writers, which no
thread, hash seed, locale, time zone or current directory may change; ``numbers`` holds what solvers and risk
parity answer, which may differ by 1e-12. The program that asks adopts the locale of its environment, as
programs with windows do.
"""

from __future__ import annotations

import concurrent.futures as cf
import dataclasses
import hashlib
import json
import locale
import multiprocessing
import struct
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import allocator as al
import strategies as st

Answer = Callable[[Path], Any]
BYTES: dict[str, Answer] = {}
NUMBERS: dict[str, Answer] = {}
_DRAWS = 99


def same_bytes(answer: Answer) -> Answer:
    """Register an answer that is the same to the byte everywhere."""
    BYTES[answer.__name__] = answer
    return answer


def same_numbers(answer: Answer) -> Answer:
    """Register an answer whose numbers are the same to 1e-12 everywhere."""
    NUMBERS[answer.__name__] = answer
    return answer


# What the answers are of.


@cache
def daily(n_rows: int = 700, n_assets: int = 4) -> al.Market:
    """Prices of a few years, an asset listed late and one delisted, with a signal."""
    rng = np.random.default_rng(n_rows + n_assets)
    dates = pd.bdate_range("2010-01-01", periods=n_rows)
    steps = rng.normal(2e-4, 0.01, (n_rows, n_assets)) + rng.normal(0.0, 0.005, (n_rows, 1))
    prices = pd.DataFrame(100.0 * np.exp(steps.cumsum(axis=0)), dates, [f"A{k}" for k in range(n_assets)])
    return al.Market(prices, pd.Series(rng.normal(4e-5, 1e-5, n_rows), dates))


@cache
def wounded() -> al.Market:
    """The same with a late listing and a delisting."""
    prices = daily().prices
    prices.iloc[:90, 2] = np.nan
    prices.iloc[400:, 3] = np.nan
    return al.Market(prices, 0.02, delisted={"A3": 0.4})


@cache
def monthly() -> al.Market:
    """Thirty years of months of three assets."""
    rng = np.random.default_rng(5)
    dates = pd.date_range("1990-01-31", periods=360, freq="ME")
    risk = np.where(np.arange(360)[:, None] // 60 % 2, 2.0, 1.0) * [0.04, 0.015, 0.045]
    steps = 0.004 + rng.normal(0.0, 1.0, (360, 3)) * risk
    prices = pd.DataFrame(np.exp(steps.cumsum(axis=0)), dates, ["stocks", "bonds", "gold"])
    known = pd.Series(rng.normal(0.025, 0.01, 360), dates)
    return al.Market(prices, 0.02, {"inflation": al.published(known, 1)})


@cache
def returns(n_rows: int = 360) -> pd.DataFrame:
    """Returns of three series; 12,000 rows are beyond where a BLAS splits a sum among threads."""
    if n_rows == 360:
        return monthly().prices.pct_change().iloc[1:]
    return daily(n_rows, 3).prices.pct_change().iloc[1:].set_axis(["stocks", "bonds", "gold"], axis=1)


@cache
def wide_returns(n_assets: int, n_rows: int = 700) -> pd.DataFrame:
    return daily(n_rows, n_assets).prices.pct_change().iloc[1:]


MIX = {"A0": 0.5, "A1": 0.3, "A2": 0.2}


def record(strategy: al.Strategy, market: al.Market, **options: Any) -> Any:
    done = al.run_backtest(strategy, market, **options)
    return done.returns, done.weights, done.itemised, str(done)


# The engine.

RULES: dict[str, al.Rebalancing] = {
    "daily": al.Daily(),
    "weekly": al.Weekly(),
    "monthly": al.Monthly(),
    "quarterly": al.Quarterly(),
    "every_n_rows": al.EveryNRows(17),
    "on_dates": al.OnDates(["2010-06-30", "2011-02-01"]),
    "buy_and_hold": al.BuyAndHold(),
    "band": al.Band(0.02),
    "band_relative_edge": al.Band({"A0": 0.1, "A1": 0.2, "A2": 0.1, "A3": 0.1}, relative=True, to="edge"),
    "leverage_above": al.LeverageAbove(1.4) | al.Quarterly(),
}


def _rule(name: str, rule: al.Rebalancing) -> None:
    def answer(_: Path) -> Any:
        mix = al.FixedMix({asset: 1.3 * weight for asset, weight in MIX.items()})
        return record(mix, daily(), rebalancing=rule, max_leverage=3.0)

    BYTES[f"engine_{name}"] = answer


for _name, _chosen in RULES.items():
    _rule(_name, _chosen)


@same_bytes
def engine_all_costs(_: Path) -> Any:
    costs = al.Costs(
        {"A0": 0.001, "A1": 0.0, "A2": 0.002, "A3": 0.0},
        selling=0.003,
        bid_ask=0.001,
        fixed=1e-4,
        management_fee=0.01,
    )
    mix = al.FixedMix({"A0": 1.2, "A1": -0.3})
    return record(mix, daily(), costs=costs, allow_short=True, max_leverage=3.0)


@same_bytes
def engine_listing_and_delisting(_: Path) -> Any:
    mix = al.FixedMix(dict.fromkeys(("A0", "A1", "A2", "A3"), 0.25))
    return record(mix, wounded(), unlisted="cash", rebalancing=al.Monthly() | al.Band(0.03))


@same_bytes
def engine_flows(_: Path) -> Any:
    dates = daily().index
    flows = pd.Series([0.5, -0.2, 0.1], dates[[50, 222, 500]])
    done = al.run_backtest(al.FixedMix(MIX), daily(), flows=flows, costs=al.Costs(fixed=0.001))
    return done.returns, done.itemised, str(done)


@same_bytes
def engine_many_assets(_: Path) -> Any:
    market = daily(700, 200)
    mix = al.FixedMix(dict.fromkeys(market.assets, 1 / 200))
    return al.run_backtest(mix, market).returns, al.run_backtest(
        mix, market, rebalancing=al.Band(0.002)
    ).value


@same_bytes
def engine_us_history(_: Path) -> Any:
    return [record(strategy, al.load_us_history()) for strategy in (st.SixtyForty(), st.GoldDiversified())]


@dataclasses.dataclass(frozen=True)
class Leaky(al.Strategy):
    """Knows a price of the future."""

    prices: pd.DataFrame
    name: str = "leaky"

    def weights(self, past: al.Market) -> dict[str, float]:
        row = min(len(past.index) + 1, len(self.prices) - 1)
        return {"A0": 1.0} if self.prices.iloc[row, 0] > 100.0 else {"A1": 1.0}


@same_bytes
def audit(_: Path) -> Any:
    market = daily(200)
    done = al.audit_causality(Leaky(market.prices), market, rebalancing=al.Monthly())
    return str(done), done.findings, done.altered


@same_bytes
def simulated_market(_: Path) -> Any:
    market = al.simulate_market(7, 5)
    return market.prices, market.cash, str(market)


# Sweeps, by whoever runs them.


def swept(executor: cf.Executor | None = None, file: Path | None = None) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    weights = pd.DataFrame(rng.dirichlet(np.ones(4), 300), columns=list(daily().assets))
    rules = [al.Monthly(), al.Band(0.03), al.BuyAndHold()]
    return al.sweep(
        weights, daily(), rebalancing=rules, block=64, executor=executor, file=file, progress=False
    )


@same_bytes
def sweep(folder: Path) -> Any:
    return swept(file=folder / "sweep.jsonl"), (folder / "sweep.jsonl").read_bytes()


@same_bytes
def sweep_of_many_assets(_: Path) -> Any:
    market = daily(700, 200)
    weights = np.random.default_rng(3).dirichlet(np.ones(200), 40)
    return al.sweep(pd.DataFrame(weights, columns=list(market.assets)), market, progress=False)


def within_one_run() -> dict[str, list[str]]:
    """Return digests of a sweep and of records and bootstraps: in a row, by threads, forked and spawned."""
    kinds = {name: multiprocessing.get_context(name) for name in multiprocessing.get_all_start_methods()}
    found = {"in a row": [digest(swept()), digest([_one_bootstrap(seed) for seed in range(4)])]}
    for name in sorted(kinds.keys() & {"fork", "spawn"}):  # forks first: threads do not survive them
        with cf.ProcessPoolExecutor(2, mp_context=kinds[name]) as pool:
            found[name] = _by(pool)
    with cf.ThreadPoolExecutor(3) as pool:
        found["threads"] = _by(pool)
    return found


def _by(pool: cf.Executor) -> list[str]:
    return [digest(swept(pool)), digest(list(pool.map(_one_bootstrap, range(4))))]


def _one_bootstrap(seed: int) -> Any:
    mix, table = al.FixedMix(MIX), returns()
    done = al.run_backtest(mix, daily(), rebalancing=al.EveryNRows(5 + seed))
    return done.returns, al.bootstrap_correlation(
        table["stocks"], table["bonds"], n_resamples=_DRAWS, seed=seed
    )


# Statistics.


def _both_lengths(name: str, statistic: Callable[[pd.DataFrame], Any]) -> None:
    """Register a statistic of 30 years of months and of 46 years of days, which threads would split."""
    BYTES[f"{name}_months"] = lambda _: statistic(returns())
    BYTES[f"{name}_days"] = lambda _: statistic(returns(12_000))


PLAIN: dict[str, Callable[[pd.DataFrame], Any]] = {
    "performance": lambda r: (al.performance_summary(r, 0.0), al.empyrical_summary(r, 0.0)),
    "moments": lambda r: (al.volatility(r), al.skewness(r), al.kurtosis(r), al.downside_deviation(r, 0.0)),
    "drawdown": lambda r: (al.drawdowns(r["stocks"]), al.ulcer_index(r), al.conditional_drawdown_at_risk(r)),
    "tail": lambda r: (al.expected_shortfall(r), al.modified_value_at_risk(r), al.omega_ratio(r, 0.0)),
    "relative": lambda r: (
        al.beta(r[["stocks"]], r["bonds"], 0.0),
        al.information_ratio(r[["stocks"]], r["bonds"]),
        al.jensen_alpha(r[["stocks"]], r["bonds"], 0.0),
    ),
    "regression": lambda r: [
        al.least_squares(r["stocks"], r[["bonds", "gold"]], errors)
        for errors in (al.WideHACErrors(), al.HC3Errors(), al.HACErrors())
    ],
    "asymmetry": lambda r: (
        al.asymmetric_beta(r["gold"], r["stocks"]),
        al.treynor_mazuy(r["gold"], r["stocks"]),
        al.safe_haven(r["gold"], r["stocks"], (0.1, 0.05)),
    ),
    "covariance": lambda r: (
        al.sample_covariance(r),
        al.exponential_covariance(r, 60.0, 120.0),
        al.ledoit_wolf_covariance(r),
        al.ledoit_wolf_identity_covariance(r),
    ),
    "block_length": lambda r: (al.optimal_block_length(r["stocks"]), al.joint_block_length(r)),
    "autocorrelated_sharpe": lambda r: al.autocorrelated_sharpe(r["stocks"], 0.0),
    "sharpe_hac": lambda r: (
        al.sharpe_standard_error(r, 0.0),
        al.sharpe_difference(r["stocks"], r["bonds"], 0.0, al.HAC()),
        al.probabilistic_sharpe_ratio(r["stocks"], 0.0, 0.0, al.HAC()),
    ),
    "sharpe_bootstrap": lambda r: al.sharpe_difference(
        r["stocks"], r["bonds"], 0.0, al.StudentizedBootstrap(n_resamples=_DRAWS, seed=3)
    ),
    "correlation": lambda r: (
        al.correlation_interval(r["stocks"], r["bonds"], n_resamples=_DRAWS, seed=1),
        al.adjusted_correlation(r["stocks"], r["bonds"], r["stocks"].abs() > r["stocks"].std()),
        al.constant_correlation_test(r["stocks"], r["bonds"], al.ConstancyBootstrap(n_resamples=_DRAWS)),
    ),
    "drawdown_bootstrap": lambda r: al.bootstrap_drawdown(r["stocks"], n_resamples=_DRAWS, seed=4),
    "resampled": lambda r: [
        al.resampled_moments(r, bootstrap, _DRAWS, np.random.default_rng(1))
        for bootstrap in (al.StationaryBootstrap(6.0), al.CircularBlockBootstrap(5))
    ],
}
for _name, _statistic in PLAIN.items():
    _both_lengths(_name, _statistic)


@same_bytes
def family_tests(_: Path) -> Any:
    bootstrap = al.StudentizedBootstrap(n_resamples=_DRAWS, seed=1)
    table = returns()
    return (
        al.sharpe_family_test(table[["bonds", "gold"]], table["stocks"], 0.0, bootstrap),
        al.mean_family_test(table[["bonds", "gold"]], table["stocks"], bootstrap),
        al.holm(pd.Series({"a": 0.01, "b": 0.2, "c": 0.04})),
    )


@same_bytes
def block_calibration(_: Path) -> Any:
    table = returns()
    return al.calibrated_block_length(
        table["stocks"], table["bonds"], 0.0, (1, 4), n_worlds=30, n_resamples=49
    )


@same_bytes
def breaks(_: Path) -> Any:
    table, errors = returns(), al.WildSieveBootstrap(_DRAWS, seed=2)
    return (
        al.break_test(table["stocks"], table[["bonds", "gold"]]),
        al.break_test(table["stocks"], table[["bonds", "gold"]], None),
        al.break_test(table["stocks"], table[["bonds"]], errors),
        al.find_breaks(table["stocks"], table[["bonds"]], errors, most=2),
    )


@same_bytes
def rolling(_: Path) -> Any:
    table = returns()
    return (
        al.rolling_correlation(table["stocks"], table["bonds"], 5.0),
        al.exponential_correlation(table["stocks"], table["bonds"], 3.0),
        al.correlation_by_frequency(*_two_daily(), n_resamples=_DRAWS),
    )


def _two_daily() -> tuple[pd.Series[float], pd.Series[float]]:
    table = returns(12_000)
    return table["stocks"], table["bonds"]


@same_bytes
def events(_: Path) -> Any:
    table = wide_returns(4)
    return al.event_study(table["A0"], table.index[[200, 300, 420]], n_resamples=_DRAWS, after=20)


@same_bytes
def covariance_of_many_assets(_: Path) -> Any:
    table = wide_returns(200)
    return (
        al.sample_covariance(table),
        al.exponential_covariance(table, 60.0, 120.0),
        al.ledoit_wolf_covariance(table),
        al.ledoit_wolf_identity_covariance(table),
    )


@same_bytes
def rolling_covariance_of_many_assets(_: Path) -> Any:
    table = wide_returns(120, 401)
    dates = table.index[[260, 300, 399]]
    return (
        al.rolling_covariance(table, 250, dates),
        al.rolling_exponential_covariance(table, 60.0, 120.0, dates),
        al.rolling_shrunk_covariance(table, 250, dates),
    )


@same_bytes
def money_weighted(_: Path) -> Any:
    dates = pd.date_range("2000-12-31", periods=12, freq="YE")
    value = pd.Series(np.linspace(0.0, 14.0, 12), dates)
    return al.money_weighted_return(pd.Series([1.0] * 11 + [0.0], dates), value)


# Regimes, debt, yields, scenarios.


@same_bytes
def regimes(_: Path) -> Any:
    market = monthly()
    labels = [
        al.correlation_sign(market, window_years=3.0),
        al.price_trend(market, years=1.0),
        al.inflation_level(market, 0.025),
        al.eras(market.index),
        al.signal_quantile(market, "inflation"),
    ]
    table = market.prices.pct_change().iloc[1:]
    cash = pd.Series(0.001, table.index)
    return (
        labels,
        al.conditional_correlation(table["stocks"], table["bonds"], labels[2], n_resamples=_DRAWS),
        al.conditional_performance(table, cash, labels[2], 12, n_resamples=_DRAWS),
    )


@same_bytes
def debt(_: Path) -> Any:
    accounts = al.debt_accounts(al.load_us_debt())
    fans = [
        al.debt_fan(accounts, 6, n_paths=2000, seed=1, draws=draws)
        for draws in (al.FirstOrderVar(), al.HistoryBlocks())
    ]
    return accounts, al.debt_contributions(accounts), al.debt_regimes(accounts), fans


@same_bytes
def scenarios(_: Path) -> Any:
    found = [
        al.simulate_scenarios("growth", 50, 5, draws=draws, seed=3)
        for draws in (al.HistoryBlocks(2), al.FirstOrderVar())
    ]
    return found, str(al.run_scenarios([st.SixtyForty()], found[0]))


@same_bytes
def yields(_: Path) -> Any:
    changes = np.random.default_rng(9).normal(0.0, 1e-3, (150, 3))
    index = pd.date_range("2000-01-31", periods=151, freq="ME")
    levels = 0.01 + np.vstack([np.zeros(3), changes.cumsum(axis=0)])
    parts = pd.DataFrame(levels, index, ["real", "inflation", "term premium"])
    split = al.decompose_yield(parts.sum(axis=1), parts, 10, ex_post=False)
    path = al.rolling_drivers(split, 3.0, n_resamples=_DRAWS)
    return al.driver_shares(split, n_resamples=_DRAWS), path, al.driver_regimes(path)


@same_bytes
def term_premium(_: Path) -> Any:
    rng, months = np.random.default_rng(11), np.arange(1, 25)
    level, slope = 0.04 + rng.normal(0.0, 2e-3, 120).cumsum(), 0.01 + rng.normal(0.0, 1e-3, 120).cumsum()
    curve = level[:, None] - slope[:, None] * np.exp(-months / 12.0) + rng.normal(0.0, 1e-4, (120, 24))
    zeros = pd.DataFrame(curve, pd.date_range("1990-01-31", periods=120, freq="ME"), months)
    model = al.ACMModel(n_factors=2, factor_months=(3, 12, 24), return_months=(6, 12, 24))
    return al.estimate_term_premium(zeros, (1, 2), model)


# Reports, and files.


@cache
def study() -> tuple[al.Comparison, al.RegimeStudy]:
    comparison = al.compare([st.SixtyForty(), st.GoldDiversified(global_assets=())], monthly(), start="1995")
    return comparison, al.study_regimes(comparison, "stocks", "bonds")


@same_bytes
def comparison(_: Path) -> Any:
    table = study()[0].table
    texts = [al.to_csv(table), al.to_latex(table, "A title"), al.to_markdown(table)]
    return str(study()[0]), study()[0]._repr_html_(), texts, str(study()[1])


@same_bytes
def sharpe_table(_: Path) -> Any:
    found = al.compare_sharpe(study()[0], bootstrap=al.StudentizedBootstrap(n_resamples=_DRAWS))
    return found.table, str(found), str(al.attribute_performance(study()[0].backtests[0]))


@same_bytes
def report_files(folder: Path) -> Any:
    al.write_report(*study(), folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@same_bytes
def tear_sheet_page(folder: Path) -> Any:
    al.tear_sheet(study()[0], folder / "sheet.html")
    return (folder / "sheet.html").read_bytes()


@same_bytes
def tear_sheet_pdf(folder: Path) -> Any:
    al.tear_sheet(study()[0], folder / "sheet.pdf")
    return (folder / "sheet.pdf").read_bytes()


@same_bytes
def picture(folder: Path) -> Any:
    figure = al.plot_growth(al.run_backtest(al.FixedMix(MIX), daily())).figure
    figure.savefig(folder / "growth.png", dpi=50)
    return (folder / "growth.png").read_bytes()


@same_bytes
def baseline_file(folder: Path) -> Any:
    done = al.run_backtest(al.FixedMix(MIX), daily())
    return al.write_baseline(done, folder / "baseline.json").read_bytes()


STUDY = """
title = "A small study"
seed = 7
figures = ["growth"]
[data]
history = "us_history"
[window]
start = "1980"
[[strategies]]
class = "SixtyForty"
[[strategies]]
class = "RiskParity"
assets = ["stocks", "bonds"]
[[tests]]
kind = "sharpe_differences"
n_resamples = 99
"""


@same_bytes
def paper(folder: Path) -> Any:
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    al.reproduce(folder / "study.toml", folder / "out")
    return {path.name: path.read_bytes() for path in sorted((folder / "out").rglob("*")) if path.is_file()}


# What is the same to 1e-12 only: solvers, and what is iterated.


@same_numbers
def risk_parity(_: Path) -> Any:
    return [st.equal_risk_contribution(al.sample_covariance(wide_returns(n))) for n in (5, 100, 200)]


@same_numbers
def risk_parity_run(_: Path) -> Any:
    assets = ("stocks", "bonds", "gold")
    return al.run_backtest(st.RiskParity(assets, window_years=3.0), monthly()).returns


@same_numbers
def solved(_: Path) -> Any:
    assets = ("stocks", "bonds", "gold")
    limits = (st.Bounds(0.05, 0.6),)
    chosen = [
        st.MinimumVariance(assets, 3.0, constraints=limits),
        st.MaximumDiversification(assets, 3.0, constraints=limits),
        st.MeanVariance(assets, window_years=3.0, constraints=limits),
    ]
    return [al.run_backtest(one, monthly(), rebalancing=al.Yearly()).weights for one in chosen]


@same_numbers
def budgets(_: Path) -> Any:
    covariance = al.sample_covariance(wide_returns(20))
    return [
        st.risk_budget_within(covariance, constraints=(st.Bounds(0.0, 0.06),)).weights,
        st.constrained_risk_budget(covariance, constraints=(st.Bounds(0.0, 0.06),)).weights,
    ]


@same_numbers
def markov(_: Path) -> Any:
    fit = al.fit_markov(returns()["stocks"], n_starts=2, seed=1)
    return [fit.means, fit.variances, fit.transition, fit.smoothed]


# Bytes of anything.


def digest(answer: Any) -> str:
    """Return the digest of all bytes of an answer, in the order in which it holds them."""
    made = hashlib.sha256()
    _feed(made.update, answer)
    return made.hexdigest()[:16]


def _feed(add: Callable[[bytes], object], answer: Any) -> None:
    if isinstance(answer, bytes):
        add(answer)
    elif isinstance(answer, np.ndarray) and answer.dtype != object:
        add(f"{answer.dtype}{answer.shape}".encode() + np.ascontiguousarray(answer).tobytes())
    elif isinstance(answer, float):
        add(struct.pack("<d", answer))
    elif isinstance(answer, pd.DataFrame | pd.Series | pd.Index):
        _feed(add, _of_pandas(answer))
    elif isinstance(answer, al.Market):
        _feed(add, [answer.prices, answer.cash, str(answer)])
    elif dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        _feed(add, [answer.__class__.__name__, str(answer)])
        _feed(add, {field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)})
    elif isinstance(answer, Mapping):
        _feed(add, [part for pair in answer.items() for part in pair])
    elif isinstance(answer, Sequence | np.ndarray) and not isinstance(answer, str):
        add(str(len(answer)).encode())
        for part in answer:
            _feed(add, part)
    else:
        add(str(answer).encode())


def _of_pandas(table: Any) -> list[Any]:
    if isinstance(table, pd.Index):
        return [table.asi8] if isinstance(table, pd.DatetimeIndex) else table.tolist()
    if isinstance(table, pd.Series):
        cells = table.to_numpy()
        return [str(table.name), table.index, cells.tolist() if cells.dtype.kind not in "fi" else cells]
    if all(kind == np.float64 for kind in table.dtypes):
        return [table.index, table.columns, table.to_numpy()]
    return [table.columns, *(table.iloc[:, k] for k in range(table.shape[1]))]


def flat(answer: Any) -> list[float]:
    """Return all numbers of an answer."""
    if isinstance(answer, list):
        return [number for part in answer for number in flat(part)]
    return [float(number) for number in np.asarray(answer, dtype=float).ravel()]


def answers(names: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the digests and the numbers, of all or of those named."""
    found: dict[str, dict[str, Any]] = {"bytes": {}, "numbers": {}}
    for kind, registered, made in (("bytes", BYTES, digest), ("numbers", NUMBERS, flat)):
        for name, answer in registered.items():
            if not names or name in names:
                with tempfile.TemporaryDirectory() as folder:
                    found[kind][name] = made(answer(Path(folder)))
    return found


if __name__ == "__main__":
    locale.setlocale(locale.LC_ALL, "")
    warnings.simplefilter("ignore")
    within = sys.argv[1:] == ["--within-one-run"]
    print(json.dumps(within_one_run() if within else answers(sys.argv[1:])))

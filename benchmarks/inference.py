"""Every test and interval of the library, tried on one sample whose truth is known.

A name without brackets is what the library does unless told otherwise. What only passes numbers on to one
of these is not repeated: ``correlation_by_frequency``, ``rolling_correlation`` and ``level_correlation``
show intervals of ``correlation_interval``, and ``find_breaks`` counts breaks by the test of ``break_test``. A
minimum track record is no interval; it is where ``probabilistic_sharpe_ratio`` would be sure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

import allocator as al
from allocator.statistics import bootstrap_sharpe
from allocator.statistics.annualisation import annualisation_factor
from allocator.statistics.long_run_variance import KernelVariance, Parzen
from allocator.statistics.sharpe_methods import SharpeMethod
from benchmarks.processes import DEVIATION, PERIODS_PER_YEAR, Sample

__all__ = ["CAVEATS", "CHECKS", "Caveat", "Outcome", "is_bound", "is_default"]

NOMINAL = {"size": 0.05, "coverage": 0.95}
STUDENTISED = 499  # resamples: 0.05 · 500 is whole, so that the size is exact; more would give power
RESAMPLES = 500
BREAK_RESAMPLES = 199
SPELLS = 10  # in which two regimes take turns
TRIALS = 20  # of which the best is deflated
TURN = 6  # periods until a trial may change its side
TURBULENCE = 2.0  # times the deviation of the first series, in every other spell
JUMP = 1.0  # deviations, of a mean in the middle, for confidence sets of its date
EVERYWHERE = ("normal", "t5", "AR(1)", "GARCH", "VAR", "data")


@dataclass(frozen=True)
class Outcome:
    """Whether a test rejected (``size``) or an interval held the truth (``coverage``); None: undefined."""

    method: str
    kind: str
    hit: bool | None


@dataclass(frozen=True)
class Caveat:
    """Where a method is known to fail, and why."""

    method: str
    processes: tuple[str, ...]
    why: str


_FEW_ROWS = (
    "sup-F with HAC errors rejects too often in short samples, in regressions and with autocorrelation"
)
CAVEATS = (
    Caveat(
        "sharpe_difference (NormalReturns)",
        ("t5", "AR(1)", "GARCH", "VAR", "data"),
        "Jobson–Korkie–Memmel supposes independent normal returns: it rejects too often with autocorrelation,"
        " and with fat tails the more the higher the ratio (Ledoit and Wolf, 2008, table 1)",
    ),
    Caveat(
        "sharpe_difference (IndependentReturns)", ("AR(1)", "VAR"), "supposes returns without autocorrelation"
    ),
    Caveat("sharpe_interval (NormalReturns)", ("AR(1)", "VAR"), "supposes returns without autocorrelation"),
    Caveat(
        "sharpe_interval (IndependentReturns)", ("AR(1)", "VAR"), "supposes returns without autocorrelation"
    ),
    *(
        Caveat(
            f"probabilistic_sharpe_ratio {method}",
            ("AR(1)", "VAR"),
            "as published it supposes returns without autocorrelation",
        )
        for method in ("(IndependentReturns)", "(NormalReturns)")
    ),
    Caveat(
        "adjusted_correlation",
        ("t5", "data"),
        "takes the rise of the variance as known, which is uncertain with fat tails",
    ),
    Caveat(
        "deflated_sharpe_ratio",
        EVERYWHERE,
        "its bar is the mean of the best of worthless trials, its error that of one: the best is seldom so"
        " far above, and it rejects too seldom",
    ),
    *(
        Caveat(
            f"bootstrap_drawdown {measure}",
            ("VAR",),
            "of returns that answer to another series it sees a part of the dependence",
        )
        for measure in ("max_drawdown", "conditional_drawdown")
    ),
    Caveat(
        "fisher_interval (naive)",
        ("t5", "AR(1)", "VAR", "data"),
        "Fisher's interval supposes independent normal pairs: it is too narrow with fat tails or"
        " autocorrelation",
    ),
    Caveat("break_test of a relation (HAC)", EVERYWHERE, _FEW_ROWS),
    Caveat("break_test of a mean (HAC)", ("AR(1)", "VAR"), _FEW_ROWS),
    Caveat("break_test of a mean (None)", ("AR(1)", "VAR"), "supposes independent errors"),
    Caveat(
        "break_test of a relation (None)",
        ("t5", "AR(1)", "GARCH", "VAR"),
        "supposes independent errors whose variance does not depend on the regressor",
    ),
    Caveat(
        "find_breaks date (HAC)", ("AR(1)", "VAR"), "with autocorrelation the set of a date is too narrow"
    ),
)
# Nominal is the most that Holm may reject, whatever the dependence, and a deflated ratio of a best trial; and
# the least that an interval of recoveries may hold: many paths recover in no time or not at all, and its ends
# hold all of those.
_BOUNDS = (" Holm", " recovery", "deflated_sharpe_ratio")
_SHARPE_METHODS: dict[str, SharpeMethod] = {
    " (HAC)": al.HAC(),
    " (HAC, Parzen)": al.HAC(KernelVariance(Parzen())),
    " (IndependentReturns)": al.IndependentReturns(),
    " (NormalReturns)": al.NormalReturns(),
}


def is_default(method: str) -> bool:
    """Whether a method is what the library does unless told otherwise."""
    return "(" not in method


def is_bound(method: str) -> bool:
    """Whether nominal is only the most (size) or the least (coverage) that is promised."""
    return method.endswith(_BOUNDS)


def _covers(method: str, low: float, truth: float, high: float) -> Outcome:
    unknown = np.isnan(low) or np.isnan(high)
    return Outcome(method, "coverage", None if unknown else bool(low <= truth <= high))


def _rejects(method: str, p_value: float) -> Outcome:
    return Outcome(method, "size", None if np.isnan(p_value) else bool(p_value <= NOMINAL["size"]))


def _sharpe_methods(seed: int) -> dict[str, SharpeMethod]:
    return {"": _bootstrap(seed), **_SHARPE_METHODS}


def _bootstrap(seed: int) -> al.StudentizedBootstrap:
    return al.StudentizedBootstrap(n_resamples=STUDENTISED, seed=seed)


def _sharpe_interval(s: Sample) -> Iterator[Outcome]:
    for variant, method in _sharpe_methods(s.seed).items():
        found = al.sharpe_interval(s.returns[:, 0], 0.0, method, periods_per_year=PERIODS_PER_YEAR)
        yield _covers(f"sharpe_interval{variant}", found.low, s.sharpe, found.high)


def _sharpe_difference(s: Sample) -> Iterator[Outcome]:
    first, second = s.returns[:, 0], s.returns[:, 1]
    for variant, method in _sharpe_methods(s.seed).items():
        found = al.sharpe_difference(first, second, 0.0, method, periods_per_year=PERIODS_PER_YEAR)
        yield _rejects(f"sharpe_difference{variant}", found.p_value)
        yield _covers(f"sharpe_difference{variant}", found.low, 0.0, found.high)


def _bootstrap_sharpe(s: Sample) -> Iterator[Outcome]:
    found = bootstrap_sharpe(s.returns[:, 0], PERIODS_PER_YEAR, n_resamples=RESAMPLES, seed=s.seed)
    yield _covers("bootstrap_sharpe", found.low, s.sharpe, found.high)


def _autocorrelated_sharpe(s: Sample) -> Iterator[Outcome]:
    truth = s.sharpe / np.sqrt(PERIODS_PER_YEAR) * annualisation_factor(s.autocorrelations, PERIODS_PER_YEAR)
    found = al.autocorrelated_sharpe(s.returns[:, 0], 0.0, periods_per_year=PERIODS_PER_YEAR)
    yield _covers("autocorrelated_sharpe", found.low, truth, found.high)


def _probabilistic_sharpe(s: Sample) -> Iterator[Outcome]:
    for variant, method in _sharpe_methods(s.seed).items():
        found = al.probabilistic_sharpe_ratio(
            s.returns[:, 0], 0.0, s.sharpe, method, periods_per_year=PERIODS_PER_YEAR
        )
        yield _rejects(f"probabilistic_sharpe_ratio{variant}", 1.0 - found.probability)


def _deflated_sharpe(s: Sample) -> Iterator[Outcome]:
    """Deflate the best of trials that bet on either side of what has no mean, by chance."""
    x = s.returns[:, 0] - DEVIATION * s.sharpe / np.sqrt(PERIODS_PER_YEAR)
    turns = np.random.default_rng(s.seed).choice([-1.0, 1.0], (len(x) // TURN + 1, TRIALS))
    trials = np.repeat(turns, TURN, axis=0)[: len(x)] * x[:, np.newaxis]
    ratios = trials.mean(axis=0) / trials.std(axis=0, ddof=1) * np.sqrt(PERIODS_PER_YEAR)
    best, variance = trials[:, int(ratios.argmax())], float(ratios.var(ddof=1))
    found = al.deflated_sharpe_ratio(
        best, 0.0, TRIALS, variance, _bootstrap(s.seed), periods_per_year=PERIODS_PER_YEAR
    )
    yield _rejects("deflated_sharpe_ratio", 1.0 - found.probability)


def _sharpe_family(s: Sample) -> Iterator[Outcome]:
    found = al.sharpe_family_test(
        s.returns[:, 1:], s.returns[:, 0], 0.0, _bootstrap(s.seed), periods_per_year=PERIODS_PER_YEAR
    )
    yield from _family("sharpe_family_test", found)


def _mean_family(s: Sample) -> Iterator[Outcome]:
    found = al.mean_family_test(
        s.returns[:, 1:], s.returns[:, 0], _bootstrap(s.seed), periods_per_year=PERIODS_PER_YEAR
    )
    yield from _family("mean_family_test", found)


def _family(name: str, found: al.FamilyTest) -> Iterator[Outcome]:
    yield _rejects(f"{name} Romano–Wolf", float(found.table["p_romano_wolf"].min()))
    yield _rejects(f"{name} Holm", float(found.table["p_holm"].min()))
    yield _rejects(f"{name} reality check", found.reality_check_p)


def _bootstrap_correlation(s: Sample) -> Iterator[Outcome]:
    x, y = s.returns[:, 0], s.returns[:, 1]
    found = al.bootstrap_correlation(x, y, n_resamples=RESAMPLES, seed=s.seed)
    yield _covers("bootstrap_correlation", found.low, s.correlation, found.high)


def _fisher_interval(s: Sample) -> Iterator[Outcome]:
    r = al.correlation(s.returns[:, 0], s.returns[:, 1])
    low, high = al.fisher_interval(r, len(s.returns))
    yield _covers("fisher_interval (naive)", low, s.correlation, high)


def _correlation_interval(s: Sample) -> Iterator[Outcome]:
    found = al.correlation_interval(s.returns[:, 0], s.returns[:, 1], n_resamples=2)
    yield _covers("correlation_interval", found.low, s.correlation, found.high)


def _adjusted_correlation(s: Sample) -> Iterator[Outcome]:
    """Adjust what a larger variance of the first series, and nothing else, does to a correlation."""
    x, y = s.returns[:, 0], s.returns[:, 1]
    shocks, turbulent = x - DEVIATION * s.sharpe / np.sqrt(PERIODS_PER_YEAR), _turns(len(x)) == 1
    more = np.where(turbulent, (TURBULENCE - 1.0) * shocks, 0.0)
    found = al.adjusted_correlation(x + more, y + s.correlation * more, turbulent)
    yield _covers("adjusted_correlation", found.adjusted_low, s.correlation, found.adjusted_high)


def _constant_correlation(s: Sample) -> Iterator[Outcome]:
    x, y = s.returns[:, 0], s.returns[:, 1]
    ways = {"": al.ConstancyBootstrap(n_resamples=BREAK_RESAMPLES, seed=s.seed), " (limit)": KernelVariance()}
    for variant, errors in ways.items():
        yield _rejects(
            f"constant_correlation_test{variant}", al.constant_correlation_test(x, y, errors).p_value
        )


def _break_test(s: Sample) -> Iterator[Outcome]:
    y, x = s.returns[:, 0], s.returns[:, 1]
    for variant, errors in _break_errors(s).items():
        yield _rejects(f"break_test of a mean{variant}", al.break_test(y, None, errors).p_value)
        yield _rejects(f"break_test of a relation{variant}", al.break_test(y, x, errors).p_value)


def _break_errors(s: Sample) -> dict[str, al.WildSieveBootstrap | KernelVariance | None]:
    sieve = al.WildSieveBootstrap(n_resamples=BREAK_RESAMPLES, seed=s.seed)
    return {"": sieve, " (HAC)": KernelVariance(), " (None)": None}


def _find_breaks(s: Sample) -> Iterator[Outcome]:
    """Try the confidence set of one date, given that there is one break."""
    n = len(s.returns)
    y = s.returns[:, 0] + np.where(np.arange(n) < n // 2, 0.0, JUMP * DEVIATION)
    sieve = al.WildSieveBootstrap(n_resamples=99, seed=s.seed)  # counts breaks, which is not asked here
    for variant, errors in {"": sieve, " (HAC)": KernelVariance()}.items():
        found = al.find_breaks(y, None, errors, most=1).partitions[1].breaks.iloc[0]
        yield _covers(f"find_breaks date{variant}", float(found["low_row"]), n // 2, float(found["high_row"]))


def _conditional_correlation(s: Sample) -> Iterator[Outcome]:
    frame, labels = _by_regime(s)
    found = al.conditional_correlation(frame["a"], frame["b"], labels, n_resamples=RESAMPLES, seed=s.seed)
    yield _rejects("conditional_correlation p_equal", _p_equal(found))
    yield _covers("conditional_correlation", *_interval(found.table.iloc[0], s.correlation))


def _conditional_performance(s: Sample) -> Iterator[Outcome]:
    frame, labels = _by_regime(s)
    cash = pd.Series(0.0, index=frame.index)
    found = al.conditional_performance(
        frame["a"], cash, labels, PERIODS_PER_YEAR, n_resamples=RESAMPLES, seed=s.seed
    )
    yield _rejects("conditional_performance p_equal", _p_equal(found))
    yield _covers("conditional_performance", *_interval(found.table.iloc[0], s.sharpe))


def _conditional_statistic(s: Sample) -> Iterator[Outcome]:
    frame, labels = _by_regime(s)
    mean = DEVIATION * s.sharpe / np.sqrt(PERIODS_PER_YEAR)
    found = al.conditional_statistic(
        frame["a"], labels, np.mean, null=mean, n_resamples=RESAMPLES // 2, seed=s.seed
    )
    yield _rejects("conditional_statistic p", float(found.table["p"].iloc[0]))
    yield _rejects("conditional_statistic p_equal", _p_equal(found))
    yield _covers("conditional_statistic", *_interval(found.table.iloc[0], mean))


def _interval(row: pd.Series, truth: float) -> tuple[float, float, float]:
    return float(row["low"]), truth, float(row["high"])


def _p_equal(found: al.ConditionalTable) -> float:
    return found.p_equal["a"] if isinstance(found.p_equal, dict) else found.p_equal


def _by_regime(s: Sample) -> tuple[pd.DataFrame, pd.Series]:
    """Return the pair and labels that know nothing of it: two regimes that take turns."""
    dates, labels = _calendar(len(s.returns))
    return pd.DataFrame(s.returns[:, :2], index=dates, columns=["a", "b"]), labels


@cache
def _calendar(n: int) -> tuple[pd.DatetimeIndex, pd.Series]:
    dates = pd.date_range("1926-01-31", periods=n, freq="ME")
    return dates, pd.Series(np.where(_turns(n) == 0, "even", "odd"), index=dates)


def _turns(n: int) -> np.typing.NDArray[np.int64]:
    """Return 0 or 1 for each row: spells of equal length take turns."""
    return np.arange(n) * SPELLS // n % 2


def _bootstrap_drawdown(s: Sample) -> Iterator[Outcome]:
    """Try to foresee another history of the process."""
    found = al.bootstrap_drawdown(s.returns[:, 0], n_resamples=RESAMPLES, seed=s.seed)
    # Only the observed measures of the other one are wanted, so two paths of it do.
    fresh = al.bootstrap_drawdown(s.fresh[:, 0], n_resamples=2, bootstrap=found.bootstrap, seed=0).observed
    for (measure, row), truth in zip(found.table.iterrows(), fresh, strict=True):
        yield _covers(f"bootstrap_drawdown {measure}", row["low"], truth, row["high"])


CHECKS: dict[str, Callable[[Sample], Iterator[Outcome]]] = {
    "sharpe_interval": _sharpe_interval,
    "bootstrap_sharpe": _bootstrap_sharpe,
    "autocorrelated_sharpe": _autocorrelated_sharpe,
    "probabilistic_sharpe_ratio": _probabilistic_sharpe,
    "deflated_sharpe_ratio": _deflated_sharpe,
    "sharpe_difference": _sharpe_difference,
    "sharpe_family_test": _sharpe_family,
    "mean_family_test": _mean_family,
    "bootstrap_correlation": _bootstrap_correlation,
    "correlation_interval": _correlation_interval,
    "fisher_interval": _fisher_interval,
    "adjusted_correlation": _adjusted_correlation,
    "constant_correlation_test": _constant_correlation,
    "break_test": _break_test,
    "find_breaks": _find_breaks,
    "conditional_correlation": _conditional_correlation,
    "conditional_performance": _conditional_performance,
    "conditional_statistic": _conditional_statistic,
    "bootstrap_drawdown": _bootstrap_drawdown,
}

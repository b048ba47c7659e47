"""A made-up daily market with two regimes, for tests, examples and power studies.

A two-state Markov chain in monthly steps switches between :data:`GROWTH` and :data:`INFLATION`. In
the first stocks and bonds move against each other, in the second together. All parameters stand
below. They are round numbers chosen by hand so that the regimes are easy to tell apart: nothing is
estimated from data, nothing is a forecast, and no result on this market is advice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.frequency import FREQUENCIES, years_between
from allocator.market.market import Date, Market, parse_date
from allocator.market.signals import Signal

__all__ = [
    "GROWTH",
    "INFLATION",
    "SIMULATED_ASSETS",
    "SimulatedRegime",
    "simulate_market",
    "simulated_regimes",
]

SIMULATED_ASSETS = ("stocks", "bonds", "gold", "developed", "emerging")


@dataclass(frozen=True)
class SimulatedRegime:
    """What one regime is like; rates and volatilities a year, assets in the order of SIMULATED_ASSETS.

    Attributes
    ----------
    name
        What it is called.
    mean_months
        Expected length of a stay; the length is geometric.
    inflation, growth, cash_rate
        What inflation, real growth and the short rate are drawn to.
    premiums
        Expected return of each asset above cash, shape (n_assets,).
    volatilities
        Shape (n_assets,).
    correlations
        Rows of the correlation matrix of daily shocks below its diagonal, one for each asset but the first.
    """

    name: str
    mean_months: float
    inflation: float
    growth: float
    cash_rate: float
    premiums: tuple[float, ...]
    volatilities: tuple[float, ...]
    correlations: tuple[tuple[float, ...], ...]

    def correlation_matrix(self) -> NDArray[np.float64]:
        """Return the correlation of daily shocks, shape (n_assets, n_assets)."""
        matrix = np.eye(len(SIMULATED_ASSETS))
        for i, row in enumerate(self.correlations, start=1):
            matrix[i, :i] = matrix[:i, i] = row
        return matrix


GROWTH = SimulatedRegime(
    name="growth",
    mean_months=48,
    inflation=0.02,
    growth=0.03,
    cash_rate=0.015,
    #         stocks bonds  gold  developed emerging
    premiums=(0.060, 0.020, 0.010, 0.050, 0.060),
    volatilities=(0.15, 0.06, 0.15, 0.16, 0.20),
    correlations=(
        (-0.35,),
        (0.00, 0.25),
        (0.80, -0.30, 0.10),
        (0.70, -0.25, 0.20, 0.80),
    ),
)
INFLATION = SimulatedRegime(
    name="inflation",
    mean_months=30,
    inflation=0.06,
    growth=0.01,
    cash_rate=0.05,
    premiums=(0.000, -0.030, 0.080, 0.000, 0.010),
    volatilities=(0.21, 0.10, 0.20, 0.22, 0.26),
    correlations=(
        (0.45,),
        (0.10, 0.05),
        (0.80, 0.35, 0.15),
        (0.70, 0.30, 0.25, 0.80),
    ),
)

_REGIMES = (GROWTH, INFLATION)
_DEGREES_OF_FREEDOM = 5.0
_EMERGING_LISTED_AFTER_YEARS = 2
# Each month inflation, growth and the short rate close this share of the distance to the regime's
# level, so that half a switch takes about four months, and are hit by a normal shock this large.
_PULL = np.array([0.15, 0.15, 0.15])
_MACRO_SHOCKS = np.array([0.004, 0.006, 0.0])
_MONTHS_BEFORE = 12  # so that twelve-month figures exist on the first day
_SHORTEST, _LONGEST = 3, 100


def simulate_market(seed: int, years: int = 20, start: Date = "2004-01-01") -> Market:
    """Return a made-up daily market in which the stock-bond correlation changes sign with the regime.

    The regime of a month is drawn from a Markov chain that starts in its stationary distribution.
    Log returns of a day are the short rate plus the regime's premiums, less half the variance, plus
    multivariate Student-t shocks (5 degrees of freedom, scaled to the regime's volatilities and
    correlations). Cash earns the short rate of the day before over the calendar days.

    ============================  =======  ==========
    regime                        growth   inflation
    ============================  =======  ==========
    expected stay, months         48       30
    stock-bond correlation        -0.35    +0.45
    inflation, a year             2 %      6 %
    real growth, a year           3 %      1 %
    short rate, a year            1.5 %    5 %
    premium of stocks             6 %      0 %
    premium of bonds              2 %      -3 %
    premium of gold               1 %      8 %
    volatility of stocks          15 %     21 %
    volatility of bonds           6 %      10 %
    volatility of gold            15 %     20 %
    ============================  =======  ==========

    The rest stands in :data:`GROWTH` and :data:`INFLATION`. Nothing is estimated from data, and
    nothing is advice. Returns are independent from day to day and of the macro shocks, given the
    regime: there is no momentum, reversal or volatility clustering inside a regime.

    Parameters
    ----------
    seed
        Not negative; recorded in the name. The same seed gives the same bytes (with one version of NumPy
        on one machine), and more years of it begin with the fewer.
    years
        3 to 100. ``emerging`` is listed two years late. A short market may hold one regime only.
    start
        The first day; rows are the working days, Monday to Friday, without holidays.

    Returns
    -------
    Market
        ``simulated=True``. Signals: ``inflation``, twelve-month, monthly, known on the 15th of the next
        month; ``growth``, real over four quarters, quarterly, known a month after the quarter's end.

    Raises
    ------
    InputError
        If the seed is no whole number or the years are out of range.
    """
    days, months = _calendar(seed, years, start)
    regimes_rng, shocks_rng, macro_rng = np.random.default_rng(seed).spawn(3)
    states = _draw_states(regimes_rng, len(months))
    macro = _draw_macro(macro_rng, states)
    month_of_day = months.get_indexer(days.to_period("M"))
    cash = _cash_returns(macro[month_of_day, 2], days)
    log_returns = _draw_log_returns(shocks_rng, states[month_of_day], cash)
    return Market(
        _prices(log_returns, days),
        pd.Series(cash, index=days, name="simulated short rate"),
        _signals(macro, months, days[-1]),
        sources=_sources(seed),
        name=f"two regimes, seed {seed}",
        simulated=True,
    )


def simulated_regimes(seed: int, years: int = 20, start: Date = "2004-01-01") -> pd.Series[str]:
    """Return the regime of each row of :func:`simulate_market` of the same arguments, ex post."""
    days, months = _calendar(seed, years, start)
    states = _draw_states(np.random.default_rng(seed).spawn(3)[0], len(months))
    names = np.array([regime.name for regime in _REGIMES], dtype=object)
    return pd.Series(names[states[months.get_indexer(days.to_period("M"))]], index=days, name="regime")


def _calendar(seed: int, years: int, start: Date) -> tuple[pd.DatetimeIndex, pd.PeriodIndex]:
    """Return the working days, and the months from a year before the first to the last."""
    _refuse_unless_whole("seed", seed, 0, None)
    _refuse_unless_whole("years", years, _SHORTEST, _LONGEST)
    first = parse_date(start, "start")
    days = pd.bdate_range(first, first + pd.DateOffset(years=years), inclusive="left")
    first_month, last_month = pd.Period(days[0], "M"), pd.Period(days[-1], "M")
    return days, pd.period_range(first_month - _MONTHS_BEFORE, last_month, freq="M")


def _refuse_unless_whole(argument: str, value: object, least: int, most: int | None) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(argument, f"{value!r} is not a whole number")
    if value < least or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"{least} to {most}"
        raise InputError(argument, f"is {value}, expected {limits}")


def _draw_states(rng: np.random.Generator, n_months: int) -> NDArray[np.int64]:
    """Return the regime of each month, shape (n_months,): 0 for growth, 1 for inflation."""
    leave = [1.0 / regime.mean_months for regime in _REGIMES]
    draws = rng.random(n_months)
    states = np.empty(n_months, dtype=np.int64)
    states[0] = draws[0] < leave[0] / sum(leave)
    for month in range(1, n_months):
        before = states[month - 1]
        states[month] = 1 - before if draws[month] < leave[before] else before
    return states


def _draw_macro(rng: np.random.Generator, states: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return inflation, growth and the short rate of each month, a year, shape (n_months, 3)."""
    targets = np.array([(r.inflation, r.growth, r.cash_rate) for r in _REGIMES])[states]
    shocks = _MACRO_SHOCKS * rng.standard_normal(targets.shape)
    path = targets.copy()
    for month in range(1, len(path)):
        path[month] = path[month - 1] + _PULL * (targets[month] - path[month - 1]) + shocks[month]
    return path


def _cash_returns(rates: NDArray[np.float64], days: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Return what cash earned up to each day at the rate of the day before, shape (n_days,)."""
    years = years_between(days, FREQUENCIES["daily"])
    return np.concatenate([[0.0], np.expm1(np.log1p(rates[:-1]) * years)])


def _draw_log_returns(
    rng: np.random.Generator, states: NDArray[np.int64], cash: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the log return of each asset on each day, 0 on the first, shape (n_days, n_assets)."""
    normal_rng, tail_rng = rng.spawn(2)
    df, per_year = _DEGREES_OF_FREEDOM, FREQUENCIES["daily"].periods_per_year
    normal = normal_rng.standard_normal((len(states), len(SIMULATED_ASSETS)))
    unit_variance = np.sqrt((df - 2.0) / tail_rng.chisquare(df, len(states)))
    factors = np.array([np.linalg.cholesky(regime.correlation_matrix()) for regime in _REGIMES])
    # einsum rather than BLAS, whose last digit depends on the number of rows
    correlated = np.einsum("tij,tj->ti", factors[states], normal) * unit_variance[:, None]
    volatility = np.array([r.volatilities for r in _REGIMES])[states] / np.sqrt(per_year)
    premium = np.array([r.premiums for r in _REGIMES])[states] / per_year
    log_returns = np.log1p(cash)[:, None] + premium - volatility**2 / 2.0 + volatility * correlated
    log_returns[0] = 0.0
    return np.asarray(log_returns, dtype=np.float64)


def _prices(log_returns: NDArray[np.float64], days: pd.DatetimeIndex) -> pd.DataFrame:
    """Return levels from 100 on the first day, ``emerging`` listed late."""
    levels = 100.0 * np.exp(log_returns.cumsum(axis=0))
    prices = pd.DataFrame(levels, index=days, columns=list(SIMULATED_ASSETS))
    listing = days[0] + pd.DateOffset(years=_EMERGING_LISTED_AFTER_YEARS)
    prices.loc[days < listing, "emerging"] = np.nan
    return prices


def _signals(macro: NDArray[np.float64], months: pd.PeriodIndex, last_day: pd.Timestamp) -> dict[str, Signal]:
    """Return inflation and growth over twelve months, for the months that are over by the last day."""
    log_levels = np.concatenate([np.zeros((1, 2)), np.log1p(macro[:, :2]).cumsum(axis=0) / 12.0])
    over_a_year = np.expm1(log_levels[12:] - log_levels[:-12])
    described = months[11:]
    ends = described.to_timestamp(how="end").normalize()
    is_over, is_quarter = ends <= last_day, described.month % 3 == 0
    mid_next_month = (described + 1).to_timestamp() + pd.Timedelta(days=14)
    next_month_end = (described + 1).to_timestamp(how="end").normalize()
    return {
        "inflation": _signal(over_a_year[:, 0], mid_next_month, ends, is_over),
        "growth": _signal(over_a_year[:, 1], next_month_end, ends, is_over & is_quarter),
    }


def _signal(
    values: NDArray[np.float64], known: pd.DatetimeIndex, described: pd.DatetimeIndex, rows: NDArray[np.bool_]
) -> Signal:
    return Signal(pd.Series(values[rows], index=known[rows]), describes=described[rows])


def _sources(seed: int) -> dict[str, str]:
    """Return a text a series that says that it is made up, and its parameters in both regimes."""
    pair = f"{GROWTH.name} / {INFLATION.name} regime"
    texts = {asset: _asset_source(j, pair) for j, asset in enumerate(SIMULATED_ASSETS)}
    with_bonds = " / ".join(f"{regime.correlations[0][0]:+}" for regime in _REGIMES)
    texts["stocks"] += f"; correlation with bonds {with_bonds}"
    texts["emerging"] += f"; listed {_EMERGING_LISTED_AFTER_YEARS} years late"
    for name, what in (("cash", "cash_rate"), ("inflation", "inflation"), ("growth", "growth")):
        levels = f"{getattr(GROWTH, what):.1%} / {getattr(INFLATION, what):.1%}"
        texts[name] = f"drawn to {levels} a year in the {pair}"
    return {name: f"simulated: {text}; seed {seed}, not data" for name, text in texts.items()}


def _asset_source(asset: int, pair: str) -> str:
    volatility = " / ".join(f"{regime.volatilities[asset]:.0%}" for regime in _REGIMES)
    premium = " / ".join(f"{regime.premiums[asset]:+.0%}" for regime in _REGIMES)
    shocks = f"Student-t({_DEGREES_OF_FREEDOM:g}) log returns"
    return f"{shocks}, volatility {volatility} and premium over cash {premium} a year in the {pair}"

"""A coherent path in which a debt is handled by one means, from the mean year of history with that label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.macro.debt.law import read_debt, read_rate
from allocator.macro.debt.paths import debt_paths
from allocator.macro.scenarios import show
from allocator.macro.scenarios.history import DRIVERS, ScenarioHistory, marginal_rate, scenario_history
from allocator.market import constant_maturity_returns

__all__ = ["DebtScenario", "debt_scenario", "effective_rates", "whole_number"]

FloatArray = NDArray[np.float64]
_MATURITY = 10  # years, of the bond whose yield the history holds
_LONGEST = 100
_CONFIDENCE = 0.95


@final
@dataclass(frozen=True, eq=False, repr=False)
class DebtScenario:
    """What every year of a scenario is like; ``dataclasses.replace(scenario, inflation=0.05)`` alters it.

    Attributes
    ----------
    regime
        The label of the years that it was measured in.
    growth, inflation
        Of real GDP and of its price, fractions a year.
    short_rate
        Nominal; :attr:`real_rate` follows by Fisher.
    term_premium
        Bond yield less the short rate, which is expected to stay as it is.
    primary_deficit
        Over GDP, positive for a deficit.
    dollar
        Change of the dollar index, NaN where no year has one.
    returns
        Mean simple return of each asset, the mean around which it is simulated. In :attr:`path` bonds earn
        what the path of yields gives them instead.
    debt, interest_rate, bond_yield
        Where the path begins: debt over GDP, its effective rate, and the yield of new bonds.
    refinanced
        Share of the gap between the effective and the marginal rate that a year closes.
    n_years
        Length of the path.
    history
        What it was measured in.
    """

    regime: str
    growth: float
    inflation: float
    short_rate: float
    term_premium: float
    primary_deficit: float
    dollar: float
    returns: Mapping[str, float]
    debt: float
    interest_rate: float
    bond_yield: float
    refinanced: float
    n_years: int
    history: ScenarioHistory

    __repr__ = show.scenario_text
    _repr_html_ = show.scenario_html

    def __post_init__(self) -> None:
        read_debt(self.debt)
        for name in (*DRIVERS, "interest_rate", "bond_yield"):
            value = getattr(self, name)
            if not (name == "dollar" and np.isnan(value)):
                read_rate(value, name)
        if set(self.returns) != set(self.history.assets):
            named = ", ".join(self.history.assets)
            raise InputError("returns", f"{', '.join(self.returns)}", fix=f"give one for each of {named}")
        for asset, value in self.returns.items():
            read_rate(value, f"returns[{asset!r}]")
        if not 0.0 <= self.refinanced <= 1.0:
            raise InputError("refinanced", f"{self.refinanced!r} is no share between 0 and 1")
        whole_number("n_years", self.n_years, 1, _LONGEST)
        object.__setattr__(self, "returns", MappingProxyType(dict(self.returns)))

    @property
    def real_rate(self) -> float:
        """The short rate less inflation, exactly: (1 + short rate) / (1 + inflation) - 1 (Fisher, 1930)."""
        return (1.0 + self.short_rate) / (1.0 + self.inflation) - 1.0

    @property
    def mean_year(self) -> FloatArray:
        """The drivers, then the returns, in the order of the history's columns."""
        drivers = [getattr(self, name) for name in DRIVERS]
        return np.array([*drivers, *(self.returns[asset] for asset in self.history.assets)])

    @property
    def path(self) -> pd.DataFrame:
        """The path, a row a year, fractions.

        ``growth``, ``inflation``, ``short_rate``, ``real_rate``, ``term_premium``, ``bond_yield`` (the short
        rate expected over the bond's life, which is the same in all years, plus the premium),
        ``effective_rate``, ``primary_deficit``, ``debt`` by the exact law, ``dollar``, ``bond_return`` (of
        a ten-year par bond bought at the yield of the year before), and the other assets at their means.
        """
        years = pd.RangeIndex(self.history.last_year + 1, self.history.last_year + 1 + self.n_years)
        table = pd.DataFrame(index=years.rename("year"))
        table["growth"], table["inflation"] = self.growth, self.inflation
        table["short_rate"], table["real_rate"] = self.short_rate, self.real_rate
        table["term_premium"] = self.term_premium
        table["bond_yield"] = self.short_rate + self.term_premium
        marginal = marginal_rate(table["short_rate"].to_numpy(), table["bond_yield"].to_numpy())
        table["effective_rate"] = effective_rates(self.interest_rate, marginal, self.refinanced)
        table["primary_deficit"] = self.primary_deficit
        rates = (table[name] for name in ("effective_rate", "growth", "inflation", "primary_deficit"))
        table["debt"] = debt_paths(self.debt, *rates)
        table["dollar"] = self.dollar
        table["bond_return"] = self._bond_returns(table["bond_yield"])
        for asset in (name for name in self.returns if name != "bonds"):
            table[asset] = self.returns[asset]
        return table

    @property
    def evidence(self) -> pd.DataFrame:
        """What the labelled years say, a row a series: ``mean``, ``low``, ``high``, ``n``.

        A 95 % interval of Student's t for the mean, years taken as independent.
        """
        from scipy.stats import t

        years = self.history.years(self.regime)
        n = years.count()
        width = years.std(ddof=1) / np.sqrt(n) * t.ppf((1.0 + _CONFIDENCE) / 2.0, np.maximum(n - 1, 1))
        mean = years.mean()
        return pd.DataFrame({"mean": mean, "low": mean - width, "high": mean + width, "n": n})

    def _bond_returns(self, yields: pd.Series[float]) -> FloatArray:
        years = [self.history.last_year, *yields.index]
        dates = pd.DatetimeIndex([pd.Timestamp(int(year), 12, 31) for year in years])
        whole = pd.Series([self.bond_yield, *yields], index=dates)
        return np.asarray(constant_maturity_returns(whole, _MATURITY), dtype=np.float64)


def debt_scenario(regime: str, n_years: int = 10, *, history: ScenarioHistory | None = None) -> DebtScenario:
    """Return the scenario in which the debt of today is handled as in the years of a label.

    Every year of it is the mean year of that label; debt, its effective rate and the bond yield begin
    where the history ends. Nothing is chosen by hand: ``evidence`` says in how many years each mean was
    measured, and how little a handful of years knows.

    Parameters
    ----------
    regime
        ``"growth"``, ``"inflation"``, ``"monetization"``, ``"tightening"``, or ``"none"``.
    n_years
        Length of the path.
    history
        What to measure in; by default :func:`scenario_history`, the embedded one from 1940.

    Raises
    ------
    InputError
        For a label that no year has, or that only one has.
    """
    past = scenario_history() if history is None else history
    if not isinstance(past, ScenarioHistory):
        raise InputError("history", f"{type(past).__name__} is none", fix="pass scenario_history(since=1972)")
    mean, last = past.years(regime).mean(), past.table.iloc[-1]
    return DebtScenario(
        regime=regime,
        **{name: float(mean[name]) for name in DRIVERS},
        returns={asset: float(mean[asset]) for asset in past.assets},
        debt=float(last["debt"]),
        interest_rate=float(last["interest_rate"]),
        bond_yield=float(last["bond_yield"]),
        refinanced=past.refinanced,
        n_years=n_years,
        history=past,
    )


def effective_rates(start: float, marginal: FloatArray, refinanced: float) -> FloatArray:
    """Return the effective rate year by year, i' = i + share (marginal - i), shape of ``marginal``."""
    rates = np.empty(marginal.shape)
    last: FloatArray = np.full(marginal.shape[:-1], start)
    for year in range(marginal.shape[-1]):
        last = last + refinanced * (marginal[..., year] - last)
        rates[..., year] = last
    return rates


def whole_number(argument: str, value: object, least: int, most: int | None = None) -> int:
    """Return a whole number within limits, or refuse it."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(argument, f"{value!r} is not a whole number")
    if value < least or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"{least} to {most}"
        raise InputError(argument, f"is {value}, expected {limits}")
    return int(value)

"""Does anything still follow government bonds? One call, a part for each tie."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar, final

import numpy as np
import pandas as pd

from allocator.errors import InputError
from allocator.macro.anchor import show_diagnostics as show
from allocator.macro.anchor._series import Level, find_level, notes_of, shared
from allocator.macro.anchor._settings import (
    is_between,
    read_quantiles,
    read_starts,
    refuse_bootstrap,
    refuse_other_errors,
)
from allocator.macro.anchor.asymmetry import AsymmetricBeta, asymmetric_beta
from allocator.macro.anchor.capture import CaptureRatios, capture_ratios
from allocator.macro.anchor.comovement import Comovement, Settings, comovement, related, within
from allocator.macro.anchor.relation import RelationByPeriod
from allocator.macro.anchor.safe_haven import SafeHaven, safe_haven
from allocator.market import Market
from allocator.market.market import Date, parse_date
from allocator.regimes import Regimes
from allocator.statistics._pairs import FEWEST_PAIRS
from allocator.statistics._returns import read_dates
from allocator.statistics.regression_errors import RegressionErrors, WideHACErrors

__all__ = ["AnchorDiagnostics", "anchor_diagnostics"]

_HAC = WideHACErrors()
# What a series is called where the caller does not say: the names of `load_us_history`.
_USUAL = MappingProxyType(
    {
        "gold": "gold",
        "bonds": "bonds",
        "stocks": "stocks",
        "emerging": "emerging",
        "non_dollar": "developed",
        "nominal_yield": "bond_yield",
        "real_yield": "real_yield",
        "dollar": "dollar",
        "valuation": "valuation",
    }
)
_YIELDS = ("nominal_yield", "real_yield")
Found = TypeVar("Found")


@final
@dataclass(frozen=True, eq=False, repr=False)
class AnchorDiagnostics:
    """What follows government bonds, part by part; a part without its series is None or empty; prints itself.

    Attributes
    ----------
    title
        The market, its frequency and its span.
    gold_bonds, gold_real_yield
        Gold against bonds, and against the real yield (A1).
    gold_asymmetry, gold_capture
        Up- and down-beta of gold to bonds and what it captures (A2), by period.
    dollar, dollar_window
        The dollar against the nominal yield (A3): by period; and near its date.
    valuation
        Stocks, emerging stocks and a valuation ratio against the nominal yield (A4), by name.
    rotation
        Return of non-dollar less dollar stocks where the nominal yield rises and where it falls (B4), by
        period; a beta of 2 is 2 % for a percentage point.
    safe_haven
        Gold in the worst periods of stocks, by period.
    left_out
        Which parts are missing, and why.
    notes
        The dates of each series.
    """

    title: str
    gold_bonds: Comovement | None
    gold_real_yield: Comovement | None
    gold_asymmetry: Mapping[str, AsymmetricBeta]
    gold_capture: Mapping[str, CaptureRatios]
    dollar: Comovement | None
    dollar_window: RelationByPeriod | None
    valuation: Mapping[str, Comovement]
    rotation: Mapping[str, AsymmetricBeta]
    safe_haven: Mapping[str, SafeHaven]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    __repr__ = show.diagnostics_text
    _repr_html_ = show.diagnostics_html


@dataclass(frozen=True)
class _Study:
    """Series by role, settings, and what could not be done so far."""

    levels: Mapping[str, Level]
    names: Mapping[str, str]
    since: tuple[Date, ...]
    settings: Settings
    left_out: list[str] = field(default_factory=list)

    def attempt(self, part: str, roles: Sequence[str], make: Callable[..., Found]) -> Found | None:
        """Return what is made of the series with these roles; None, and said, where that cannot be."""
        absent = [f"{role} ({self.names[role]!r})" for role in roles if role not in self.levels]
        if absent:
            self.left_out.append(f"{part}: no {', no '.join(absent)}")
            return None
        try:
            return make(*(self.levels[role] for role in roles))
        except InputError as error:
            self.left_out.append(f"{part}: {error}")
            return None


def anchor_diagnostics(
    market: Market,
    beside: pd.DataFrame | None = None,
    *,
    gold: str | None = None,
    bonds: str | None = None,
    stocks: str | None = None,
    emerging: str | None = None,
    non_dollar: str | None = None,
    nominal_yield: str | None = None,
    real_yield: str | None = None,
    dollar: str | None = None,
    valuation: str | None = None,
    since: Sequence[Date] = ("2022-01-01",),
    dollar_since: Date = "2025-04-01",
    dollar_window_years: float = 1.0,
    rolling_years: float | None = None,
    quantiles: tuple[float, ...] = (0.10, 0.05, 0.01),
    regimes: Regimes | pd.Series[str] | None = None,
    errors: RegressionErrors = _HAC,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 0,
) -> AnchorDiagnostics:
    """Measure what still follows government bonds: gold, the dollar, stocks.

    Each series is an asset of the market, one of its signals (on the dates when its values were known) or a
    column of ``beside``. A series that is not named is looked for under its usual name, and the parts that
    need it are left out, and said, where there is none; a name that is given and not found is refused.
    Every part uses the dates of the market that its own series share; changes are from one to the next.

    Parameters
    ----------
    market
        Prices of assets; its frequency is that of the changes; daily and weekly ones have month ends beside.
    beside
        Levels by date, NaN where nothing was known: yields as fractions, a dollar index, a valuation ratio.
    gold, bonds, stocks, emerging, non_dollar
        Prices: "gold", "bonds", "stocks", "emerging", "developed" where not named. ``non_dollar`` are stocks
        outside the dollar, unhedged.
    nominal_yield, real_yield
        Fractions: "bond_yield", "real_yield" where not named.
    dollar
        An index of the dollar, higher where it is stronger: "dollar".
    valuation
        A ratio such as price over earnings: "valuation". Ratios of monthly averages must stand beside yields
        that are averages, too.
    since
        Dates at which a period begins, known beforehand; the article's is 2022.
    dollar_since, dollar_window_years
        The same of the dollar, and how much before and after it is compared.
    rolling_years
        Window of the rolling correlations; None for 3 years, 10 of quarters, 20 of years.
    quantiles
        Worst shares of the periods of stocks; those of fewer than 12 rows are left out, and said.
    regimes
        Labels for the correlations by regime; None for none.
    errors
        Of all regressions.
    confidence, n_resamples, seed
        Of all intervals, and of the bootstraps.

    Raises
    ------
    InputError
        A name that is not found, a yield in percent, a price that is not positive, settings out of range.
    """
    refuse_bootstrap(confidence, n_resamples, seed)
    refuse_other_errors(errors)
    _refuse_other_inputs(market, beside, regimes)
    _refuse_other_spans(dollar_window_years, rolling_years)
    shares, periods = read_quantiles(quantiles), read_starts(since, "since")
    given = {
        "gold": gold,
        "bonds": bonds,
        "stocks": stocks,
        "emerging": emerging,
        "non_dollar": non_dollar,
        "nominal_yield": nominal_yield,
        "real_yield": real_yield,
        "dollar": dollar,
        "valuation": valuation,
    }
    settings = Settings(errors, confidence, n_resamples, seed, rolling_years, regimes)
    study = _studied(market, beside, given, periods, settings)
    return _diagnosed(study, market, parse_date(dollar_since, "dollar_since"), dollar_window_years, shares)


def _refuse_other_inputs(market: object, beside: object, regimes: object) -> None:
    if regimes is not None and not isinstance(regimes, Regimes | pd.Series):
        problem = f"expected regimes or a Series of labels, got {type(regimes).__name__}"
        raise InputError("regimes", problem, fix="pass None for none")
    if isinstance(regimes, pd.Series):
        read_dates(regimes.index, "regimes")
    if not isinstance(market, Market):
        problem = f"expected a Market, got {type(market).__name__}"
        raise InputError("market", problem, fix="pass al.Market(prices, cash=...)")
    if beside is not None and not isinstance(beside, pd.DataFrame):
        problem = f"expected a DataFrame with a column a series, got {type(beside).__name__}"
        fix = "pass beside.to_frame(name)" if isinstance(beside, pd.Series) else "pass pd.DataFrame(...)"
        raise InputError("beside", problem, fix=fix)


def _refuse_other_spans(dollar_window_years: float, rolling_years: float | None) -> None:
    rolling = () if rolling_years is None else (("rolling_years", rolling_years),)
    for name, years in (("dollar_window_years", dollar_window_years), *rolling):
        if not is_between(years, 0.0, 200.0):
            raise InputError(name, f"{years!r} is no span of years", fix="pass 3, say")


def _studied(
    market: Market,
    beside: pd.DataFrame | None,
    given: Mapping[str, str | None],
    since: Sequence[Date],
    settings: Settings,
) -> _Study:
    names = {role: name if name is not None else _USUAL[role] for role, name in given.items()}
    levels = {}
    for role, name in names.items():
        found = find_level(market, beside, name, role, is_yield=role in _YIELDS)
        if found is not None:
            levels[role] = found
        elif given[role] is not None:
            fix = f"there are: {', '.join(_known(market, beside)) or 'none'}"
            raise InputError(role, f"no series {name!r} in the market, its signals or `beside`", fix=fix)
    _refuse_one_series(levels)
    return _Study(levels, names, tuple(since), settings)


def _refuse_one_series(levels: Mapping[str, Level]) -> None:
    """Refuse one series in two roles: it would be compared with itself."""
    roles: dict[str, str] = {}
    for role, level in levels.items():
        if level.name in roles:
            problem = f"{level.name!r} is {roles[level.name]}, too: it would be compared with itself"
            raise InputError(role, problem, fix=f"pass another series as {role} or as {roles[level.name]}")
        roles[level.name] = role


def _known(market: Market, beside: pd.DataFrame | None) -> list[str]:
    return [*market.assets, *market.signals, *(() if beside is None else map(str, beside.columns))]


def _diagnosed(
    study: _Study, market: Market, dollar_since: pd.Timestamp, window: float, quantiles: tuple[float, ...]
) -> AnchorDiagnostics:
    tie, span = _tie(study), f"{market.index[0]:%Y-%m-%d} to {market.index[-1]:%Y-%m-%d}"
    return AnchorDiagnostics(
        f"{market.name}, {market.frequency}, {span}",
        tie("gold and bonds", "gold", "bonds"),
        tie("gold and the real yield", "gold", "real_yield"),
        _by_period(study, "gold's up- and down-beta", ("gold", "bonds"), _asymmetry),
        _by_period(study, "gold's capture of bonds", ("gold", "bonds"), _capture),
        _tie(replace(study, since=(dollar_since,)))("the dollar and the yield", "dollar", "nominal_yield"),
        study.attempt(
            "the dollar near its date", ("dollar", "nominal_yield"), _near(study, dollar_since, window)
        ),
        _valuations(study, tie),
        _by_period(study, "stocks outside the dollar", ("non_dollar", "stocks", "nominal_yield"), _rotation),
        _by_period(study, "gold as a safe haven", ("gold", "stocks"), _haven(quantiles)),
        tuple(study.left_out),
        notes_of(list(study.levels.values())),
    )


def _tie(study: _Study) -> Callable[[str, str, str], Comovement | None]:
    def make(part: str, y: str, x: str) -> Comovement | None:
        return study.attempt(part, (y, x), lambda a, b: comovement(a, b, study.since, study.settings))

    return make


def _valuations(study: _Study, tie: Callable[[str, str, str], Comovement | None]) -> dict[str, Comovement]:
    found = {}
    for role in ("stocks", "emerging", "valuation"):
        made = tie(f"{role} and the yield", role, "nominal_yield")
        if made is not None:
            found[study.names[role]] = made
    return found


def _near(study: _Study, date: pd.Timestamp, years: float) -> Callable[[Level, Level], RelationByPeriod]:
    span = pd.Timedelta(days=round(365.25 * years))

    def make(y: Level, x: Level) -> RelationByPeriod:
        near = [replace(each, values=each.values[date - span : date + span]) for each in (y, x)]
        rows = len(near[0].values.index.intersection(near[1].values.index)) - 1
        if rows < FEWEST_PAIRS:
            problem = (
                f"{max(rows, 0)} changes within {years:g} years of it, at least {FEWEST_PAIRS} are needed"
            )
            raise InputError("dollar_since", problem, date=date)
        return related(near[0], near[1], (date,), study.settings)

    return make


Made = Callable[[Mapping[str, "pd.Series[float]"], Sequence[Level], _Study], Any]


def _by_period(study: _Study, part: str, roles: tuple[str, ...], make: Made) -> dict[str, Any]:
    """Return a part of the whole sample and of each period; what is missing or too short is said."""

    def made(*levels: Level) -> dict[str, Any]:
        changes, found = shared(levels).changes, {}
        for label, rows in _spans(changes[levels[0].name].index, study.since):
            chosen = {name: each.loc[rows] for name, each in changes.items()}
            try:
                found[label] = make(chosen, levels, study)
            except InputError as error:
                study.left_out.append(f"{part}, {label}: {error}")
        return found

    return study.attempt(part, roles, made) or {}


def _spans(index: pd.Index, since: Sequence[Date]) -> list[tuple[str, pd.Index]]:
    """Return the dates of the whole sample and, where there are several, of each period, with a label."""
    edges = [parse_date(start, "since") for start in within(since, index)]
    number = np.searchsorted(
        np.array(edges, dtype="datetime64[ns]"), index.to_numpy("datetime64[ns]"), "right"
    )
    parts = [index, *(index[number == j] for j in range(len(edges) + 1) if edges)]
    return [(f"{rows[0]:%Y-%m-%d} to {rows[-1]:%Y-%m-%d}", rows) for rows in parts if len(rows)]


def _asymmetry(
    changes: Mapping[str, pd.Series[float]], levels: Sequence[Level], study: _Study
) -> AsymmetricBeta:
    asset, benchmark = (changes[each.name] for each in levels)
    return asymmetric_beta(asset, benchmark, study.settings.errors, confidence=study.settings.confidence)


def _capture(
    changes: Mapping[str, pd.Series[float]], levels: Sequence[Level], study: _Study
) -> CaptureRatios:
    asset, benchmark = (changes[each.name] for each in levels)
    asked = study.settings
    return capture_ratios(
        asset, benchmark, confidence=asked.confidence, n_resamples=asked.n_resamples, seed=asked.seed
    )


def _rotation(
    changes: Mapping[str, pd.Series[float]], levels: Sequence[Level], study: _Study
) -> AsymmetricBeta:
    other, home, yields = (changes[each.name] for each in levels)
    gap = (other - home).rename(f"{other.name} - {home.name}")
    return asymmetric_beta(gap, yields, study.settings.errors, confidence=study.settings.confidence)


def _haven(quantiles: tuple[float, ...]) -> Made:
    def make(changes: Mapping[str, pd.Series[float]], levels: Sequence[Level], study: _Study) -> SafeHaven:
        asset, stocks = (changes[each.name] for each in levels)
        kept = tuple(quantile for quantile in quantiles if not 0.0 < quantile * len(asset) < 12)
        if len(kept) < len(quantiles) and kept:
            lost = ", ".join(f"{100 * q:g} %" for q in quantiles if q not in kept)
            study.left_out.append(
                f"gold as a safe haven, worst {lost} of {len(asset):,} rows of {stocks.name}: fewer than 12"
            )
        return safe_haven(asset, stocks, kept or quantiles, study.settings.errors)

    return make

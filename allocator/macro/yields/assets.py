"""What assets did while a part of the yield moved, and while the yield rose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.frequency import infer_frequency
from allocator.macro.yields import show
from allocator.macro.yields._door import read_yields
from allocator.regimes import ConditionalTable, Regimes, conditional_correlation, conditional_statistic
from allocator.regimes._settings import refuse_no_scale
from allocator.statistics._returns import FloatArray, read_returns

__all__ = ["DriverStudy", "RisingYields", "assets_by_driver", "assets_when_yields_rise"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class DriverStudy:
    """Returns and correlations of assets by the driver of a yield; prints itself.

    Attributes
    ----------
    means
        Mean return of a period by asset and label, with interval, p-value of 0 and Holm's over all rows.
    correlations
        By pair of assets.
    """

    means: ConditionalTable
    correlations: Mapping[tuple[str, str], ConditionalTable]

    __repr__ = show.study_text
    _repr_html_ = show.study_html


@final
@dataclass(frozen=True, eq=False, repr=False)
class RisingYields:
    """Mean returns in periods in which a yield rose, beside the others; prints itself.

    Attributes
    ----------
    means
        By asset, group and label.
    difference
        A row an asset or group: ``difference`` (mean where yields rise less mean where they do not), ``low``,
        ``high``, ``p`` (Welch's, with the bootstrap errors), ``reason``.
    contrast
        Name of the row of the second group less the first, or None.
    """

    means: ConditionalTable
    difference: pd.DataFrame
    contrast: str | None

    __repr__ = show.rising_text
    _repr_html_ = show.rising_html


def assets_by_driver(
    returns: pd.DataFrame,
    drivers: Regimes,
    pairs: Sequence[tuple[str, str]] = (),
    *,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> DriverStudy:
    """Return mean returns of assets, and correlations of pairs, by the driver of a yield and its direction.

    With :func:`period_drivers` it says what assets did while a part moved; with
    :func:`signed_driver_regimes` what they did after it had dominated, which could be traded on.

    Parameters
    ----------
    returns
        Simple returns of a period, a column an asset.
    drivers
        Labels for these dates; more dates do no harm.
    pairs
        Of columns, whose correlation is wanted.
    confidence, n_resamples, seed
        Of the circular block bootstrap within each label.

    Raises
    ------
    InputError
        A date without a label, a single label, a pair that is not in the columns.
    """
    _refuse_unknown_pairs(returns, pairs)
    if not isinstance(drivers, Regimes):
        problem = f"expected Regimes, got {type(drivers).__name__}"
        raise InputError("drivers", problem, fix="pass al.period_drivers(decomposition)")
    means = conditional_statistic(
        returns,
        drivers,
        np.mean,
        name="mean return",
        null=0.0,
        confidence=confidence,
        n_resamples=n_resamples,
        seed=seed,
    )
    correlations = {
        (x, y): conditional_correlation(
            returns[x], returns[y], drivers, confidence=confidence, n_resamples=n_resamples, seed=seed
        )
        for x, y in pairs
    }
    return DriverStudy(means, correlations)


def assets_when_yields_rise(
    returns: pd.DataFrame,
    yields: pd.Series[Any],
    groups: Mapping[str, Sequence[str]] | None = None,
    *,
    confidence: float = 0.95,
    n_resamples: int = 1000,
    seed: int = 0,
) -> RisingYields:
    """Return mean returns of assets in the periods in which a yield rose, beside the others, and the test.

    Parameters
    ----------
    returns
        Simple returns in one currency, a column an asset. In dollars an asset of another currency moves with
        the dollar too, which is part of the question.
    yields
        A yield or a part of one (``decomposition.parts["term premium"]``), a fraction a year, at the
        frequency of the returns, from the date before the first on; more dates do no harm.
    groups
        Names of columns, two groups at most: each is the mean of its columns, and of two the second less the
        first stands below: ``{"dollar": ["SPY"], "non-dollar": ["EFA", "GLD"]}``.
    confidence, n_resamples, seed
        Of the circular block bootstrap within each label.

    Raises
    ------
    InputError
        No yield for a date or before the first, another frequency, percent (F162), a group of no columns.
    """
    table, contrast = _grouped(returns, groups)
    labels = _rises(read_yields(yields, "yields"), table.index)
    means = conditional_statistic(
        table,
        labels,
        np.mean,
        name="mean return",
        null=0.0,
        confidence=confidence,
        n_resamples=n_resamples,
        seed=seed,
    )
    return RisingYields(means, _differences(means, confidence), contrast)


def _refuse_unknown_pairs(returns: Any, pairs: Sequence[tuple[str, str]]) -> None:
    if not isinstance(returns, pd.DataFrame):
        raise InputError(
            "returns", f"expected a DataFrame, got {type(returns).__name__}", fix="series.to_frame()"
        )
    fix = 'pass [("stocks", "bonds")], say'
    if not isinstance(pairs, Sequence) or isinstance(pairs, str):
        raise InputError("pairs", f"{pairs!r}: expected pairs of columns of the returns", fix=fix)
    for pair in pairs:
        is_pair = isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
        if not is_pair or any(name not in returns.columns for name in pair):
            raise InputError("pairs", f"{pair!r}: expected two columns of the returns", fix=fix)


def _grouped(returns: Any, groups: Mapping[str, Sequence[str]] | None) -> tuple[pd.DataFrame, str | None]:
    """Return the returns with a column a group, and one of the second less the first."""
    _refuse_unknown_pairs(returns, ())
    refuse_no_scale(read_returns(returns))
    named = _read_groups(groups, returns.columns)
    table = returns.assign(**{name: returns[list(members)].mean(axis=1) for name, members in named.items()})
    if len(named) < 2:
        return table, None
    first, second = named
    contrast = f"{second} – {first}"
    return table.assign(**{contrast: table[second] - table[first]}), contrast


def _read_groups(groups: Any, columns: pd.Index) -> dict[str, list[str]]:
    """Return the columns of each group, refusing what is none."""
    fix = 'pass {"dollar": ["SPY"], "non-dollar": ["EFA", "GLD"]}, say'
    if groups is not None and not isinstance(groups, Mapping):
        problem = f"expected columns by name, got {type(groups).__name__}"
        raise InputError("groups", problem, fix=fix)
    named = {} if groups is None else dict(groups)
    if len(named) > 2:
        raise InputError("groups", f"{len(named)} groups, at most two can be compared")
    for name, members in named.items():
        if not isinstance(name, str):
            raise InputError("groups", f"a group is called {name!r}, expected a text", fix=fix)
        known = isinstance(members, Sequence) and not isinstance(members, str) and len(members) > 0
        if not known or any(member not in columns for member in members) or name in columns:
            problem = f"group of {members!r}: expected columns of the returns, and a name of its own"
            raise InputError("groups", problem, asset=name, fix=fix)
    return {name: list(members) for name, members in named.items()}


def _rises(yields: pd.Series[float], dates: pd.Index) -> Regimes:
    """Return whether the yield rose in the period that ends on each date."""
    _refuse_other_frequency(yields, dates)
    places = yields.index.get_indexer(dates)
    if (places < 0).any():
        missing = dates[places < 0]
        raise InputError("yields", f"none for {len(missing)} of {len(dates)} dates", date=missing[0])
    if places[0] == 0:
        problem = "no yield before the first return"
        raise InputError("yields", problem, date=dates[0], fix="begin the returns a row later")
    values = yields.to_numpy()
    name = "yield" if yields.name is None else str(yields.name)
    _refuse_one_way(values[places] > values[places - 1])
    names = f"{name} rises", f"{name} falls or stays"
    texts = np.where(values[places] > values[places - 1], *names).astype(object)
    labels = pd.Series(texts, index=dates, name=name, dtype=object)
    return Regimes(labels, name, "its change over the period itself", True, names)


def _refuse_one_way(rises: NDArray[np.bool_]) -> None:
    if rises.all() or not rises.any():
        which = "rises in every period" if rises.all() else "rises in none"
        raise InputError("yields", f"{which} of {len(rises)}: nothing to compare", fix="a longer sample")


def _refuse_other_frequency(yields: pd.Series[float], dates: pd.Index) -> None:
    """Refuse yields whose change from row to row is not that of the period of a return."""
    said = infer_frequency(pd.DatetimeIndex(dates), "returns").name
    found = infer_frequency(pd.DatetimeIndex(yields.index), "yields").name
    if found != said:
        problem = f"{found} rows, and the returns are {said}"
        raise InputError("yields.index", problem, fix="take the yields on the dates of the prices")


def _differences(means: ConditionalTable, confidence: float) -> pd.DataFrame:
    """Return the difference of the two means by asset, with Welch's interval from the bootstrap errors."""
    assert isinstance(means.p_equal, dict)
    names, labels = list(means.p_equal), list(means.table.index.get_level_values("regime"))
    sides = [[label == side for label in labels] for side in means.regimes.order]
    columns = ["mean return", "standard_error", "n", "block_length"]
    numbers = means.table[columns].to_numpy(dtype=np.float64)
    rise, rest = (numbers[side] for side in sides)
    reasons = [means.table["reason"][side] for side in sides]
    difference, width = rise[:, 0] - rest[:, 0], _welch_width(rise, rest, confidence)
    table = {
        "difference": difference,
        "low": difference - width,
        "high": difference + width,
        "p": [means.p_equal[name] for name in names],
        "reason": ["; ".join(filter(None, pair)) for pair in zip(*reasons, strict=True)],
    }
    return pd.DataFrame(table, index=pd.Index(names, name="asset"))


def _welch_width(rise: FloatArray, rest: FloatArray, confidence: float) -> FloatArray:
    """Return half the interval of differences; columns: mean, error, periods, block length.

    Satterthwaite's degrees, with one a block less one: what the test of two regimes comes to.
    """
    from scipy.special import stdtrit  # not at the top: importing allocator costs no more than pandas

    variances = np.stack([rise[:, 1], rest[:, 1]]) ** 2
    blocks = np.stack([each[:, 2] / np.maximum(each[:, 3], 1.0) for each in (rise, rest)])
    total = variances.sum(axis=0)
    degrees = total**2 / np.maximum((variances**2 / np.maximum(blocks - 1.0, 2.0)).sum(axis=0), 1e-300)
    return np.asarray(stdtrit(degrees, 0.5 + confidence / 2.0) * np.sqrt(total))

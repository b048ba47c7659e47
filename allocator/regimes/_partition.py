"""Which periods belong to a regime, and whether numbers of several regimes differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.regimes._settings import refuse_no_dates
from allocator.regimes.record import UNCLASSIFIED, Regimes

FEWEST = 12  # periods: a regime with fewer is counted, not estimated


def refuse_no_series(argument: str, series: object) -> None:
    """Refuse what is no Series."""
    if not isinstance(series, pd.Series):
        raise InputError(argument, f"expected a Series with dates, got {type(series).__name__}")


def refuse_other_dates(x: object, y: object, name_x: str = "x", name_y: str = "y") -> None:
    """Refuse two series that are none, or whose dates differ."""
    for argument, series in ((name_x, x), (name_y, y)):
        refuse_no_series(argument, series)
    assert isinstance(x, pd.Series)
    assert isinstance(y, pd.Series)
    if not x.index.equals(y.index):
        single = x.index.symmetric_difference(y.index)
        raise InputError(
            name_y,
            f"its dates are not those of {name_x}: {len(single)} are in one of them only",
            date=single[0] if len(single) else None,
            fix=f"pass the shared dates: {name_x}, {name_y} = {name_x}.align({name_y}, join='inner')",
        )


def refuse_repeated(argument: str, index: pd.Index) -> None:
    """Refuse two values on one date."""
    repeated = index[index.duplicated()]
    if len(repeated):
        fix = f"keep one a date: {argument}[~{argument}.index.duplicated()]"
        raise InputError(argument, "two values", date=repeated[0], count=len(repeated), fix=fix)


def labelled_on(regimes: Regimes | pd.Series[Any], dates: pd.Index) -> Regimes:
    """Return the regimes with exactly these dates, refusing a date without a label or a single regime."""
    given = regimes if isinstance(regimes, Regimes) else _as_given(regimes)
    refuse_repeated("regimes", given.labels.index)
    missing = dates.difference(given.labels.index)
    if len(missing):
        raise InputError(
            "regimes",
            f"no label for {len(missing)} of {len(dates)} dates",
            date=missing[0],
            fix="label every date; 'unclassified' where the rule cannot say",
        )
    labels = given.labels.reindex(dates)
    labels = labels.where(labels.notna(), UNCLASSIFIED)
    order = tuple(dict.fromkeys([label for label in given.order if label != UNCLASSIFIED]))
    unknown = labels[~labels.isin([*order, UNCLASSIFIED])]
    if len(unknown):
        raise InputError("regimes", f"{unknown.iloc[0]!r} is not in its order", date=unknown.index[0])
    return Regimes(labels, given.name, given.rule, given.ex_post, _present(labels, order))


def _present(labels: pd.Series[Any], order: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels that occur, ``unclassified`` last, refusing fewer than two beside it."""
    counts = labels.value_counts()
    present = tuple(label for label in order if label in counts)
    rest = int(counts.get(UNCLASSIFIED, 0))
    if len(present) < 2:
        found = f"only one regime in these dates: {present[0]!r}" if present else "no regime in these dates"
        also = f", and {rest} of {len(labels)} unclassified" if rest else ""
        raise InputError("regimes", found + also, fix="choose a longer sample")
    return (*present, UNCLASSIFIED) if rest else present


def _as_given(labels: object) -> Regimes:
    if not isinstance(labels, pd.Series):
        raise InputError("regimes", f"expected Regimes or a Series of labels, got {type(labels).__name__}")
    refuse_no_dates(labels.index, "regimes.index")
    known = [str(label) for label in labels.astype("category").cat.categories]
    texts = labels.astype(object).where(labels.notna(), UNCLASSIFIED).map(str)
    return Regimes(texts, str(labels.name or "regime"), "labels as given", True, (*known, UNCLASSIFIED))


def by_label(regimes: Regimes) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each label, in order, and where it is."""
    labels = regimes.labels.to_numpy()
    for label in regimes.order:
        yield label, np.asarray(labels == label)


def spells_of(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the unbroken runs of chosen periods: the first row of each, and the row after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def welch_p_value(estimates: NDArray[np.float64], table: pd.DataFrame) -> float:
    """Return the p-value of one common value, by the test of Welch (1951) for unequal variances.

    With the squared bootstrap errors as variances of the estimates, and one degree a block, less one (at
    least 2), as in the intervals: χ² would take the errors of few blocks as known. Size: docs/size.md.
    """
    from scipy.special import fdtrc  # not at the top: importing allocator costs no more than pandas

    errors = table["standard_error"].to_numpy()
    use = np.isfinite(estimates) & (errors > 0.0) & np.asarray(table.index != UNCLASSIFIED)
    if use.sum() < 2:
        return float("nan")
    z, weight, k = estimates[use], errors[use] ** -2.0, int(use.sum())
    degrees = np.maximum((table["n"] / table["block_length"])[use].to_numpy() - 1.0, 2.0)
    share = weight / weight.sum()
    between = float((weight * (z - share @ z) ** 2).sum()) / (k - 1)
    doubt = float(((1.0 - share) ** 2 / degrees).sum())
    statistic = between / (1.0 + 2.0 * (k - 2) / (k * k - 1) * doubt)
    return float(fdtrc(k - 1, (k * k - 1) / (3.0 * doubt), statistic))

"""Where a debt ratio may go: the law under drawn futures of interest, growth, inflation and deficit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError
from allocator.macro.debt import show
from allocator.macro.debt.accounts import period_name, read_accounts
from allocator.macro.debt.draws import FirstOrderVar, MacroDraws
from allocator.macro.debt.law import MOST_PATHS, whole_number
from allocator.macro.debt.paths import debt_paths
from allocator.statistics._settings import refuse_no_seed

__all__ = ["DRAWN", "DebtFan", "debt_fan", "fan_table"]

FloatArray = NDArray[np.float64]
DRAWN = ("interest_rate", "growth", "inflation", "primary_deficit")
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FEWEST_PATHS, _MOST_YEARS = 2, 1_000


@final
@dataclass(frozen=True, eq=False, repr=False)
class DebtFan:
    """A distribution of debt ratios by year.

    Attributes
    ----------
    table
        A row a period ahead: the quantiles by their number, ``mean``, ``deviation``, ``higher`` (the share of
        paths above the ratio at the start), its ``simulation_error`` (of the draws alone) and ``at_cap``.
    paths
        The ratios, shape (n_paths, n_years), read-only.
    futures
        What was drawn, shape (n_paths, n_years, 4): interest rate, growth, inflation, primary deficit.
    initial, start
        The ratio from which the paths begin, and its date.
    draws, sample, seed, cap
        How the futures were drawn, from which history, with which seed; where paths are held.
    """

    table: pd.DataFrame
    paths: FloatArray
    futures: FloatArray
    initial: float
    start: str
    draws: MacroDraws
    sample: str
    seed: int
    cap: float

    __repr__ = show.fan_text
    _repr_html_ = show.fan_html


def debt_fan(
    accounts: pd.DataFrame,
    n_years: int = 10,
    *,
    draws: MacroDraws = FirstOrderVar(),  # noqa: B008 (frozen)
    n_paths: int = 10_000,
    seed: int = 0,
    cap: float = 10.0,
) -> DebtFan:
    """Draw futures from history and run the exact law over them, from the last debt ratio.

    The fan holds what the model of the draws and its estimates say: neither another model nor the error of
    the estimates widens it, and no stock-flow is added.

    Parameters
    ----------
    accounts
        The history, as :func:`debt_accounts` returns it.
    n_years
        How far, in periods of the accounts.
    draws
        :class:`FirstOrderVar`, :class:`HistoryBlocks`, or your own :class:`MacroDraws`.
    n_paths, seed
        Of the simulation.
    cap
        A path that passes ±cap stays there and is counted (F167).

    Raises
    ------
    InputError
        As :func:`debt_accounts`; a history too short or explosive for the draws; fewer than two paths or
        no year.
    """
    table = read_accounts(accounts)
    whole_number("n_years", n_years, least=1, most=_MOST_YEARS)
    whole_number("n_paths", n_paths, least=_FEWEST_PATHS)
    _refuse_too_many(n_paths, n_years)
    refuse_no_seed(seed)
    if not isinstance(draws, MacroDraws):
        raise InputError("draws", f"{type(draws).__name__} cannot draw", fix="FirstOrderVar()")
    history = table[list(DRAWN)].to_numpy()[1:]
    futures = draws.paths(history, n_paths, n_years, np.random.default_rng(seed))
    _refuse_other_shape(futures, (n_paths, n_years, len(DRAWN)), draws)
    # Normal draws may fall below -1 once in a very long time: the law has no meaning there.
    futures[..., :3] = np.maximum(futures[..., :3], -0.99)
    initial = float(table["debt"].iloc[-1])
    paths = debt_paths(initial, *np.moveaxis(futures, -1, 0), cap=cap)
    futures.flags.writeable = paths.flags.writeable = False
    return DebtFan(
        fan_table(paths, initial, cap),
        paths,
        futures,
        initial,
        period_name(table.index[-1]),
        draws,
        f"{period_name(table.index[1])} to {period_name(table.index[-1])}, {len(history)} periods",
        seed,
        cap,
    )


def _refuse_too_many(n_paths: int, n_years: int) -> None:
    """Refuse paths that no memory holds, before any is drawn."""
    if n_paths * n_years > MOST_PATHS:
        problem = f"{n_paths:,} paths of {n_years} years are more than {MOST_PATHS:,} numbers a series"
        raise InputError("n_paths", problem, fix="draw fewer: the simulation's own error is in the table")


def _refuse_other_shape(futures: Any, expected: tuple[int, ...], draws: MacroDraws) -> None:
    shape = np.shape(futures)
    if shape != expected:
        raise InputError("draws", f"{draws} gave an array of shape {shape}, expected {expected}")


def fan_table(paths: FloatArray, initial: float, cap: float) -> pd.DataFrame:
    """Return the distribution of debt ratios by year, the table of a :class:`DebtFan`."""
    higher = (paths > initial).mean(axis=0)
    columns: dict[Any, FloatArray] = dict(
        zip(_QUANTILES, np.quantile(paths, _QUANTILES, axis=0), strict=True)
    )
    columns |= {
        "mean": paths.mean(axis=0),
        "deviation": paths.std(axis=0, ddof=1),
        "higher": higher,
        "simulation_error": np.sqrt(higher * (1.0 - higher) / len(paths)),
        "at_cap": (np.abs(paths) >= cap).mean(axis=0),
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(1, paths.shape[1] + 1, name="periods ahead"))

"""What drawdown another history of the same kind could have had: the distribution over resampled paths."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, InsufficientHistoryError
from allocator.statistics._moments import is_rounding
from allocator.statistics._one_thread import inner
from allocator.statistics._paired import refuse_confidence
from allocator.statistics._returns import FloatArray, Returns, ReturnTable, read_one_series
from allocator.statistics._settings import is_number, is_whole, refuse_no_count
from allocator.statistics.block_length import joint_length_of
from allocator.statistics.bootstrap import BlockBootstrap, StationaryBootstrap, refuse_other_bootstrap
from allocator.statistics.drawdown import _first_lowest, _paths
from allocator.statistics.drawdown_at_risk import mean_of_deepest, refuse_level
from allocator.tables import html_block, html_table, text_block

__all__ = ["DrawdownDistribution", "bootstrap_drawdown"]

_MEASURES = ("max_drawdown", "conditional_drawdown", "recovery")
# Half a megabyte: a chunk stays in the cache of its core, which is three times as fast as one that does not.
_NUMBERS_IN_A_CHUNK = 2**16
_FEWEST_FOR_PERSISTENCE = 10
_LARGEST_PERSISTENCE = 0.97


@final
@dataclass(frozen=True, eq=False)
class DrawdownDistribution:
    """Drawdowns of resampled paths beside the one that was observed.

    The measures are ``max_drawdown`` and ``conditional_drawdown`` (:func:`conditional_drawdown_at_risk`),
    fractions <= 0, and ``recovery``, periods from the trough of the deepest drawdown until the high is
    reached again: 0 without a drawdown, infinite where the path ends before.

    Attributes
    ----------
    n
        Returns in the sample.
    horizon
        Periods of every path, and of what was observed: the last ones of the sample.
    observed
        Measures of the sample, shape (3,).
    draws
        Measures of the paths, shape (n_resamples, 3). With an equal ``n``, ``bootstrap`` and ``seed`` two
        series have been resampled alike, so that the difference of their draws is that of a pair.
    level
        Share of the periods in the conditional drawdown.
    confidence
        Share of the paths between ``low`` and ``high``.
    bootstrap
        How rows were drawn.
    persistence
        What each return of a path keeps of the one before, beyond what blocks keep.
    seed
        Of the draws.
    """

    n: int
    horizon: int
    observed: pd.Series[float] = field(repr=False)
    draws: pd.DataFrame = field(repr=False)
    level: float
    confidence: float
    bootstrap: BlockBootstrap
    persistence: float
    seed: int

    @property
    def table(self) -> pd.DataFrame:
        """A row a measure: ``observed``, and of the paths ``low``, ``median`` and ``high``.

        Half of what ``confidence`` leaves lies at or below ``low``, which is the deeper drawdown and the
        shorter recovery.
        """
        shares = [0.5 - self.confidence / 2.0, 0.5, 0.5 + self.confidence / 2.0]
        # A quantile that is one of the draws: between a recovery and none there is nothing to interpolate.
        found = np.quantile(self.draws.to_numpy(), shares, axis=0, method="inverted_cdf")
        columns = {"observed": self.observed.to_numpy()}
        columns |= dict(zip(("low", "median", "high"), found, strict=True))
        return pd.DataFrame(columns, index=list(_MEASURES))

    def __repr__(self) -> str:
        rows = [f"{name:<21}" + "".join(f"{_text(name, x):>10}" for x in row) for name, *row in self._rows()]
        head = f"{'':<21}" + "".join(f"{name:>10}" for name in self.table.columns)
        return text_block([self._title(), head, *rows, *self._notes()])

    def _repr_html_(self) -> str:
        rows = [[name, *(_text(name, x) for x in row)] for name, *row in self._rows()]
        return html_block(self._title(), html_table(["", *self.table.columns], rows), self._notes())

    def _title(self) -> str:
        return f"Drawdowns of {self.horizon:,} periods, resampled from n={self.n:,}"

    def _notes(self) -> tuple[str, ...]:
        paths, share_open = len(self.draws), np.isinf(self.draws["recovery"]).mean()
        return (
            f"{100 * self.confidence:.4g}% of {paths:,} paths lie between low and high; seed {self.seed}",
            f"{self.bootstrap}; of what an autoregression of {self.persistence:.2f} leaves"
            if self.persistence
            else str(self.bootstrap),
            f"conditional_drawdown: mean of the deepest {100 * self.level:.4g}% of the periods",
            f"recovery: periods from the trough; {share_open:.0%} of the paths end before it",
            "a few points too narrow where returns answer to another series or have fat tails (docs/size.md)",
            "drawdowns grow with the number of periods: compare equal horizons only",
        )

    def _rows(self) -> list[tuple[str, float, float, float, float]]:
        return list(self.table.itertuples(name=None))


def bootstrap_drawdown(
    returns: Returns,
    *,
    horizon: int | None = None,
    level: float = 0.05,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    bootstrap: BlockBootstrap | None = None,
    persistence: float | None = None,
    seed: int | None = 0,
) -> DrawdownDistribution:
    """Return how deep the drawdown of another history could be, and how long the way back.

    One history has one maximum drawdown. Each path here is drawn in blocks from a resample of the returns,
    not from the returns themselves: drawdowns depend much on the mean return, and that of the sample is
    an estimate, so that paths resampled once lie too close together. Blocks cut the dependence at their ends,
    and short ones much of it: they are drawn from the residuals of a first-order autoregression, which is put
    back into the paths (Davison and Hinkley, 1997, section 8.2.3: post-blackening). From ``low`` to ``high``
    is still too short for returns that answer to another series, or have fat tails: docs/size.md.

    Parameters
    ----------
    returns
        Simple returns of one series, shape (n_periods,).
    horizon
        Periods of a path, at most n_periods, by default all of them. Drawdowns of samples of unequal length
        are comparable only over an equal horizon.
    level
        Share of the periods in the conditional drawdown at risk.
    confidence
        Share of the paths between ``low`` and ``high``.
    n_resamples
        Number of paths.
    bootstrap
        By default ``StationaryBootstrap.fitted`` to the residuals.
    persistence
        Coefficient of the autoregression, between -0.97 and 0.97. None: that of least squares and what it
        lacks in short samples, (1 + 3ρ)/n (Kendall, 1954); 0 for fewer than 10 returns. 0 draws blocks of
        the returns themselves.
    seed
        The same one gives the same paths; None draws one, which the result tells.

    Raises
    ------
    InputError
        More than one series, a block or a horizon longer than it is, a setting out of range, fewer than 10
        returns without a ``bootstrap``, and what returns are refused for.
    """
    table = read_one_series(returns)
    refuse_level(level)
    length = table.n_periods if horizon is None else horizon
    _refuse_settings(table, length, confidence, n_resamples, seed)
    values = table.matrix[:, 0]
    kept = _persistence(values) if persistence is None else _read_persistence(persistence)
    residuals = _residuals(values, kept)
    scheme = _fitted(residuals) if bootstrap is None else bootstrap
    refuse_other_bootstrap(scheme)
    drawn = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    return DrawdownDistribution(
        n=table.n_periods,
        horizon=length,
        observed=pd.Series(_measures(values[np.newaxis, -length:], level)[0], index=list(_MEASURES)),
        draws=_draws(_Source(residuals, kept, scheme), n_resamples, length, level, drawn),
        level=level,
        confidence=confidence,
        bootstrap=scheme,
        persistence=kept,
        seed=drawn,
    )


def _fitted(residuals: FloatArray) -> StationaryBootstrap:
    """Return the bootstrap whose blocks fit residuals: numbers, which may be below -1 where no return is."""
    if len(residuals) < _FEWEST_FOR_PERSISTENCE:
        problem = f"n={len(residuals)}, at least {_FEWEST_FOR_PERSISTENCE} are needed to fit blocks"
        fix = "pass more, or bootstrap=al.StationaryBootstrap(1)"
        raise InsufficientHistoryError("returns", problem, rows_needed=_FEWEST_FOR_PERSISTENCE, fix=fix)
    return StationaryBootstrap(joint_length_of(residuals[:, np.newaxis])[0])


@dataclass(frozen=True)
class _Source:
    """What paths are drawn from: residuals around the mean, (n_periods,), how, and what a path keeps."""

    residuals: FloatArray
    persistence: float
    bootstrap: BlockBootstrap

    def paths(self, rows: NDArray[np.int64]) -> FloatArray:
        """Return simple returns, (n_paths, n_periods), with the autoregression in them again."""
        drawn = self.residuals[rows]
        if self.persistence == 0.0:
            return drawn
        from scipy.signal import lfilter  # not at the top: importing allocator costs no more than pandas

        mean = self.residuals.mean()
        shocks = drawn - mean
        shocks[:, 0] /= np.sqrt(1.0 - self.persistence**2)  # as far from the mean as later returns
        recoloured = np.asarray(lfilter([1.0], [1.0, -self.persistence], shocks, axis=1))
        return np.asarray(np.maximum(mean + recoloured, -1.0))  # no more than everything can be lost


def _draws(source: _Source, n_resamples: int, horizon: int, level: float, seed: int) -> pd.DataFrame:
    measured, rng = [], np.random.default_rng(seed)
    most = max(1, _NUMBERS_IN_A_CHUNK // horizon)
    # Of each batch first the histories are drawn and then the paths, all from one generator.
    n = len(source.residuals)
    batches = (source.bootstrap.rows(n, n_resamples, rng) for _ in range(2))
    for histories, rows in zip(*batches, strict=True):
        for first in range(0, len(rows), most):
            some = slice(first, first + most)
            chosen = np.take_along_axis(histories[some], rows[some, :horizon], axis=1)
            measured.append(_measures(source.paths(chosen), level))
    return pd.DataFrame(np.concatenate(measured), columns=list(_MEASURES))


def _persistence(values: FloatArray) -> float:
    """Return the first autoregressive coefficient, corrected for its bias."""
    n, centred = len(values), values - values.mean()
    if n < _FEWEST_FOR_PERSISTENCE or is_rounding(centred.std(), values):
        return 0.0
    slope = inner(centred[1:], centred[:-1]) / inner(centred[:-1], centred[:-1])
    return float(np.clip(slope + (1.0 + 3.0 * slope) / n, -_LARGEST_PERSISTENCE, _LARGEST_PERSISTENCE))


def _read_persistence(persistence: float) -> float:
    if not is_number(persistence) or not abs(persistence) <= _LARGEST_PERSISTENCE:
        problem = f"{persistence!r} is not between -{_LARGEST_PERSISTENCE} and {_LARGEST_PERSISTENCE}"
        raise InputError("persistence", problem, fix="0 draws blocks of the returns themselves")
    return float(persistence)


def _residuals(values: FloatArray, persistence: float) -> FloatArray:
    """Return the mean and what each return adds to what it keeps of the one before, round the circle."""
    if persistence == 0.0:
        return values
    mean, centred = values.mean(), values - values.mean()
    return np.asarray(mean + centred - persistence * np.roll(centred, 1))


def _measures(paths: FloatArray, level: float) -> FloatArray:
    """Return depth, conditional drawdown and recovery of simple returns (n_paths, n_periods)."""
    drawdowns = _paths(paths.T)
    recoveries = [_recovery(column) for column in drawdowns.T]
    return np.column_stack([drawdowns.min(axis=0), mean_of_deepest(drawdowns, level), recoveries])


def _recovery(path: FloatArray) -> float:
    """Return the periods from the first lowest row to the first one at the high, inf if there is none."""
    after = path[_first_lowest(path) :] == 0.0
    row = int(after.argmax())
    return float(row) if after[row] else np.inf


def _refuse_settings(
    table: ReturnTable, horizon: int, confidence: float, n_resamples: int, seed: int | None
) -> None:
    if not is_whole(horizon) or not 1 <= horizon <= table.n_periods:
        raise InputError(
            "horizon", f"{horizon!r} is not between 1 and the {table.n_periods} returns there are"
        )
    refuse_confidence(confidence)
    refuse_no_count("n_resamples", n_resamples, "pass 1000 or more")
    if n_resamples < 2:
        raise InputError("n_resamples", f"{n_resamples} resamples have no spread", fix="pass 1000 or more")
    if seed is not None and not (is_whole(seed) and seed >= 0):
        raise InputError("seed", f"{seed!r} is not a whole number, 0 or more", fix="None draws one")


def _text(measure: str, value: float) -> str:
    if measure == "recovery":
        return "open" if np.isinf(value) else f"{value:,.0f}"
    return f"{value:.1%}"

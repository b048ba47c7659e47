"""Term premia of a zero curve: in hindsight, in real time, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date
from allocator.macro.yields import show
from allocator.macro.yields.acm import (
    FEWEST_MONTHS,
    ACMFit,
    ACMModel,
    curve_loadings,
    estimate_rows,
    panel_of,
    read_model,
    read_panel,
    read_zeros,
)
from allocator.macro.yields.decomposition import YieldDecomposition
from allocator.macro.yields.episodes import Episodes, EpisodeTable, episode_rows, episode_table
from allocator.progress import progress_bar
from allocator.regimes._settings import refuse_bootstrap
from allocator.statistics import CircularBlockBootstrap
from allocator.statistics._returns import FloatArray
from allocator.statistics._settings import (
    is_number,
    refuse_long_blocks,
    refuse_no_number,
)

__all__ = [
    "TermPremium",
    "apply_acm",
    "bootstrap_term_premium",
    "estimate_term_premium",
    "expanding_term_premium",
    "term_premium_episodes",
]

Years: TypeAlias = "Sequence[float] | pd.Index"
_ANNUAL: Years = tuple(range(1, 11))
_LARGEST_MISS = 500.0  # basis points, root mean square: beyond, it is not a poor fit but none
_DRAWS_OF_BIAS = 100  # histories whose mean autoregression shows the bias
_HINDSIGHT = "in hindsight: every date uses the estimate on all months"
_REAL_TIME = "in real time: each date uses the estimate on the months up to it"
_AS_GIVEN = "the curve is taken as given: one that was fitted or smoothed later was not known at the time"
_NO_INTERVAL = "no interval: the estimation error is not in these numbers (bootstrap_term_premium has it)"


@final
@dataclass(frozen=True, eq=False, repr=False)
class TermPremium:
    """Yields of the model, what an investor without a premium would ask, and the premium; prints itself.

    Attributes
    ----------
    fitted, risk_neutral, premium
        Fractions a year, by date and maturity in years; fitted = risk_neutral + premium.
    ex_post
        Whether dates use an estimate that later months have a part in.
    fit
        The estimate of the last date.
    persistence
        Largest modulus of the eigenvalues of the VAR, by date; at 1 or above expectations explode.
    notes
        How the numbers were made, a line each.
    low, high, standard_error
        Of the premium, where they were asked for.
    errors
        What they come from: errors of the premium on resampled histories, (n_resamples, n_rows, n_years).
    confidence
        Of low and high.
    """

    fitted: pd.DataFrame
    risk_neutral: pd.DataFrame
    premium: pd.DataFrame
    ex_post: bool
    fit: ACMFit
    persistence: pd.Series[float]
    notes: tuple[str, ...]
    low: pd.DataFrame | None = None
    high: pd.DataFrame | None = None
    standard_error: pd.DataFrame | None = None
    errors: FloatArray | None = None
    confidence: float | None = None

    __repr__ = show.premium_text
    _repr_html_ = show.premium_html

    def decomposition(self, years: float) -> YieldDecomposition:
        """Return the fitted yield of a maturity as expected rates and term premium."""
        if not is_number(years) or years not in self.fitted.columns:
            known = ", ".join(f"{each:g}" for each in self.fitted.columns)
            raise InputError("years", f"{years!r} is none of the maturities estimated: {known}")
        parts = {"expected rates": self.risk_neutral[years], "term premium": self.premium[years]}
        notes = (str(self.fit.model), *self.notes, *self.warnings)
        whole = self.fitted[years].rename("fitted yield")
        return YieldDecomposition(whole, pd.DataFrame(parts), float(years), self.ex_post, notes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the estimates, a line each; mostly nothing."""
        return (*self._explosive(), *self._extrapolated())

    def _explosive(self) -> tuple[str, ...]:
        explosive = self.persistence.index[self.persistence.to_numpy() >= 1.0]
        if not len(explosive):
            return ()
        span = f"{iso_date(explosive[0])} to {iso_date(explosive[-1])}"
        many = f"{len(explosive)} of {len(self.persistence):,} dates ({span})"
        return (f"the VAR explodes on {many}: expected rates there mean nothing",)

    def _extrapolated(self) -> tuple[str, ...]:
        longest = max(self.fit.model.months) / 12.0
        beyond = [f"{year:g}" for year in map(float, self.premium.columns) if year > longest + 1e-9]
        if not beyond:
            return ()
        return (
            f"{', '.join(beyond)} years: beyond the {longest:g} that the model reads, extrapolated by it",
        )


def estimate_term_premium(
    zeros: pd.DataFrame, years: Years = _ANNUAL, model: ACMModel | None = None
) -> TermPremium:
    """Return term premia by the estimator of Adrian, Crump and Moench (2013) on all months: in hindsight.

    The premium of a date is not what an investor would have estimated then: later months have a part in it.
    :func:`expanding_term_premium` is what could have been known.

    Parameters
    ----------
    zeros, model
        As for :func:`fit_acm`.
    years
        Maturities of the premia, whole numbers of months.

    Raises
    ------
    InputError
        As :func:`fit_acm`; a maturity of no whole months.
    """
    chosen = read_model(model)
    panel = read_panel(zeros, chosen)
    fit = estimate_rows(panel, len(panel.dates), chosen)
    found = _premium(fit, panel.dates, panel.factor_yields, years)
    return replace(found, notes=(*found.notes, *_fit_notes(zeros, found.fitted)))


def apply_acm(fit: ACMFit, zeros: pd.DataFrame, years: Years = _ANNUAL) -> TermPremium:
    """Return term premia of other dates by an estimate: of days by that on months, as the NY Fed does.

    Marked ex post unless every date comes after the last month of the estimate.
    """
    if not isinstance(fit, ACMFit):
        problem = f"expected an ACMFit, got {type(fit).__name__}"
        raise InputError("fit", problem, fix="pass what fit_acm returns")
    dates, values = read_zeros(zeros, sorted(fit.model.factor_months))
    places = np.searchsorted(sorted(fit.model.factor_months), np.asarray(fit.model.factor_months))
    found = _premium(fit, dates, values[:, places], years)
    if dates[0] <= fit.last:
        return found
    return replace(
        found, ex_post=False, notes=(f"by the estimate on months to {fit.last:%Y-%m-%d}", _NO_INTERVAL)
    )


def expanding_term_premium(
    zeros: pd.DataFrame, years: Years = _ANNUAL, model: ACMModel | None = None, *, first_years: float = 10.0
) -> TermPremium:
    """Return term premia as they could have been estimated at the time: each month by the months up to it.

    Components, VAR and prices of risk are all estimated again every month. The zero curve itself must have
    been known then: curves smoothed or revised later are a look-ahead that no estimator undoes.

    Parameters
    ----------
    zeros, years, model
        As for :func:`estimate_term_premium`.
    first_years
        Months before the first estimate, in years; at least 5.

    Raises
    ------
    InputError
        As :func:`estimate_term_premium`.
    InsufficientHistoryError
        A curve shorter than that.
    """
    chosen = read_model(model)
    panel = read_panel(zeros, chosen)
    refuse_no_number("first_years", first_years, "pass 10")
    first = max(round(first_years * 12) if 0.0 < first_years < np.inf else 0, 0)
    if first < FEWEST_MONTHS:
        problem = f"{first_years!r} years are {first} months, at least {FEWEST_MONTHS} are needed"
        raise InputError("first_years", problem, fix="pass 10")
    estimate_rows(panel, min(first, len(panel.dates)), chosen)  # refuses what is too short
    fits = []
    with progress_bar(len(panel.dates) + 1 - first, "month", "term premium in real time") as bar:
        for months in range(first, len(panel.dates) + 1):
            fits.append(estimate_rows(panel, months, chosen))
            bar.update()
    if not fits:
        problem = f"{len(panel.dates)} months, and the first estimate needs {first}"
        raise InputError("first_years", problem, fix="pass fewer")
    rows = [_split(fit, panel.factor_yields[fit.n - 1 : fit.n], _whole_months(years))[:, 0] for fit in fits]
    fitted, neutral = np.stack(rows, axis=1)
    notes = (_REAL_TIME, _AS_GIVEN, f"first estimate on {first} months", _NO_INTERVAL)
    found = _labelled(fitted, neutral, panel.dates[first - 1 :], years, fits, False, notes)
    return replace(found, notes=(*notes, *_fit_notes(zeros, found.fitted)))


def bootstrap_term_premium(
    zeros: pd.DataFrame,
    years: Years = _ANNUAL,
    model: ACMModel | None = None,
    *,
    confidence: float = 0.9,
    n_resamples: int = 200,
    block_length: int = 12,
    seed: int = 0,
) -> TermPremium:
    """Return the term premia of all months with intervals that know the model was estimated: in hindsight.

    A VAR looks less persistent than it is, which makes expected rates too stable (Bauer, Rudebusch and Wu,
    2012, Journal of Business & Economic Statistics 30(3)). Histories are therefore drawn from the model with
    that bias taken out (Kilian, 1998, Review of Economics and Statistics 80(2)) while the yields it fits stay
    as they are, its news and pricing errors resampled in blocks. The model is estimated again on each history
    and applied to the yields that were seen; the interval is the estimate less the quantiles of the errors.
    What is not in it is doubt about the model itself.

    Parameters
    ----------
    zeros, years, model
        As for :func:`estimate_term_premium`.
    confidence
        Of the interval of each date and maturity, on its own.
    n_resamples, block_length, seed
        Of the circular block bootstrap; the block in months.

    Raises
    ------
    InputError
        As :func:`estimate_term_premium`; an estimate that explodes, of which no history can be drawn.
    """
    refuse_bootstrap(confidence, n_resamples, seed)
    chosen, months = read_model(model), _whole_months(years)
    whole = estimate_term_premium(zeros, years, chosen)
    refuse_long_blocks(block_length, len(whole.premium), "months")
    errors, exploded = _errors(zeros, whole.fit, months, block_length, n_resamples, seed)
    centre, (below, above) = whole.premium.to_numpy(), _reach(errors, confidence)
    note = (
        f"low, high: {confidence:.0%} interval of each date by bootstrap of the VAR less its bias, "
        f"{n_resamples:,} histories, blocks of {block_length} months, seed {seed}; {exploded} of them gave "
        "an explosive estimate; the bias is out of the interval and not out of the estimate, which may lie "
        "outside"
    )
    like = whole.premium
    return replace(
        whole,
        notes=(_HINDSIGHT, note, *_fit_notes(zeros, whole.fitted)),
        low=pd.DataFrame(centre - below, like.index, like.columns),
        high=pd.DataFrame(centre - above, like.index, like.columns),
        standard_error=pd.DataFrame(errors.std(axis=0, ddof=1), like.index, like.columns),
        errors=errors,
        confidence=confidence,
    )


def term_premium_episodes(estimate: TermPremium, years: float, episodes: Episodes) -> EpisodeTable:
    """Return how far a yield, its expected rates and its term premium went in each episode, with intervals.

    The interval of a change is of the difference of two premia by one estimate, whose errors are much alike:
    it is narrower than what the intervals of the two dates suggest.

    Parameters
    ----------
    estimate
        Of :func:`bootstrap_term_premium`, or of another estimate, which has no interval.
    years
        One of its maturities.
    episodes
        As for :func:`episode_table`.

    Raises
    ------
    InputError
        A maturity that was not estimated, and as :func:`episode_table`.
    """
    if not isinstance(estimate, TermPremium):
        problem = f"expected a TermPremium, got {type(estimate).__name__}"
        raise InputError("estimate", problem, fix="pass what bootstrap_term_premium returns")
    whole = estimate.decomposition(years)
    table = episode_table(whole, episodes)
    if estimate.errors is None or estimate.confidence is None:
        return table
    begin, end = np.array(list(episode_rows(whole, episodes).values())).T
    errors = estimate.errors[:, :, estimate.premium.columns.get_loc(years)] * 1e4
    below, above = _reach(errors[:, end] - errors[:, begin], estimate.confidence)
    change = table.table["term premium"]
    interval = pd.DataFrame({"low": change - below, "high": change - above})
    note = (
        f"interval: {estimate.confidence:.0%}, of the change of the term premium; expected rates are the rest"
        ". The bias of the VAR is out of the interval and not out of the estimate, which may lie outside"
    )
    return replace(table, interval=interval, interval_note=note)


def _reach(errors: FloatArray, confidence: float) -> FloatArray:
    """Return what to take off an estimate for the low and for the high end, from errors along axis 0."""
    ends = [0.5 + confidence / 2.0, 0.5 - confidence / 2.0]
    return np.asarray(np.quantile(errors, ends, axis=0))


def _errors(
    zeros: pd.DataFrame, fit: ACMFit, months: list[int], block_length: int, n_resamples: int, seed: int
) -> tuple[FloatArray, int]:
    """Return errors of premia on drawn histories, (n_resamples, n_rows, n_years); how many exploded."""
    if not fit.persistence < 1.0:
        raise InputError("zeros", f"the VAR explodes: its largest modulus is {fit.persistence:.4f}")
    dates, values = read_zeros(zeros, fit.model.months)
    seen = panel_of(dates, values, fit.model).factor_yields
    factors, bootstrap = fit.factors(seen), CircularBlockBootstrap(block_length)
    level, slope = curve_loadings(fit, fit.model.months, risk_neutral=False)
    news = factors[1:] - factors[:-1] @ fit.transition.T
    misfit, rng = values - level - factors @ slope, np.random.default_rng(seed)
    truth = _less_biased(fit, factors[0], news, bootstrap, rng)
    premia, exploded = [], 0
    for rows in _drawn(bootstrap, len(news), n_resamples, rng):
        history = _history(factors[0], truth.transition, news[rows])
        curve = level + history @ slope + misfit[np.append(0, rows + 1)]
        again = estimate_rows(panel_of(dates, curve, fit.model), len(dates), fit.model)
        premia.append(_premia(again, seen, months))
        exploded += again.persistence >= 1.0
    return np.array(premia) - _premia(truth, seen, months), exploded


def _less_biased(
    fit: ACMFit,
    start: FloatArray,
    news: FloatArray,
    bootstrap: CircularBlockBootstrap,
    rng: np.random.Generator,
) -> ACMFit:
    """Return the estimate with the bias of Φ taken out, as far as it stays stable.

    λ1 moves with Φ, so that Φ - λ1, which prices bonds, and with it every fitted yield, stays.
    """
    found = []
    for rows in _drawn(bootstrap, len(news), _DRAWS_OF_BIAS, rng):
        history = _history(start, fit.transition, news[rows])
        centred = history - history.mean(axis=0)
        found.append(np.linalg.lstsq(centred[:-1], centred[1:], rcond=None)[0].T)
    bias = np.mean(found, axis=0) - fit.transition
    for part in np.linspace(1.0, 0.0, 51):
        transition = fit.transition - part * bias
        slope = fit.price_slope + transition - fit.transition
        corrected = replace(fit, transition=transition, price_slope=slope)
        if corrected.persistence < 1.0:
            return corrected
    return fit


def _drawn(
    bootstrap: CircularBlockBootstrap, n_rows: int, n_resamples: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    return (rows for chunk in bootstrap.rows(n_rows, n_resamples, rng) for rows in chunk)


def _premia(fit: ACMFit, factor_yields: FloatArray, months: list[int]) -> FloatArray:
    """Return the premia, shape (n_rows, n_years)."""
    fitted, neutral = _split(fit, factor_yields, months)
    return np.asarray(fitted - neutral)


def _history(start: FloatArray, transition: FloatArray, news: FloatArray) -> FloatArray:
    path = np.empty((len(news) + 1, len(start)))
    path[0] = start
    for row, each in enumerate(news):
        path[row + 1] = transition @ path[row] + each
    return path


def _premium(fit: ACMFit, dates: pd.DatetimeIndex, factor_yields: FloatArray, years: Years) -> TermPremium:
    fitted, neutral = _split(fit, factor_yields, _whole_months(years))
    return _labelled(fitted, neutral, dates, years, [fit] * len(dates), True, (_HINDSIGHT, _NO_INTERVAL))


def _fit_notes(zeros: pd.DataFrame, fitted: pd.DataFrame) -> tuple[str, ...]:
    """Return how far the fitted yields are from those given, refusing an estimate that is none."""
    given = dict(zip(fitted.columns, _whole_months(fitted.columns), strict=True))
    known = [year for year, month in given.items() if month in zeros.columns]
    if not known:
        return ()
    seen = zeros[[given[year] for year in known]].to_numpy(dtype=np.float64)[-len(fitted) :]
    errors = np.sqrt(np.mean((fitted[known].to_numpy() - seen) ** 2, axis=0)) * 1e4
    if errors.max() > _LARGEST_MISS:
        worst = known[int(errors.argmax())]
        problem = f"the model misses the {worst:g}-year yield by {errors.max():.3g} bp"
        fix = "leave out a maturity that is made from its neighbours, or pass fewer factors"
        raise InputError("zeros", problem, fix=fix)
    span = f"{errors.min():.2g} to {errors.max():.2g} bp"
    return (f"fitted less given yields: root mean square {span} by maturity",)


def _split(fit: ACMFit, factor_yields: FloatArray, months: list[int]) -> FloatArray:
    """Return fitted and risk-neutral yields, shape (2, n_rows, n_years)."""
    factors = fit.factors(factor_yields)
    loadings = [curve_loadings(fit, months, risk_neutral=neutral) for neutral in (False, True)]
    return np.stack([level + factors @ slope for level, slope in loadings])


def _labelled(
    fitted: FloatArray,
    neutral: FloatArray,
    dates: pd.DatetimeIndex,
    years: Years,
    fits: list[ACMFit],
    ex_post: bool,
    notes: tuple[str, ...],
) -> TermPremium:
    columns = pd.Index(list(years), name="years")
    by_fit = {id(fit): fit.persistence for fit in fits}
    persistence = pd.Series([by_fit[id(fit)] for fit in fits], index=dates)
    whole, expected, premium = (
        pd.DataFrame(each, dates, columns) for each in (fitted, neutral, fitted - neutral)
    )
    return TermPremium(whole, expected, premium, ex_post, fits[-1], persistence, notes)


def _whole_months(years: Years) -> list[int]:
    is_list = isinstance(years, Sequence | np.ndarray | pd.Index) and not isinstance(years, str)
    if not is_list or not all(is_number(year) and np.isfinite(year) for year in years):
        raise InputError("years", f"{years!r}: expected maturities in years", fix="pass (2, 5, 10)")
    months = [round(12 * year) for year in years]
    odd = [
        year for year, month in zip(years, months, strict=True) if month < 1 or abs(12 * year - month) > 1e-9
    ]
    if odd or not months or len(set(months)) < len(months):
        raise InputError(
            "years", f"{years!r}: expected different maturities of whole months", fix="(2, 5, 10)"
        )
    return months

"""Markov switching, estimated again and again on the past alone. Hamilton (1989); rests on statsmodels.

What the whole sample says about a date, the smoothed probability, sees the future, and so do parameters of
the whole sample: on the federal funds rate the two differ by up to 0.75. Labels known at the time are made
of filtered probabilities and of parameters estimated before.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, SolverError
from allocator.market import Market, Signal
from allocator.market.market import find_column, is_cut
from allocator.regimes._settings import refuse_huge, refuse_no_flag, refuse_no_market, whole_between
from allocator.regimes.publication import read_signal
from allocator.regimes.record import Codes, Regimes, coded_regimes, titled
from allocator.statistics._moments import is_rounding
from allocator.statistics._returns import read_numbers
from allocator.statistics._settings import refuse_no_seed

__all__ = ["MarkovFit", "MarkovModel", "fit_markov", "markov_regimes"]

FloatArray = NDArray[np.float64]
_MOST_ITERATIONS = 500
_MOST_LAGS, _MOST_STARTS, _MOST_OBSERVATIONS = 60, 1_000, 1_000_000
_EXPECTATION_STEPS = (5, 50)  # before BFGS; more of them where that failed
_SMALLEST_SHARE = 1e-6  # of the variance of a sample: a regime with less is a few equal values
_MOMENTS = ("variance", "mean")


@final
@dataclass(frozen=True)
class MarkovModel:
    """A normal variable whose mean, and variance, depend on a hidden regime.

    Parameters
    ----------
    n_regimes
        From 2 to 5.
    switching_variance
        Whether each regime has its own variance.
    order
        Lags of an autoregression of deviations from the mean of the regime, the same in all. Hamilton (1989).
    switching_lags
        Lags of the variable itself, with coefficients of each regime. Not together with ``order``.
    ordered_by
        "variance" or "mean", the moment that numbers the regimes from its smallest on, so that they do not
        swap between estimates (F160).
    """

    n_regimes: int = 2
    switching_variance: bool = True
    order: int = 0
    switching_lags: int = 0
    ordered_by: str = "variance"

    def __post_init__(self) -> None:
        whole_between("n_regimes", self.n_regimes, 2, 5, "two, mostly")
        refuse_no_flag("switching_variance", self.switching_variance)
        for name in ("order", "switching_lags"):
            whole_between(name, getattr(self, name), 0, _MOST_LAGS, "pass 0 for none")
        if self.order and self.switching_lags:
            problem = f"order {self.order!r} and switching_lags {self.switching_lags!r}"
            raise InputError("order", problem, fix="one of them, from 0")
        if self.ordered_by not in _MOMENTS:
            raise InputError("ordered_by", f"{self.ordered_by!r}", fix="'variance' or 'mean'")
        if self.ordered_by == "variance" and not self.switching_variance:
            raise InputError("ordered_by", "all regimes have one variance", fix="ordered_by='mean'")

    @property
    def n_before(self) -> int:
        """Observations at the beginning that are only looked back at."""
        return self.order + self.switching_lags

    @property
    def n_parameters(self) -> int:
        """Numbers to estimate."""
        k = self.n_regimes
        variances = k if self.switching_variance else 1
        return k * (k - 1) + k * (1 + self.switching_lags) + self.order + variances


@final
@dataclass(frozen=True, eq=False)
class MarkovFit:
    """An estimate on one sample; regimes are numbered by the moment of the model, from its smallest.

    Attributes
    ----------
    model
        What was estimated.
    log_likelihood
        At the best point found.
    means, variances
        Of the regimes, in the units of the series and its square, shape (n_regimes,); with
        ``switching_lags`` the mean is the intercept over one less the coefficients.
    transition
        Probability of going from a regime (row) to another (column), shape (n_regimes, n_regimes).
    filtered
        Probability of each regime (column) given the observations up to each, parameters of the whole sample.
    smoothed
        The same given all observations: for looking.
    converged
        Whether the optimiser says that it is done.
    n_starts, seed
        Random points that were tried beside the usual one.
    """

    model: MarkovModel
    log_likelihood: float
    means: FloatArray
    variances: FloatArray
    transition: FloatArray
    filtered: pd.DataFrame
    smoothed: pd.DataFrame
    converged: bool
    n_starts: int
    seed: int

    @property
    def status(self) -> str:
        """How the estimate ended."""
        done = "converged" if self.converged else "did not converge"
        return f"{done} from the best of {self.n_starts + 1} starts, seed {self.seed}"


def fit_markov(
    series: pd.Series[float], model: MarkovModel | None = None, *, n_starts: int = 10, seed: int = 0
) -> MarkovFit:
    """Estimate a Markov-switching model by maximum likelihood, on the whole sample: for looking.

    Each start gets five steps of expectation–maximisation; BFGS goes on from the best, after 50 more if it
    fails.

    Parameters
    ----------
    series
        Any numbers on increasing dates; the first ``order`` or ``switching_lags`` of them are conditioned on.
    model
        Two regimes with a mean and a variance each by default.
    n_starts
        Random starts beside the usual one.
    seed
        Of the starts.

    Raises
    ------
    InputError
        If the series is shorter than three observations a parameter.
    SolverError
        If statsmodels finds no maximum: the series never changes, or a regime shrinks to one value.
    ImportError
        Without statsmodels: ``pip install allocator-backtest[regimes]``.
    """
    chosen = _read_model(model)
    if not isinstance(series, pd.Series):
        raise InputError("series", f"expected a Series with dates, got {type(series).__name__}")
    values = read_numbers(series, "series")
    refuse_huge(values[:, np.newaxis], "series", None, series.index)
    _refuse_settings(chosen, n_starts, seed, len(values), "series")
    found = _estimate(values.tobytes(), chosen, n_starts, seed)
    if isinstance(found, str):
        what, fix = f"Markov switching on {len(values)} observations", "a smaller model or a longer sample"
        raise SolverError(what, "statsmodels", found, fix)
    result = _built(values / found.scale, chosen).smooth(found.parameters, cov_type="none")
    order, index = list(found.order), series.index[chosen.n_before :]
    fit = MarkovFit(
        model=chosen,
        log_likelihood=float(result.llf) - len(index) * float(np.log(found.scale)),
        means=found.means[order],
        variances=found.variances[order],
        transition=np.asarray(result.regime_transition)[:, :, 0].T[np.ix_(order, order)],
        filtered=pd.DataFrame(np.asarray(result.filtered_marginal_probabilities)[:, order], index=index),
        smoothed=pd.DataFrame(np.asarray(result.smoothed_marginal_probabilities)[:, order], index=index),
        converged=found.converged,
        n_starts=n_starts,
        seed=seed,
    )
    if not fit.converged:
        warnings.warn(f"Markov switching {fit.status}", RuntimeWarning, stacklevel=2)
    return fit


def markov_regimes(
    market: Market,
    series: str | Signal = "stocks",
    model: MarkovModel | None = None,
    *,
    refit_every: int,
    fewest: int = 120,
    n_starts: int = 10,
    seed: int = 0,
    ex_post: bool = False,
) -> Regimes:
    """Label periods by the likeliest regime of a Markov-switching model.

    Parameters
    ----------
    market
        With the asset or the signal.
    series
        An asset, for its returns; the name of a signal, or a signal, for its figures.
    model
        Two regimes with a mean and a variance each by default.
    refit_every
        Observations between estimates, each on all observations before it (an expanding window).
    fewest
        Observations of the first estimate; before it periods are unclassified.
    n_starts, seed
        As for :func:`fit_markov`, for each estimate.
    ex_post
        False: the largest filtered probability for the last observation known when the period began. True:
        the largest smoothed one for the period itself, from one estimate on all observations: for looking,
        and a backtest refuses it (F161).

    Returns
    -------
    Regimes
        The rule says how many estimates did not converge; a warning, too. Where one failed altogether the one
        before is kept. In the past of a strategy only the newest estimate is made.

    Raises
    ------
    InputError
        If there is no such series, the settings are out of range, or there are fewer observations than
        ``fewest`` or three a parameter.
    SolverError
        Ex post, as :func:`fit_markov`.
    ImportError
        Without statsmodels.
    """
    chosen = _read_model(model)
    refuse_no_market(market)
    refuse_no_flag("ex_post", ex_post)
    whole_between("fewest", fewest, 1, _MOST_OBSERVATIONS, "120 or so")
    _refuse_settings(chosen, n_starts, seed, fewest, "fewest")
    whole_between("refit_every", refit_every, 1, _MOST_OBSERVATIONS, "a number of observations: 12 or so")
    source = _source(market, series, ex_post)
    if len(source.values) < fewest and not is_cut(market):
        raise InputError("fewest", f"{source.name!r} has {len(source.values)} observations, not {fewest}")
    names = _names(source.name, chosen)
    title = f"{titled(source.name)} Markov switching"
    if ex_post:
        likeliest, rule = _smoothed(market, source, chosen, fewest, n_starts, seed)
        own = partial(_codes_of_the_period, market, source, likeliest, chosen.n_regimes)
        return coded_regimes(market, own, names, title, rule, True)
    plan = _Plan(chosen, refit_every, fewest, n_starts, seed)
    rule = f"{chosen.n_regimes} regimes, filtered, {plan.text()}; {_status(market, source, plan)}"
    codes = partial(_filtered_codes, market, source, plan)
    return coded_regimes(market, codes, names, title, rule, False)


@dataclass(frozen=True)
class _Estimate:
    """Parameters in units of the deviation of the sample, and the regimes in their order."""

    parameters: FloatArray
    scale: float
    means: FloatArray
    variances: FloatArray
    order: tuple[int, ...]
    converged: bool


@dataclass(frozen=True)
class _Plan:
    """When is estimated, on how many observations, and how."""

    model: MarkovModel
    refit_every: int
    fewest: int
    n_starts: int
    seed: int

    def size(self, known: int) -> int:
        """Return the observations of the newest estimate when so many are known, at least ``fewest``."""
        return self.fewest + (known - self.fewest) // self.refit_every * self.refit_every

    def sizes(self, known: int) -> range:
        """Return the observations of all estimates up to then."""
        return range(self.fewest, known + 1, self.refit_every)

    def estimate(self, values: FloatArray, size: int) -> _Estimate | None:
        """Return the estimate on so many values; the one before where it failed, None where all did."""
        for smaller in reversed(self.sizes(size)):
            found = _estimate(values[:smaller].tobytes(), self.model, self.n_starts, self.seed)
            if not isinstance(found, str):
                return found if smaller == size else replace(found, converged=False)
        return None

    def text(self) -> str:
        return f"estimated on all observations before, every {self.refit_every} from {self.fewest} on"


@dataclass(frozen=True, eq=False)
class _Source:
    """A series up to the market's last date: an asset's returns or a signal's figures.

    ``first`` is the row on which the asset is listed; ``signal`` holds the figures where there is no asset.
    """

    name: str
    values: FloatArray
    first: int
    signal: Signal | None

    def known_on(self, market: Market, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the observations known at the close of each row; -1 after a delisting."""
        if self.signal is not None:
            dates = market.index[rows]
            return np.asarray(self.signal.values.index.searchsorted(dates, side="right"), dtype=np.int64)
        known = np.maximum(rows - self.first, 0)
        return np.where(known > len(self.values), -1, known)


def _source(market: Market, series: str | Signal, ex_post: bool) -> _Source:
    column = find_column(market, series) if isinstance(series, str) else None
    if column is None:
        if isinstance(series, str) and series not in market.signals:
            has = ", ".join((*market.assets, *market.signals))
            raise InputError("series", f"no asset or signal {series!r}", fix=f"the market has: {has}")
        name, signal = read_signal(market, series, ex_post, "series")
        return _Source(name, np.asarray(signal.values, dtype=np.float64), 0, signal)
    if series in market.signals:
        raise InputError("series", f"{series!r} is an asset and a signal", fix=f"market.signal({series!r})")
    first, stop = int(market.listed_from[column]), int(market.listed_until[column])
    levels = market.levels[first:stop, column]
    return _Source(str(series), levels[1:] / levels[:-1] - 1.0, first, None)


def _names(name: str, model: MarkovModel) -> tuple[str, ...]:
    if model.n_regimes == 2:
        return (f"{name}: lower {model.ordered_by}", f"{name}: higher {model.ordered_by}")
    k = model.n_regimes
    return tuple(f"{name}: {model.ordered_by} {number} of {k}" for number in range(1, k + 1))


def _status(market: Market, source: _Source, plan: _Plan) -> str:
    """Return how many estimates did not converge, and warn of it: of all, in a strategy's past the newest."""
    known = len(source.values)
    starts = f"best of {plan.n_starts + 1} starts each, seed {plan.seed}"
    if known < plan.fewest:
        return starts
    sizes = [plan.size(known)] if is_cut(market) else plan.sizes(known)
    found = [(size, plan.estimate(source.values, size)) for size in sizes]
    failed = [size for size, estimate in found if estimate is None or not estimate.converged]
    if not failed:
        return f"{starts}, all {len(sizes)} converged"
    text = f"{len(failed)} of {len(sizes)} did not converge, first that on {failed[0]} observations"
    warnings.warn(f"Markov switching of {source.name!r}: {text} ({starts})", RuntimeWarning, stacklevel=3)
    return f"{starts}, {text}"


def _filtered_codes(market: Market, source: _Source, plan: _Plan, first: int, stop: int) -> Codes:
    """Return the likeliest regime of the last observation known when the period of each row began."""
    known = source.known_on(market, np.arange(first - 1, stop - 1))
    codes = np.full(stop - first, plan.model.n_regimes)
    ready = known >= plan.fewest
    sizes = np.where(ready, plan.fewest + (known - plan.fewest) // plan.refit_every * plan.refit_every, 0)
    for size in np.unique(sizes[ready]):
        here = sizes == size
        estimate = plan.estimate(source.values, int(size))
        if estimate is not None:
            probabilities = _filtered(source.values[: known[here].max()], plan.model, estimate)
            codes[here] = probabilities.argmax(axis=1)[known[here] - 1 - plan.model.n_before]
    return codes


def _filtered(values: FloatArray, model: MarkovModel, found: _Estimate) -> FloatArray:
    """Return filtered probabilities of the regimes in their order, shape (n_periods, n_regimes)."""
    result = _built(values / found.scale, model).filter(found.parameters, cov_type="none")
    return np.asarray(result.filtered_marginal_probabilities)[:, list(found.order)]


def _smoothed(
    market: Market, source: _Source, model: MarkovModel, fewest: int, n_starts: int, seed: int
) -> tuple[Codes, str]:
    """Return the likeliest regime of each observation, from one estimate on all, and what it rests on."""
    if source.signal is not None:
        source.signal.as_described_on(market.index[:0])  # refuses figures that do not say what they describe
        dates = pd.DatetimeIndex(source.signal.values.index)
    else:
        dates = market.index[source.first + 1 : source.first + 1 + len(source.values)]
    codes = np.full(len(dates), model.n_regimes, dtype=np.int64)
    rule = f"{model.n_regimes} regimes, smoothed: the whole sample says which"
    if len(dates) < fewest:
        return codes, rule
    fit = fit_markov(pd.Series(source.values, index=dates), model, n_starts=n_starts, seed=seed)
    codes[model.n_before :] = fit.smoothed.to_numpy().argmax(axis=1)
    return codes, f"{rule}; {fit.status}"


def _codes_of_the_period(
    market: Market, source: _Source, codes: Codes, neither: int, first: int, stop: int
) -> Codes:
    """Return the code of the observation of each period itself."""
    if source.signal is None:
        places = np.arange(first, stop) - source.first - 1
        places = np.where((places < 0) | (places >= len(codes)), -1, places)
        return np.asarray(np.append(codes, neither)[places])
    coded = pd.Series(codes, index=source.signal.values.index, dtype=float)
    described = Signal(coded, source.signal.describes)
    found = described.as_described_on(market.index[first:stop])
    return np.asarray(np.where(np.isnan(found), neither, found), dtype=np.int64)


def _read_model(model: Any) -> MarkovModel:
    if model is not None and not isinstance(model, MarkovModel):
        problem = f"expected a MarkovModel, got {type(model).__name__}"
        raise InputError("model", problem, fix="pass al.MarkovModel(n_regimes=2)")
    return MarkovModel() if model is None else model


def _refuse_settings(model: MarkovModel, n_starts: Any, seed: Any, n: int, argument: str) -> None:
    whole_between("n_starts", n_starts, 0, _MOST_STARTS, "pass 10 or more")
    refuse_no_seed(seed)
    least = 3 * model.n_parameters + model.n_before
    if n < least:
        problem = f"{n} observations for {model.n_parameters} parameters"
        raise InputError(argument, problem, fix=f"at least {least}, or a smaller model")


# The same prefixes are asked for at every decision of a run; an estimate depends on nothing else.
@lru_cache(maxsize=256)
def _estimate(data: bytes, model: MarkovModel, n_starts: int, seed: int) -> _Estimate | str:
    """Return the estimate on these numbers, or why there is none."""
    values = np.frombuffer(data)
    scale = float(values.std())
    if is_rounding(np.array(scale), values):
        return "it never changes"
    built = _built(values / scale, model)  # divided by their deviation for the optimiser
    status = ""
    for steps in _EXPECTATION_STEPS:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # convergence is read below, and said
            try:
                result = built.fit(
                    search_reps=n_starts,
                    rng=seed,
                    em_iter=steps,
                    cov_type="none",
                    maxiter=_MOST_ITERATIONS,
                    disp=0,
                )
            except (np.linalg.LinAlgError, ValueError, RuntimeError) as error:
                status = str(error)
                continue
        found = _found(built, result, model, scale)
        if found is not None:
            return found
        status = "a regime shrank to one value, where the likelihood has no bound"
    return status


def _found(built: Any, result: Any, model: MarkovModel, scale: float) -> _Estimate | None:
    """Return what an optimiser found, or None where it is no model."""
    parameters = np.asarray(result.params, dtype=np.float64)
    if not (np.isfinite(result.llf) and np.isfinite(parameters).all()):
        return None
    means, variances = _moments(built, parameters, model, scale)
    if variances.min() <= _SMALLEST_SHARE * scale**2:
        return None
    order = np.argsort(variances if model.ordered_by == "variance" else means, kind="stable")
    done = bool(result.mle_retvals["converged"])
    return _Estimate(parameters, scale, means, variances, tuple(map(int, order)), done)


def _built(values: FloatArray, model: MarkovModel) -> Any:
    """Return the model of statsmodels."""
    try:
        from statsmodels.tsa.regime_switching.markov_autoregression import MarkovAutoregression
        from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression
    except ImportError as error:
        raise ImportError("Markov switching needs: pip install allocator-backtest[regimes]") from error
    k, lags = model.n_regimes, model.switching_lags
    if model.order:
        return MarkovAutoregression(
            values, k, model.order, switching_ar=False, switching_variance=model.switching_variance
        )
    columns = [values[lags - lag : len(values) - lag] for lag in range(1, lags + 1)]
    past = np.column_stack(columns) if columns else None
    return MarkovRegression(values[lags:], k, exog=past, switching_variance=model.switching_variance)


def _moments(
    built: Any, parameters: FloatArray, model: MarkovModel, scale: float
) -> tuple[FloatArray, FloatArray]:
    """Return means and variances of the regimes as statsmodels numbers them, in the units of the series."""
    means, variances = np.empty((2, model.n_regimes))
    for regime in range(model.n_regimes):
        intercept, *slopes = parameters[built.parameters[regime, "exog"]]
        means[regime] = scale * intercept / (1.0 - sum(slopes))
        variances[regime] = scale**2 * parameters[built.parameters[regime, "variance"]].item()
    return means, variances

"""By which means a debt was handled, year by year: growth, inflation, monetization, tightening, or none.

The rule is open: what each means took off the ratio is measured in points of GDP, a means counts only in
years that bear its signature, the largest that counts gives the label if it did its share of the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import NamedTuple, final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.errors import InputError, iso_date
from allocator.frequency import infer_frequency
from allocator.macro.debt import show
from allocator.macro.debt.accounts import CENTRAL_BANK, MARKET_RATE, period_name
from allocator.macro.debt.contributions import DebtContributions, debt_contributions
from allocator.macro.debt.law import read_number
from allocator.market import Market
from allocator.market.prices import validate_index
from allocator.regimes._settings import refuse_no_dates, refuse_no_market
from allocator.regimes.given import given_labels
from allocator.regimes.record import UNCLASSIFIED, Regimes, present

__all__ = ["MEANS", "NONE", "DebtRegimes", "DebtRule", "debt_regimes"]

FloatArray = NDArray[np.float64]
Codes = NDArray[np.int64]
MEANS = ("growth", "inflation", "monetization", "tightening")
NONE = "none"
_NAMES = (*MEANS, NONE)


@final
@dataclass(frozen=True)
class DebtRule:
    """The thresholds of the classification; all fractions.

    Attributes
    ----------
    inflation_above
        Inflation of the GDP price from which it counts as a means, and is not the usual drift of prices.
    real_rate_below
        The real rate below which debt is inflated away (the effective rate on it) and rates count as held
        down (the market rate).
    deficit_above
        Without holdings of the central bank: the primary deficit over GDP from which a deficit at rates
        held down is taken for one that is monetized.
    deficit_at_most
        The largest primary deficit over GDP that goes with fiscal discipline.
    coverage
        The share of what pushed the ratio up that the means must have matched.
    """

    inflation_above: float = 0.03
    real_rate_below: float = 0.0
    deficit_above: float = 0.03
    deficit_at_most: float = 0.01
    coverage: float = 0.5

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            half = "0.5 for half" if field.name == "coverage" else "0.03 for 3 %"
            read_number(value, field.name, fix=f"pass a fraction, {half}")
            if field.name != "coverage" and abs(value) > 1.0:
                raise InputError(
                    field.name,
                    f"{value!r} is no fraction: it would be {value:.0%}",
                    fix=f"pass a fraction, {half}",
                )
        if not 0.0 <= self.coverage <= 1.0:
            problem = f"{self.coverage!r} is not between 0 and 1"
            raise InputError("coverage", problem, fix="0.5: half of what pushed the ratio up")


class _Thresholds(NamedTuple):
    """Those of a rule, moved for the confidence: a coverage of 1 moves beyond what a rule may ask."""

    inflation_above: float
    real_rate_below: float
    deficit_above: float
    deficit_at_most: float
    coverage: float


# Confidence: every threshold moved by this, either way, and every measurement by a tenth.
_STEPS = DebtRule(0.01, 0.005, 0.01, 0.005, 0.1)
_MEASUREMENT = 0.1
_USUAL = DebtRule()


@final
@dataclass(frozen=True, eq=False, repr=False)
class DebtRegimes:
    """A label for each period of a debt's accounts, and why.

    Attributes
    ----------
    table
        A row a period: ``label``, ``confidence`` (the share of variants of the rule that give the same label:
        each threshold moved down, kept, moved up, each means measured a tenth lower or higher), ``lead`` (of
        the chosen means over the next that counts, points of GDP as a fraction), the four means in points of
        GDP and whether each counts (``growth_counts`` ...), ``pushed_up`` (interest, deficit and stock-flow
        that raised the ratio), the real rates, the change of the primary deficit, and ``reason``.
    contributions
        What the ratio was moved by.
    rule
        The thresholds.
    proxies
        What stood in for signals that were not given, a line each.
    """

    table: pd.DataFrame
    contributions: DebtContributions
    rule: DebtRule
    proxies: tuple[str, ...]

    __repr__ = show.regimes_text
    _repr_html_ = show.regimes_html

    def known(self, market: Market, publication_lag: int) -> Regimes:
        """Return the newest label known when each period of a market began, which a backtest may use.

        The figures of a US fiscal year are published in October, 31 days after it at the latest (30 days
        after June before 1977). Revisions are not undone.

        Raises
        ------
        InputError
            As :func:`given_labels`, or if the accounts are by number of year and not by date.
        """
        refuse_no_market(market)
        return given_labels(market, self._dated(), publication_lag)

    def hindsight(self, dates: pd.DatetimeIndex) -> Regimes:
        """Return the label of the time around each date, marked ex post: not known then.

        A yearly return has the label of the last period of the accounts that ends by its date; any shorter
        one that of the period in which it ends. Before the first label dates are unclassified.

        Raises
        ------
        InputError
            If a date is after the last label (F147), or the accounts are by number of year.
        """
        refuse_no_dates(dates, "dates")
        labels, index = self._dated(), validate_index(dates, "dates")
        ends = pd.DatetimeIndex(labels.index)
        yearly = infer_frequency(index, "dates").name == "yearly"
        rows = ends.searchsorted(index, side="right") - 1 if yearly else ends.searchsorted(index, side="left")
        late = (index - ends[-1]).days > 200 if yearly else np.asarray(index > ends[-1])
        _refuse_late(index[late], ends[-1], len(index))
        early = rows < 0 if yearly else np.asarray(index <= ends[0] - (ends[1] - ends[0]))
        texts = np.where(early, UNCLASSIFIED, labels.to_numpy(dtype=object)[np.maximum(rows, 0)])
        found = pd.Series(texts, index=index, name="Debt", dtype=object)
        rule = f"{show.rule_text(self.rule)}; the accounts of the period itself, published after it"
        return Regimes(found, "How the debt was handled", rule, True, present(found, _NAMES))

    def _dated(self) -> pd.Series[str]:
        labels = self.table["label"]
        if not isinstance(labels.index, pd.DatetimeIndex):
            raise InputError(
                "accounts.index", "years as numbers do not say when a year ended", fix="give the last dates"
            )
        return pd.Series(pd.Categorical(labels, categories=list(_NAMES)), labels.index, name="Debt")


def debt_regimes(accounts: pd.DataFrame, rule: DebtRule = _USUAL) -> DebtRegimes:
    """Say by which means a debt was handled in each period.

    Each means is measured in points of GDP, and counts only with its signature:

    ============  =================================================  =====================================
    means         measured by                                        counts if
    ============  =================================================  =====================================
    growth        what real growth took off the ratio                real growth is above the real
                                                                     effective rate
    inflation     what inflation took off the ratio                  inflation is ``inflation_above`` or
                                                                     more, and the real effective rate is
                                                                     under ``real_rate_below``
    monetization  net purchases of the central bank                  it bought, and the real market rate is
                                                                     under ``real_rate_below``
    tightening    the primary surplus, or the fall of the primary    the primary deficit is at most
                  deficit, whichever is larger                       ``deficit_at_most``
    ============  =================================================  =====================================

    The label is the largest that counts, provided that it matches ``coverage`` of what pushed the ratio up
    (interest, primary deficit, stock-flow); otherwise ``none``. A tie goes to the first in the table.

    Where ``central_bank_share`` is not given, a primary deficit of ``deficit_above`` or more at a market rate
    held down stands in for purchases, with its own size; where ``market_rate`` is not, the effective rate
    stands in for it. ``proxies`` says so.

    Parameters
    ----------
    accounts
        As :func:`debt_accounts` returns: the labels begin with the second row. By year: thresholds on
        deficit, growth and inflation are a year's.
    rule
        Thresholds.

    Raises
    ------
    InputError
        As :func:`debt_accounts`; for quarterly accounts.
    """
    if not isinstance(rule, DebtRule):
        problem = f"expected a DebtRule, got {type(rule).__name__}"
        raise InputError("rule", problem, fix="DebtRule(coverage=0.5)")
    contributions = debt_contributions(accounts)
    _refuse_quarters(contributions.accounts.index)
    signals = _Signals.of(contributions)
    codes, scores, counts = _classified(signals, rule)
    agreeing = [_classified(shaken, other)[0] == codes for shaken, other in _variants(signals, rule)]
    table = pd.DataFrame(
        {
            "label": np.array(_NAMES, dtype=object)[codes],
            "confidence": np.mean(agreeing, axis=0),
            "lead": _lead(codes, scores, counts),
            **{name: scores[:, place] for place, name in enumerate(MEANS)},
            **{f"{name}_counts": counts[:, place] for place, name in enumerate(MEANS)},
            "pushed_up": signals.pushed_up,
            "real_rate": signals.real_rate,
            "real_market_rate": signals.real_market_rate,
            "deficit_change": signals.deficit_change,
        },
        index=contributions.exact.index,
    )
    table["reason"] = [show.reason_text(row) for row in table.to_dict("records")]
    return DebtRegimes(table, contributions, rule, signals.proxies)


@dataclass(frozen=True)
class _Signals:
    """What the rule looks at, arrays of shape (n_periods,); ``scores`` has shape (n_periods, 4)."""

    scores: FloatArray
    growth: FloatArray
    inflation: FloatArray
    real_rate: FloatArray
    real_market_rate: FloatArray
    primary_deficit: FloatArray
    deficit_change: FloatArray
    pushed_up: FloatArray
    has_holdings: bool
    proxies: tuple[str, ...]

    @classmethod
    def of(cls, contributions: DebtContributions) -> _Signals:
        """Return the signals of some contributions."""
        exact, accounts = contributions.exact, contributions.accounts.iloc[1:]
        deficit = accounts["primary_deficit"]
        change = deficit.diff().to_numpy()
        inflation = accounts["inflation"].to_numpy()
        has_rate, has_holdings = MARKET_RATE in accounts, CENTRAL_BANK in accounts
        rate = accounts[MARKET_RATE if has_rate else "interest_rate"].to_numpy()
        pushes = exact[["interest", "primary_deficit", "stock_flow"]].clip(lower=0.0).sum(axis=1)
        f = deficit.to_numpy()
        bought = _purchases(contributions.accounts) if has_holdings else f
        # The change of the first year is not known: then only a surplus shows discipline.
        tightened = np.fmax(-f, -change)
        scores = [-exact["growth"], -exact["inflation"], bought, tightened]
        return cls(
            np.column_stack(scores),
            accounts["growth"].to_numpy(),
            inflation,
            contributions.measures["real_rate"].to_numpy(),
            (1.0 + rate) / (1.0 + inflation) - 1.0,
            f,
            change,
            pushes.to_numpy(),
            has_holdings,
            _proxies(has_rate, has_holdings),
        )


def _purchases(accounts: pd.DataFrame) -> FloatArray:
    """Return the rise of the central bank's holdings over GDP, shape (n_periods,)."""
    held = (accounts[CENTRAL_BANK] * accounts["debt"]).to_numpy()
    size = ((1.0 + accounts["growth"]) * (1.0 + accounts["inflation"])).to_numpy()[1:]
    return np.asarray(held[1:] - held[:-1] / size)


def _proxies(has_rate: bool, has_holdings: bool) -> tuple[str, ...]:
    rate = "no market_rate given: the effective rate on the debt stands in for it"
    holdings = "no central_bank_share given: a large primary deficit at rates held down stands in for it"
    return (*(() if has_rate else (rate,)), *(() if has_holdings else (holdings,)))


def _classified(
    signals: _Signals, rule: DebtRule | _Thresholds
) -> tuple[Codes, FloatArray, NDArray[np.bool_]]:
    """Return the number of each label, the four measurements, and which of them count."""
    scores, s = signals.scores, signals
    held_down = s.real_market_rate < rule.real_rate_below
    enough = s.scores[:, 2] > 0.0 if s.has_holdings else s.primary_deficit >= rule.deficit_above
    counts = np.column_stack(
        [
            s.growth > s.real_rate,
            (s.inflation >= rule.inflation_above) & (s.real_rate < rule.real_rate_below),
            held_down & enough,
            s.primary_deficit <= rule.deficit_at_most,
        ]
    )
    counts &= scores > 0.0
    eligible = np.where(counts, scores, -np.inf)
    best = eligible.argmax(axis=1)
    most = eligible[np.arange(len(best)), best]
    enough_done = np.isfinite(most) & (most >= rule.coverage * s.pushed_up)
    return np.where(enough_done, best, len(MEANS)), scores, counts


def _variants(signals: _Signals, rule: DebtRule) -> Iterator[tuple[_Signals, _Thresholds]]:
    """Yield the rule with each threshold moved or kept, each under each mistake of measurement."""
    moved = [
        [getattr(rule, field.name) + sign * getattr(_STEPS, field.name) for sign in (-1, 0, 1)]
        for field in fields(rule)
    ]
    mistakes = [np.ones(len(MEANS))]
    for place, size in product(range(len(MEANS)), (-_MEASUREMENT, _MEASUREMENT)):
        mistakes.append(np.ones(len(MEANS)) + size * (np.arange(len(MEANS)) == place))
    shaken = [replace(signals, scores=signals.scores * mistake) for mistake in mistakes]
    for thresholds in product(*moved):
        other = _Thresholds(*thresholds)
        yield from ((each, other) for each in shaken)


def _lead(codes: Codes, scores: FloatArray, counts: NDArray[np.bool_]) -> FloatArray:
    """Return by how much the chosen means beats the next that counts, or 0; NaN where none was chosen."""
    eligible = np.sort(np.where(counts, scores, 0.0), axis=1)
    return np.where(codes < len(MEANS), eligible[:, -1] - eligible[:, -2], np.nan)


def _refuse_quarters(index: pd.Index) -> None:
    if isinstance(index, pd.DatetimeIndex) and len(index) > 1 and (index[1] - index[0]).days < 300:
        raise InputError(
            "accounts",
            f"quarterly ({period_name(index[0])}, {period_name(index[1])}): the thresholds are a year's",
            fix="pass a row a year",
        )


def _refuse_late(dates: pd.DatetimeIndex, last: pd.Timestamp, n_dates: int) -> None:
    if len(dates):
        raise InputError(
            "dates",
            f"the last label is of {iso_date(last)}: none for {len(dates)} of {n_dates} dates",
            date=dates[0],
            fix="cut the table there",
        )

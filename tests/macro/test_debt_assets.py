"""Assets by debt regime: means by definition, differences against Welch, readings against their rule."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.errors import InputError
from allocator.macro.debt.assets import _difference, _verdict
from allocator.regimes import Regimes

QUICK = {"n_resamples": 60}
LABELS = ("growth", "inflation", "monetization", "tightening", "none")


def world(n: int = 100, seed: int = 0, **shifts: float) -> tuple[pd.DataFrame, Regimes, pd.Series]:
    """Three assets of noise over cash 0.02; ``shifts`` are added in years of inflation."""
    dates = pd.DatetimeIndex([f"{year}-12-31" for year in range(1920, 1920 + n)])
    rng = np.random.default_rng(seed)
    labels = pd.Series(np.array(LABELS, dtype=object)[np.arange(n) % 5], index=dates)
    names = ["stocks", "bonds", "gold"]
    returns = pd.DataFrame(rng.normal(0.05, 0.05, (n, 3)), index=dates, columns=names)
    for name, shift in shifts.items():
        returns.loc[labels == "inflation", name] += shift
    return returns, Regimes(labels, "Debt", "made up", True, LABELS), pd.Series(0.02, dates, name="cash")


@lru_cache
def us() -> al.AssetsByDebtRegime:
    market = al.load_us_history()
    regimes = al.debt_regimes(al.debt_accounts(al.load_us_debt()))
    returns = market.returns.loc["1940":, ["stocks", "bonds", "gold"]].copy()
    returns.loc[:"1971-06-30", "gold"] = np.nan  # an official price
    cash = market.cash_returns.loc["1940":]
    return al.assets_by_debt_regime(returns, regimes.hindsight(returns.index), cash, **QUICK)


def test_means_are_those_of_the_years_over_cash():
    returns, regimes, cash = world()
    table = al.assets_by_debt_regime(returns, regimes, cash, **QUICK).table
    for label in LABELS:
        chosen = regimes.labels == label
        row = table.loc[("gold", label)]
        assert row["n"] == 20
        assert row["mean"] == pytest.approx((returns["gold"] - 0.02)[chosen].mean(), abs=1e-15)
        other = (returns["gold"] - 0.02)[~chosen].mean()
        assert row["difference"] == pytest.approx(row["mean"] - other, abs=1e-15)


def test_a_spread_is_not_over_cash():
    returns, regimes, cash = world()
    table = al.assets_by_debt_regime(returns, regimes, cash, **QUICK).table
    chosen = regimes.labels == "inflation"
    spread = (returns["stocks"] - returns["bonds"])[chosen].mean()
    assert table.loc[("stocks less bonds", "inflation"), "mean"] == pytest.approx(spread, abs=1e-15)


def test_changes_are_taken_as_they_are_and_may_begin_late_and_end_early():
    returns, regimes, cash = world()
    dollar = returns["gold"].iloc[5:90].rename("dollar").to_frame()
    result = al.assets_by_debt_regime(returns, regimes, cash, changes=dollar, **QUICK)
    row = result.table.loc[("dollar", "monetization")]
    chosen = regimes.labels.iloc[5:90] == "monetization"
    assert row["n"] == 17
    assert row["mean"] == pytest.approx(dollar["dollar"][chosen].mean(), abs=1e-15)


def test_an_asset_may_begin_late():
    returns, regimes, cash = world()
    returns.loc[returns.index[:30], "gold"] = np.nan
    table = al.assets_by_debt_regime(returns, regimes, cash, **QUICK).table
    assert table.loc["gold", "n"].sum() == 70
    assert table.loc["stocks", "n"].sum() == 100


def test_a_monthly_panel_is_shown_a_year():
    dates = pd.date_range("1990-01-31", periods=240, freq="ME")
    labels = pd.Series(np.array(["growth", "inflation"], dtype=object)[np.arange(240) // 20 % 2], index=dates)
    regimes = Regimes(labels, "Debt", "made up", True, ("growth", "inflation"))
    returns = pd.DataFrame({"stocks": np.random.default_rng(1).normal(0.01, 0.03, 240)}, index=dates)
    result = al.assets_by_debt_regime(returns, regimes, pd.Series(0.0, dates), **QUICK)
    chosen = (labels == "growth").to_numpy()
    assert result.table.loc[("stocks", "growth"), "mean"] == pytest.approx(
        12 * returns["stocks"][chosen].mean(), abs=1e-14
    )
    assert "× 12 for a year" in str(result)


# --- the difference ------------------------------------------------------------------------------


def test_without_dependence_the_difference_is_welchs():
    """Kernel of bandwidth 0 at no autocorrelation: the interval of scipy's unequal-variance t test."""
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(5)
    errors = []
    for _ in range(60):
        values = rng.normal(0.0, 1.0, 400)
        inside = rng.random(400) < 0.2
        ours = _difference(values, inside, 0.95, 5)
        welch = ttest_ind(values[inside], values[~inside], equal_var=False)
        low, high = welch.confidence_interval(0.95)
        assert ours[0] == pytest.approx(values[inside].mean() - values[~inside].mean())
        errors.append((ours[2] - ours[1]) / (high - low))
    assert min(errors) > 1.0 - 1e-9
    assert np.median(errors) < 1.03


def test_dependence_widens_the_difference():
    """An autoregression of 0.7 in regimes that last: near √((1 + 0.7) / (1 - 0.7)) = 2.4 times as wide."""
    ratios = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        values = rng.normal(0.0, 1.0, 600)
        for t in range(1, 600):
            values[t] += 0.7 * values[t - 1]
        inside = np.arange(600) // 50 % 2 == 0
        alone = _difference(rng.permutation(values), inside, 0.95, 5)
        together = _difference(values, inside, 0.95, 5)
        ratios.append((together[2] - together[1]) / (alone[2] - alone[1]))
    assert 1.8 < np.mean(ratios) < 2.5


def test_the_difference_is_never_surer_than_welchs():
    rng = np.random.default_rng(3)
    values = rng.normal(0.0, 1.0, 300)
    for t in range(1, 300):
        values[t] -= 0.8 * values[t - 1]
    inside = np.arange(300) // 30 % 2 == 0
    _, low, high, _ = _difference(values, inside, 0.95, 5)
    spread = np.sqrt(sum(values[group].var(ddof=1) / group.sum() for group in (inside, ~inside)))
    assert high - low == pytest.approx(2 * 1.968 * spread, rel=2e-3)


def test_the_interval_of_the_difference_covers_in_few_years():
    """Nine years of 86, twice as volatile as the rest: 95 % means about 95 %."""
    rng, inside, covered = np.random.default_rng(4), np.zeros(86, bool), 0
    inside[[2, 3, 4, 5, 70, 71, 72, 80, 81]] = True
    for _ in range(1500):
        values = rng.normal(0.0, np.where(inside, 0.2, 0.1))
        _, low, high, p = _difference(values, inside, 0.95, 5)
        covered += low <= 0.0 <= high
        assert (p < 0.05) == (not low <= 0.0 <= high)
    assert 0.93 < covered / 1500 < 0.975


def test_a_difference_needs_five_years_on_both_sides():
    values = np.random.default_rng(0).normal(size=40)
    for size, known in ((4, False), (5, True), (35, True), (36, False)):
        difference = _difference(values, np.arange(40) < size, 0.95, 5)
        assert np.isfinite(difference[0]) == known


def test_a_series_that_never_moves_has_a_difference_and_no_interval():
    difference = _difference(np.zeros(40), np.arange(40) < 20, 0.95, 5)
    assert difference[0] == 0.0
    assert np.isnan(difference[1:]).all()


# --- the reading ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "low", "high", "verdict"),
    [
        (1, 0.01, 0.05, "supported"),
        (1, -0.05, -0.01, "contradicted"),
        (1, -0.01, 0.05, "undecided"),
        (-1, -0.05, -0.01, "supported"),
        (-1, 0.01, 0.05, "contradicted"),
        (0, 0.01, 0.05, "contradicted"),
        (0, -0.05, -0.01, "contradicted"),
        (0, -0.01, 0.01, "undecided"),
        (1, 0.0, 0.05, "undecided"),
        (1, float("nan"), float("nan"), "undecided"),
    ],
)
def test_the_rule_of_the_verdict(expected, low, high, verdict):
    assert _verdict(expected, low, high) == verdict


def test_worlds_of_known_truth_are_read_right():
    expectation = (al.Expectation("D2", "inflation", "gold", 1, less="bonds"),)
    for shift, verdict in ((0.2, "supported"), (-0.2, "contradicted")):
        returns, regimes, cash = world(gold=shift)
        result = al.assets_by_debt_regime(returns, regimes, cash, expectations=expectation, **QUICK)
        assert result.verdicts["verdict"].tolist() == [verdict]


def test_the_expectations_are_the_articles():
    table = {(e.claim, e.series): (e.regime, e.sign) for e in al.ARTICLE_EXPECTATIONS}
    assert table["D1", "stocks"] == ("growth", 1)
    assert table["D1", "bonds"] == ("growth", -1)
    assert table["D2", "stocks less bonds"] == table["D2", "gold less bonds"] == ("inflation", 1)
    assert table["D2", "real dollar"] == ("inflation", -1)
    assert table["D3", "stocks"] == table["D3", "bonds"] == ("monetization", 1)
    assert table["D3", "dollar"] == ("monetization", -1)
    assert table["D4", "stocks"] == ("tightening", -1)
    assert table["D4", "bonds"] == ("tightening", 1)
    assert table["D4", "dollar"] == ("tightening", 0)


def test_what_is_not_given_or_too_short_is_undecided_with_its_reason():
    verdicts = us().verdicts.set_index(["claim", "series"])
    assert verdicts.loc[("D3", "dollar"), "reason"] == "no series 'dollar' was given"
    assert verdicts.loc[("D3", "dollar"), "n"] == 0
    assert verdicts.loc[("D2", "gold less bonds"), "verdict"] == "undecided"
    assert "n=8" in verdicts.loc[("D2", "gold less bonds"), "reason"]
    returns, regimes, cash = world()
    one = (al.Expectation("X", "revolution", "gold", 1),)
    result = al.assets_by_debt_regime(returns, regimes, cash, expectations=one, **QUICK)
    assert result.verdicts["reason"].tolist() == ["no period of revolution"]


def test_p_values_are_corrected_within_a_claim():
    verdicts = us().verdicts
    claim = verdicts[(verdicts["claim"] == "D1")]
    assert claim["p_holm"].to_numpy() == pytest.approx(al.holm(claim["p"]).to_numpy())


def test_the_embedded_history_is_answered_in_one_call():
    result = us()
    assert result.table.loc["stocks", "n"].sum() == 86
    assert result.table.loc["gold", "n"].sum() == 55
    text = str(result)
    for needed in (
        "ex post: not known at the time",
        "1940-12-31 to 2025-12-31, yearly, 86 periods",
        "seed 0",
    ):
        assert needed in text
    assert result._repr_html_().count("<table>") == 2


def test_no_expectations_are_no_fault():
    returns, regimes, cash = world()
    result = al.assets_by_debt_regime(returns, regimes, cash, expectations=(), **QUICK)
    assert len(result.verdicts) == 0
    assert "stocks" in str(result)
    assert result._repr_html_().count("<table>") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"over": pd.Series(dtype=float)}, "over: no value for 100 of 100 dates|over on 1920"),
        ({"over": 0.02}, "expected a DataFrame and a Series"),
        ({"changes": pd.DataFrame({"gold": [1.0]})}, r"changes\['gold'\]: is a column of returns, too"),
        ({"changes": pd.DataFrame({"dollar": [1.0]})}, r"changes\['dollar'\]: no figure on any date"),
    ],
)
def test_refusals(change, message):
    returns, regimes, cash = world()
    arguments = {"over": cash, **change}
    with pytest.raises(InputError, match=message):
        al.assets_by_debt_regime(returns, regimes, **arguments, **QUICK)


def test_a_sign_is_a_sign():
    with pytest.raises(InputError, match="sign: 2 is none of -1, 0, 1"):
        al.Expectation("X", "growth", "gold", 2)


def test_inputs_are_not_changed():
    returns, regimes, cash = world()
    kept = returns.copy()
    al.assets_by_debt_regime(returns, regimes, cash, **QUICK)
    pd.testing.assert_frame_equal(returns, kept)

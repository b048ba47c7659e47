"""Assets by debt regime: means by definition, differences against Welch, readings against their rule."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.errors import InputError
from allocator.macro.debt.assets import _verdict
from allocator.macro.debt.difference import difference_of_means, persistence_seen
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


WORLD = world()[0]


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
        ours = difference_of_means(values, inside, 0.95, 5)
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
        alone = difference_of_means(rng.permutation(values), inside, 0.95, 5)
        together = difference_of_means(values, inside, 0.95, 5)
        ratios.append((together[2] - together[1]) / (alone[2] - alone[1]))
    assert 1.8 < np.mean(ratios) < 2.5


def autoregression(n: int, slopes: tuple[float, ...], rng: np.random.Generator) -> np.ndarray:
    values = rng.normal(size=n + 60)
    for t in range(len(slopes), len(values)):
        values[t] += sum(slope * values[t - lag] for lag, slope in enumerate(slopes, start=1))
    return values[60:]


def spells_at_random(n: int, length: int, years: int, rng: np.random.Generator) -> np.ndarray:
    """Spells of a length that do not touch."""
    while True:
        inside = np.zeros(n, bool)
        for start in rng.choice(n - length + 1, years // length, replace=False):
            inside[start : start + length] = True
        n_spells = (np.diff(inside.astype(int), prepend=0) == 1).sum()
        if inside.sum() == years and n_spells == years // length:
            return inside


REAL = {
    "growth": [*range(2), *range(12, 14), *range(15, 17), *range(22, 28), 32, 66, 75],
    "monetization": [*range(2, 6), *range(70, 73), 80, 81],
}


def labels_of(pattern: str | tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    if isinstance(pattern, str):
        return np.isin(np.arange(86), REAL[pattern])
    return spells_at_random(86, *pattern, rng)


@pytest.mark.parametrize(
    ("slopes", "overlap", "pattern", "least", "most"),
    [
        ((), 1, (2, 20), 3.0, 7.0),
        ((), 1, "monetization", 2.5, 7.0),
        ((0.5,), 1, (4, 12), 2.0, 7.0),
        ((0.3,), 1, (3, 9), 2.0, 7.0),
        ((0.5,), 1, "growth", 2.0, 7.0),
        ((0.5,), 2, "monetization", 1.0, 7.0),
        ((0.7,), 2, "monetization", 1.0, 7.0),
        ((0.3, 0.3), 1, "growth", 3.0, 10.0),  # of second order: the page says that this is not held
    ],
)
def test_the_test_of_a_difference_rejects_what_is_equal_about_as_often_as_it_says(
    slopes, overlap, pattern, least, most
):
    """Two-sided at 5 %, 86 years, in percent of 600 samples (simulation error 0.9)."""
    rng, rejected = np.random.default_rng(11), 0
    for _ in range(600):
        raw = autoregression(86 + overlap - 1, slopes, rng)
        values = np.convolve(raw, np.full(overlap, 1.0 / overlap), "valid")
        rejected += difference_of_means(values, labels_of(pattern, rng), 0.95, 5)[3] < 0.05
    assert least <= 100 * rejected / 600 <= most


def test_a_difference_that_is_there_is_found():
    """A shift of one deviation in nine of 86 years: seen more often than not without dependence."""
    rng, inside = np.random.default_rng(2), labels_of("monetization", np.random.default_rng(0))
    found = [difference_of_means(rng.normal(size=86) + inside, inside, 0.95, 5)[3] < 0.05 for _ in range(300)]
    assert np.mean(found) > 0.6


@pytest.mark.parametrize("pattern", ["growth", "monetization", (4, 20)])
@pytest.mark.parametrize("slope", [0.0, 0.3, 0.8])
def test_what_persistence_does_to_the_pattern_is_that_of_matrices(slope, pattern):
    """The slow way: the covariance of all periods, (86, 86), and projections."""
    inside = labels_of(pattern, np.random.default_rng(3))
    periods = np.arange(86)
    covariance = slope ** np.abs(np.subtract.outer(periods, periods))
    groups = np.column_stack([inside, ~inside]) / np.sqrt([inside.sum(), (~inside).sum()])
    residual = np.eye(86) - groups @ groups.T
    seen = residual @ covariance @ residual
    contrast = np.where(inside, 1.0 / inside.sum(), -1.0 / (~inside).sum())
    welch = sum(np.trace(seen[np.ix_(g, g)]) / (g.sum() - 1) / g.sum() for g in (inside, ~inside))
    expected, widening = persistence_seen(inside, np.array([slope]))
    assert expected == pytest.approx(np.trace(seen, offset=1) / np.trace(seen), abs=1e-12)
    assert widening == pytest.approx(contrast @ covariance @ contrast / welch, rel=1e-10)


@pytest.mark.parametrize("n", [10, 11, 20, 60])
def test_short_samples_and_walks_have_an_interval(n):
    rng = np.random.default_rng(n)
    for size in range(5, n - 4):
        inside = rng.permutation(np.arange(n) < size)
        value, low, high, p = difference_of_means(rng.normal(size=n).cumsum(), inside, 0.95, 5)
        assert low < value < high
        assert 0.0 <= p <= 1.0


def test_the_difference_is_never_surer_than_welchs():
    rng = np.random.default_rng(3)
    values = rng.normal(0.0, 1.0, 300)
    for t in range(1, 300):
        values[t] -= 0.8 * values[t - 1]
    inside = np.arange(300) // 30 % 2 == 0
    _, low, high, _ = difference_of_means(values, inside, 0.95, 5)
    spread = np.sqrt(sum(values[group].var(ddof=1) / group.sum() for group in (inside, ~inside)))
    assert high - low == pytest.approx(2 * 1.968 * spread, rel=2e-3)


def test_the_interval_of_the_difference_covers_in_few_years():
    """Nine years of 86, twice as volatile as the rest: 95 % means about 95 %."""
    rng, inside, covered = np.random.default_rng(4), np.zeros(86, bool), 0
    inside[[2, 3, 4, 5, 70, 71, 72, 80, 81]] = True
    for _ in range(1500):
        values = rng.normal(0.0, np.where(inside, 0.2, 0.1))
        _, low, high, p = difference_of_means(values, inside, 0.95, 5)
        covered += low <= 0.0 <= high
        assert (p < 0.05) == (not low <= 0.0 <= high)
    assert 0.93 < covered / 1500 < 0.975


def test_a_difference_needs_five_years_on_both_sides():
    values = np.random.default_rng(0).normal(size=40)
    for size, known in ((4, False), (5, True), (35, True), (36, False)):
        difference = difference_of_means(values, np.arange(40) < size, 0.95, 5)
        assert np.isfinite(difference[0]) == known


def test_a_series_that_never_moves_has_a_difference_and_no_interval():
    difference = difference_of_means(np.zeros(40), np.arange(40) < 20, 0.95, 5)
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
        (
            {"over": pd.Series(dtype=float, index=WORLD.index[:0])},
            "over on 1920-12-31: no value for 100 of 100",
        ),
        ({"over": 0.02}, "over: expected a Series, got float"),
        ({"changes": WORLD["gold"]}, "changes: expected a DataFrame, got Series"),
        ({"changes": [1]}, "changes: expected a DataFrame, got list"),
        (
            {"changes": WORLD.iloc[[0, 0], :1].set_axis(["dollar"], axis=1)},
            "changes on 1920-12-31: duplicate date",
        ),
        ({"changes": pd.DataFrame([[1.0, 2.0]], columns=["a", "a"])}, r"changes\['a'\]: two columns"),
        (
            {"changes": WORLD[["gold"]].astype(str).set_axis(["dollar"], axis=1)},
            r"changes\['dollar'\]: .*numer",
        ),
        ({"over": pd.Series("x", WORLD.index)}, "over.*numer"),
        ({"over": WORLD["gold"].iloc[[0, 0]]}, "over on 1920-12-31: duplicate date"),
        ({"expectations": "D1"}, "expectations: expected Expectations, got 'D1'"),
        ({"expectations": al.ARTICLE_EXPECTATIONS[0]}, r"expectations: one Expectation.*\(it,\)"),
        ({"expectations": ["D1"]}, "expectations: expected Expectations, got 'D1'"),
        ({"expectations": None}, "expectations: expected Expectations, got None"),
        ({"seed": -1}, "seed: -1 is not a whole number, 0 or more"),
        ({"seed": "a"}, "seed: 'a' is not a whole number"),
        ({"seed": None}, "seed: None is not a whole number"),
        ({"n_resamples": 2.5}, "n_resamples: 2.5 is not a whole number"),
        ({"confidence": "a"}, "confidence: 'a'"),
        ({"changes": pd.DataFrame({"gold": [1.0]})}, r"changes\['gold'\]: is a column of returns, too"),
        (
            {"changes": pd.DataFrame({"dollar": [1.0]}, [pd.Timestamp("1800-12-31")])},
            r"changes\['dollar'\]: no figure on any date",
        ),
    ],
)
def test_refusals(change, message):
    returns, regimes, cash = world()
    arguments = {"over": cash, **QUICK, **change}
    with pytest.raises(InputError, match=message):
        al.assets_by_debt_regime(returns, regimes, **arguments)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (WORLD.assign(gold=np.nan), r"returns\['gold'\]: no return at all; leave it out"),
        (WORLD.iloc[:0], "returns: no rows"),
        (WORLD[[]], "returns: no columns"),
        (WORLD.set_axis(["stocks", "gold", "gold"], axis=1), r"returns\['gold'\]: two columns"),
        (WORLD.assign(gold="x"), r"returns\['gold'\]: .*numer"),
        (WORLD.iloc[::-1], r"returns on 2018-12-31: comes after 2019-12-31.*returns.sort_index\(\)"),
        (WORLD.iloc[[0, 0, 1]], "returns on 1920-12-31: duplicate date"),
        (WORLD.reset_index(drop=True), "returns.index: .*expected dates"),
        ([0.1], "returns: expected a DataFrame, got list"),
    ],
)
def test_returns_that_are_none_are_refused_by_their_name(table, message):
    _, regimes, cash = world()
    with pytest.raises(InputError, match=message):
        al.assets_by_debt_regime(table, regimes, cash, **QUICK)


def test_expectations_may_come_one_by_one():
    returns, regimes, cash = world()
    some = (e for e in al.ARTICLE_EXPECTATIONS)
    result = al.assets_by_debt_regime(returns, regimes, cash, expectations=some, **QUICK)
    assert len(result.verdicts) == len(al.ARTICLE_EXPECTATIONS)
    assert "stocks less bonds" in result.table.index.get_level_values("series")


def test_the_conventions_say_what_the_difference_cannot_hold():
    assert "of second order" in str(us())


def test_a_sign_is_a_sign():
    with pytest.raises(InputError, match="sign: 2 is none of -1, 0, 1"):
        al.Expectation("X", "growth", "gold", 2)


def test_inputs_are_not_changed():
    returns, regimes, cash = world()
    kept = returns.copy()
    al.assets_by_debt_regime(returns, regimes, cash, **QUICK)
    pd.testing.assert_frame_equal(returns, kept)

"""The made-up market: reproducible, labelled, daily, and with the regimes that it says it has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import InputError
from allocator.market import Market, simulate_market
from allocator.market.simulate import GROWTH, INFLATION, SIMULATED_ASSETS, simulated_regimes

REGIMES = [pytest.param(regime, id=regime.name) for regime in (GROWTH, INFLATION)]


@pytest.fixture(scope="module")
def long_market() -> Market:
    """Enough years for a sample correlation to lie near the true one."""
    return simulate_market(11, years=100)


@pytest.fixture(scope="module")
def long_regimes() -> pd.Series:
    return simulated_regimes(11, years=100)


def contents(market: Market) -> list[bytes]:
    signals = [
        part for s in market._signals.values() for part in (s.values.to_numpy(), s.values.index, s.describes)
    ]
    return [np.asarray(part).tobytes() for part in (market.index, market.levels, market.cash, *signals)]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**63))
def test_the_same_seed_gives_the_same_bytes(seed):
    assert contents(simulate_market(seed, years=3)) == contents(simulate_market(seed, years=3))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), other=st.integers(0, 2**32))
def test_another_seed_gives_another_market(seed, other):
    if seed != other:
        assert (simulate_market(seed, years=3).levels != simulate_market(other, years=3).levels).any()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), more=st.integers(1, 4))
def test_more_years_begin_with_the_fewer(seed, more):
    short, long = simulate_market(seed, years=3), simulate_market(seed, years=3 + more)
    n = len(short.index)
    assert list(short.index) == list(long.index[:n])
    np.testing.assert_allclose(short.levels, long.levels[:n], rtol=1e-12)
    np.testing.assert_allclose(short.cash, long.cash[:n], rtol=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    start=st.dates(pd.Timestamp("1950-01-01").date(), pd.Timestamp("2050-12-31").date()),
)
def test_any_seed_and_start_give_a_sound_market(seed, start):
    market = simulate_market(seed, years=3, start=start)
    assert market.index[0] >= pd.Timestamp(start)
    assert market.index.day_of_week.max() <= 4
    assert market.frequency.name == "daily"
    assert (market.levels > 0).all()
    assert (market.cash[1:] > 0).all()
    for signal in market.signals.values():
        assert (signal.values.index > signal.describes).all()
        assert signal.values.index[-1] <= market.index[-1]
    for signal in market._signals.values():
        assert signal.describes[-1] <= market.index[-1], "a month that is not over has no inflation yet"


def test_every_working_day_has_a_row():
    market = simulate_market(7, years=20, start="2004-01-01")
    assert list(market.index) == list(pd.bdate_range("2004-01-01", "2023-12-31"))


def test_default_strategies_find_their_assets():
    assert (
        simulate_market(7).assets == SIMULATED_ASSETS == ("stocks", "bonds", "gold", "developed", "emerging")
    )


def test_emerging_is_listed_two_years_late():
    prices = simulate_market(7, start="2004-01-01").prices
    assert prices["emerging"].first_valid_index() == pd.Timestamp("2006-01-02")
    assert prices.drop(columns="emerging").notna().all(axis=None)


def test_it_says_that_it_is_simulated_wherever_it_shows():
    market = simulate_market(7)
    assert market.simulated
    assert market.until("2010").simulated
    assert market.name == "two regimes, seed 7"
    assert "SIMULATED" in repr(market)
    assert "two regimes, seed 7" in repr(market)
    assert "SIMULATED" in market._repr_html_()
    assert "two regimes, seed 7" in market._repr_html_()


def test_every_series_says_that_it_is_simulated():
    market = simulate_market(7)
    assert set(market.sources) == {*SIMULATED_ASSETS, "cash", "inflation", "growth"}
    assert all(text.startswith("simulated: ") and "seed 7" in text for text in market.sources.values())
    assert "-0.35 / +0.45" in market.sources["stocks"]


@pytest.mark.parametrize("regime", REGIMES)
def test_correlations_are_a_positive_definite_matrix(regime):
    matrix = regime.correlation_matrix()
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > 0.01


@pytest.mark.parametrize("regime", REGIMES)
def test_returns_have_the_volatility_and_correlation_of_their_regime(long_market, long_regimes, regime):
    returns = long_market.returns.dropna()
    inside = returns[long_regimes.reindex(returns.index) == regime.name]
    # the tails of a Student-t(5) double the usual sampling error; these are about five of them
    np.testing.assert_allclose(inside.corr().to_numpy(), regime.correlation_matrix(), atol=0.08)
    np.testing.assert_allclose(inside.std() * np.sqrt(252), regime.volatilities, rtol=0.10)


def test_stock_bond_correlation_changes_sign_with_the_regime(long_market, long_regimes):
    returns = long_market.returns
    by_regime = {
        name: inside["stocks"].corr(inside["bonds"])
        for name, inside in returns.groupby(long_regimes.reindex(returns.index))
    }
    assert by_regime["growth"] == pytest.approx(-0.35, abs=0.06)
    assert by_regime["inflation"] == pytest.approx(0.45, abs=0.06)


@pytest.mark.parametrize("regime", REGIMES)
def test_premiums_are_those_of_the_regime(regime):
    """Over many markets, because one has too few years to tell a premium from zero."""
    excess = []
    for seed in range(40):
        market, regimes = simulate_market(seed, years=50), simulated_regimes(seed, years=50)
        returns = market.returns.sub(market.cash_returns, axis=0)
        excess.append(returns[regimes.reindex(returns.index) == regime.name].dropna())
    pooled = pd.concat(excess)
    error = pooled.std() / np.sqrt(len(pooled)) * 252
    assert (np.abs(pooled.mean() * 252 - np.array(regime.premiums)) < 4 * error).all()


def test_shocks_have_fat_tails(long_market, long_regimes):
    stocks = long_market.returns["stocks"]
    assert stocks[long_regimes.reindex(stocks.index) == "growth"].kurt() > 1.0


def test_regimes_last_as_long_as_they_should():
    stays = [stay for seed in range(40) for stay in lengths(simulated_regimes(seed, years=100))]
    for regime in (GROWTH, INFLATION):
        months = np.array([n for name, n in stays if name == regime.name])
        assert months.mean() == pytest.approx(regime.mean_months, rel=0.15)


def lengths(regimes: pd.Series) -> list[tuple[str, int]]:
    """The length in months of each stay but the first and the last, which are cut short."""
    monthly = regimes.groupby(regimes.index.to_period("M")).first()
    stays = [
        (group.iloc[0], len(group)) for _, group in monthly.groupby((monthly != monthly.shift()).cumsum())
    ]
    return stays[1:-1]


def test_the_regime_changes_only_between_months():
    regimes = simulated_regimes(7)
    assert set(pd.PeriodIndex(regimes.index[regimes != regimes.shift()], freq="D").day) <= {1, 2, 3}


def test_inflation_and_cash_are_higher_in_the_inflation_regime(long_market, long_regimes):
    cash = long_market.cash_returns.groupby(long_regimes.reindex(long_market.index[1:])).mean()
    assert cash["inflation"] > 2 * cash["growth"]
    inflation = pd.Series(
        long_market.signal("inflation").as_described_on(long_market.index), long_market.index
    )
    known = inflation.groupby(long_regimes).mean()
    assert known["inflation"] > known["growth"] + 0.02


def test_cash_pays_for_the_weekend():
    cash = simulate_market(7).cash_returns
    monday = cash[cash.index.day_of_week == 0].mean()
    assert monday == pytest.approx(3.0 * cash[cash.index.day_of_week == 3].mean(), rel=0.01)


def test_cash_earns_the_rate_that_stood_the_day_before():
    market = simulate_market(7)
    days = np.diff(market.index.values.astype("datetime64[D]").astype(int))
    rates = pd.Series(np.log1p(market.cash[1:]) / days, index=market.index[1:])
    new_rate = rates.index[np.abs(rates.diff()) > 1e-12]
    first_of_month = market.index[:-1][market.index.month[1:] != market.index.month[:-1]] + pd.offsets.BDay(1)
    assert len(new_rate) > 100
    assert set(new_rate) <= set(first_of_month + pd.offsets.BDay(1))


def test_inflation_is_known_on_the_15th_of_the_next_month():
    signal = simulate_market(7, start="2004-01-01").signal("inflation")
    assert signal.describes[0] == pd.Timestamp("2003-12-31")
    assert signal.describes.is_month_end.all()
    assert list(signal.values.index) == list(signal.describes + pd.Timedelta(days=15))
    assert len(signal.values) == 240


def test_inflation_of_a_month_is_not_seen_on_the_14th():
    market = simulate_market(7, start="2004-01-01")
    assert market.until("2010-01-14").signal("inflation").describes[-1] == pd.Timestamp("2009-11-30")
    assert market.until("2010-01-15").signal("inflation").describes[-1] == pd.Timestamp("2009-12-31")


def test_growth_is_quarterly_and_known_a_month_later():
    signal = simulate_market(7, start="2004-01-01").signal("growth")
    assert signal.describes.is_quarter_end.all()
    assert list(signal.values.index) == list(signal.describes + pd.offsets.MonthEnd(1))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"seed": 1.5}, "seed: 1.5"),
        ({"seed": True}, "seed: True"),
        ({"seed": None}, "seed: None"),
        ({"seed": -1}, "seed: is -1"),
        ({"seed": 1, "years": 2}, "years: is 2, expected 3 to 100"),
        ({"seed": 1, "years": 101}, "years: is 101"),
        ({"seed": 1, "years": 3.5}, "years: 3.5"),
        ({"seed": 1, "start": "soon"}, "start: 'soon'"),
    ],
)
def test_refusals_name_the_argument(arguments, named):
    with pytest.raises(InputError, match=f"^{named}"):
        simulate_market(**arguments)


def test_a_seed_is_required():
    with pytest.raises(TypeError, match="seed"):
        simulate_market()


def test_the_table_in_the_docstring_is_that_of_the_code():
    rows = {
        "expected stay, months": ("{:g}", [r.mean_months for r in (GROWTH, INFLATION)]),
        "stock-bond correlation": ("{:+}", [r.correlations[0][0] for r in (GROWTH, INFLATION)]),
        "inflation, a year": ("{:g} %", [100 * r.inflation for r in (GROWTH, INFLATION)]),
        "real growth, a year": ("{:g} %", [100 * r.growth for r in (GROWTH, INFLATION)]),
        "short rate, a year": ("{:g} %", [100 * r.cash_rate for r in (GROWTH, INFLATION)]),
    }
    for j, asset in enumerate(("stocks", "bonds", "gold")):
        rows[f"premium of {asset}"] = ("{:g} %", [100 * r.premiums[j] for r in (GROWTH, INFLATION)])
        rows[f"volatility of {asset}"] = ("{:g} %", [100 * r.volatilities[j] for r in (GROWTH, INFLATION)])
    written = {" ".join(line.split()) for line in simulate_market.__doc__.splitlines()}
    for label, (form, pair) in rows.items():
        assert f"{label} {form.format(pair[0])} {form.format(pair[1])}" in written

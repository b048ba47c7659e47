"""Relations of the strategies of risk, and of sweeps to the runs that they stand for."""

from __future__ import annotations

import numpy as np
import pandas as pd
from generated import POWERS, World, clocks, examples, mixes, plain_worlds, proportional_costs, quietly
from hypothesis import assume, given
from hypothesis import strategies as st

import allocator as al
from allocator.errors import AllocatorError
from strategies import InverseVolatility, RiskParity, equal_risk_contribution, risk_contributions

few = examples(15)
MONTHS = {"spacings": ("monthly",), "rows": (26, 34), "risks": (1e-4, 0.01, 0.08)}


def same(one: object, other: object, **close: float) -> None:
    np.testing.assert_allclose(
        np.asarray(other, float), np.asarray(one, float), **(close or {"rtol": 1e-9, "atol": 1e-12})
    )


@st.composite
def covariances(draw: st.DrawFn, assets: tuple[int, int] = (2, 5)) -> pd.DataFrame:
    """Positive definite, with ties among the volatilities."""
    n = draw(st.integers(*assets))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    factor = rng.normal(0.0, 1.0, (n, 2))
    matrix = factor @ factor.T + np.diag(rng.uniform(0.5, 2.0, n))
    sizes = np.array([draw(st.sampled_from((0.01, 0.1, 0.1, 1.0))) for _ in range(n)])
    deviation = np.sqrt(np.diag(matrix))
    matrix = matrix / np.outer(deviation, deviation) * np.outer(sizes, sizes)
    names = list("ABCDE"[:n])
    return pd.DataFrame((matrix + matrix.T) / 2.0, index=names, columns=names)


@few
@given(covariances(), POWERS)
def test_risk_parity_has_no_unit(covariance: pd.DataFrame, scale: float) -> None:
    """Of all assets together: covariances times anything give the same weights; to rounding."""
    same(equal_risk_contribution(covariance), equal_risk_contribution(covariance * scale**2), rtol=1e-9)


@few
@given(covariances(), st.data())
def test_an_asset_twice_as_risky_gets_half_before_all_is_scaled(
    covariance: pd.DataFrame, data: st.DataObject
) -> None:
    """Risk parity holds exposures: a levered asset is held the less, in proportion to the others."""
    scale = np.array([data.draw(POWERS) for _ in covariance])
    one = equal_risk_contribution(covariance)
    other = equal_risk_contribution(covariance * np.outer(scale, scale))
    expected = one / scale
    same(expected / expected.sum(), other, rtol=1e-8)


@few
@given(covariances(), st.randoms(use_true_random=False))
def test_risk_parity_follows_the_names_of_assets(covariance: pd.DataFrame, random) -> None:
    """With equal budgets and with others; to rounding."""
    names = list(covariance)
    random.shuffle(names)
    budget = pd.Series(np.arange(1.0, len(names) + 1), index=list(covariance))
    budget /= budget.sum()
    for shares in (None, budget):
        one = equal_risk_contribution(covariance, shares)
        turned = equal_risk_contribution(
            covariance.loc[names, names], None if shares is None else shares[names]
        )
        same(one, turned[one.index], rtol=1e-8)


@few
@given(covariances(), st.sampled_from((0.5, 0.2)))
def test_a_duplicate_shares_the_budget_of_its_original(covariance: pd.DataFrame, part: float) -> None:
    """One asset under two names, with parts of its budget: together what it was, in those parts; rounding."""
    names = [*covariance, "Z"]
    first = names[0]
    places = [*range(len(covariance)), 0]
    wide = pd.DataFrame(covariance.to_numpy()[np.ix_(places, places)], names, names)
    share = pd.Series(1.0 / len(covariance), index=names)
    share[first], share["Z"] = share[first] * part, share[first] * (1.0 - part)
    one, other = equal_risk_contribution(covariance), equal_risk_contribution(wide, share)
    same(one[first], other[first] + other["Z"], rtol=1e-7)
    same(part * one[first], other[first], rtol=1e-7)


@few
@given(covariances(), st.data())
def test_contributions_to_risk_add_up_and_have_no_unit(covariance: pd.DataFrame, data: st.DataObject) -> None:
    """To the volatility; and at risk parity they are equal; to rounding."""
    mix = pd.Series(data.draw(mixes(tuple(covariance), (1.0,))))
    assume(mix.sum() > 0.0)
    table = risk_contributions(mix, covariance).table
    volatility = float(np.sqrt(mix @ covariance @ mix))
    same(volatility, table["contribution"].sum())
    doubled = risk_contributions(2.0 * mix, covariance * 4.0).table
    same(4.0 * table["contribution"], doubled["contribution"])
    level = risk_contributions(equal_risk_contribution(covariance), covariance).table["contribution"]
    same(np.full(len(level), level.mean()), level, rtol=1e-8)


@few
@given(plain_worlds(assets=(2, 4), **MONTHS), st.data())
def test_strategies_of_risk_do_not_know_the_unit_of_prices(world: World, data: st.DataObject) -> None:
    """Each asset in units of its own, by powers of two; bit for bit."""
    powers = [data.draw(POWERS) for _ in world.assets]
    for strategy in (
        RiskParity(world.assets, window_years=1.0),
        InverseVolatility(world.assets, window_years=1.0),
    ):
        try:
            one = strategy.weights(world.market)
        except AllocatorError:
            assume(False)
        assert one == strategy.weights(world.priced(world.prices * powers).market)


@few
@given(plain_worlds(assets=(2, 4), **MONTHS))
def test_strategies_of_risk_know_no_more_than_their_window(world: World) -> None:
    """Twelve returns, and the rows before them do not matter; bit for bit."""
    cut = World(world.prices.iloc[-13:], world.cash_returns.iloc[-12:])
    for strategy in (
        RiskParity(world.assets, window_years=1.0),
        InverseVolatility(world.assets, window_years=1.0),
    ):
        try:
            one = strategy.weights(world.market)
        except AllocatorError:
            assume(False)
        assert one == strategy.weights(cut.market)


# Sweeps


NUMBERS = ["cagr", "volatility", "max_drawdown", "turnover", "trading_cost", "final_value"]


@st.composite
def sweeps(draw: st.DrawFn) -> dict:
    """A table of portfolios, some of them equal, some levered, two rules and two costs, in a hard market."""
    world = draw(plain_worlds(rows=(12, 40)))
    rows = [draw(mixes(world.assets, (0.4, 1.0, 1.6))) for _ in range(draw(st.integers(2, 5)))]
    rules = [draw(clocks(world.spacing)), al.Band(draw(st.sampled_from((0.013, 0.04))))]
    costs = [al.Costs(0.0), draw(proportional_costs(world.assets))]
    return {
        "world": world,
        "portfolios": pd.DataFrame([*rows, rows[0]]),
        "rules": rules,
        "costs": costs,
    }


def swept(asked: dict, **others: object) -> pd.DataFrame:
    options = {"rebalancing": asked["rules"], "costs": asked["costs"], "lag": 0, "progress": False, **others}
    try:
        return quietly(al.sweep, asked["portfolios"], asked["world"].market, **options)
    except AllocatorError:
        assume(False)
        raise


@few
@given(sweeps())
def test_a_sweep_is_its_runs(asked: dict) -> None:
    """Every portfolio under every rule and cost, as run alone; to 1e-12 of value, turnover and cost."""
    table, row = swept(asked), 0
    for _, mix in asked["portfolios"].iterrows():
        for rule in asked["rules"]:
            for cost in asked["costs"]:
                run = al.run_backtest(
                    al.FixedMix(mix.to_dict()), asked["world"].market, rebalancing=rule, costs=cost, lag=0
                )
                same(run.value.iloc[-1], table["final_value"].iloc[row], rtol=1e-9, atol=1e-12)
                same(
                    quietly(al.max_drawdown, run.returns),
                    table["max_drawdown"].iloc[row],
                    rtol=1e-9,
                    atol=1e-10,
                )
                assert table["n"].iloc[row] == len(run.returns)
                row += 1


@few
@given(sweeps(), st.integers(1, 3))
def test_a_sweep_does_not_know_its_blocks(asked: dict, block: int) -> None:
    """Some runs at a time, or all: to rounding of sums over other lanes; equal portfolios have equal rows."""
    one, other = swept(asked), swept(asked, block=block)
    same(one[NUMBERS], other[NUMBERS], rtol=1e-10, atol=1e-12)
    each = len(asked["rules"]) * len(asked["costs"])
    first, last = (one[NUMBERS].to_numpy(float)[part] for part in (slice(0, each), slice(-each, None)))
    same(first, last, rtol=1e-10, atol=1e-12)


@few
@given(sweeps())
def test_rows_of_a_sweep_follow_their_portfolios(asked: dict) -> None:
    """In reverse order, and under one rule without the other: each row keeps its numbers; to rounding."""
    one = swept(asked)
    turned = swept({**asked, "portfolios": asked["portfolios"].iloc[::-1]})
    shape = (len(asked["portfolios"]), len(asked["rules"]), len(asked["costs"]), len(NUMBERS))
    numbers, reverse = (table[NUMBERS].to_numpy(float).reshape(shape) for table in (one, turned))
    same(numbers, reverse[::-1], rtol=1e-10, atol=1e-12)
    alone = swept({**asked, "rules": asked["rules"][:1]})[NUMBERS].to_numpy(float)
    same(numbers[:, 0].reshape(alone.shape), alone, rtol=1e-10, atol=1e-12)


@few
@given(sweeps(), st.data())
def test_a_sweep_does_not_know_the_unit_of_prices(asked: dict, data: st.DataObject) -> None:
    """Each asset in units of its own, by powers of two; bit for bit."""
    world = asked["world"]
    other = world.priced(world.prices * [data.draw(POWERS) for _ in world.assets])
    one, two = (swept({**asked, "world": each})[NUMBERS].to_numpy(float) for each in (world, other))
    assert np.array_equal(one, two, equal_nan=True)

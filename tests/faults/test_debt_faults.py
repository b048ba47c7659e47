"""Faults of debts and yields, F162 to F168 of the catalogue: what a person gets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.errors import InputError

YEARS = pd.date_range("1990-12-31", periods=25, freq="YE")
LAW = {"interest_rate": 0.03, "growth": 0.02, "inflation": 0.02, "primary_deficit": 0.01}
MONTHS = pd.date_range("2000-01-31", periods=80, freq="ME")


def accounts() -> pd.DataFrame:
    wave = np.sin(np.arange(25.0))
    columns = {"debt": 0.6 + 0.1 * wave, "interest_rate": 0.03 + 0.01 * wave, "growth": 0.02 + 0.01 * wave}
    rest = {"inflation": 0.02 + 0.01 * np.cos(np.arange(25.0)), "primary_deficit": 0.01 * wave}
    return pd.DataFrame(columns | rest, index=YEARS)


def walk(seed: int, level: float = 0.04) -> pd.Series:
    return pd.Series(level + np.random.default_rng(seed).normal(0, 0.001, 80).cumsum(), index=MONTHS)


def curve(scale: float) -> pd.DataFrame:
    return pd.DataFrame({month: scale * walk(month) for month in (1, 3, 12, 60)})


def with_inflation(scale: float) -> al.Market:
    prices = pd.DataFrame({"stocks": np.exp(0.01 * np.arange(80.0))}, index=MONTHS)
    return al.Market(prices, 0.0, {"inflation": al.published(scale * walk(3, 0.03), 15)})


def anchors(role: str, scale: float) -> al.AnchorDiagnostics:
    beside = pd.DataFrame({"y": scale * walk(4), "gold": 100.0 * np.exp(walk(5))})
    market = al.Market(pd.DataFrame({"bonds": np.exp(walk(6))}), 0.0)
    return al.anchor_diagnostics(market, beside, n_resamples=2, **{role: "y"})


def yields_of_history(scale: float) -> al.ScenarioHistory:
    history = al.load_us_history()
    known = history.signal("bond_yield")
    signals = {"bond_yield": al.Signal(scale * known.values, known.describes)}
    cash = pd.Series(history.cash, index=history.index)
    return al.scenario_history(al.Market(history.prices, cash, signals), since=1972)


# Every public function of regimes, macro and bonds that takes a yield or a rate: (door, what it calls it).
YIELDS = {
    "total": (
        lambda s: al.decompose_yield(s * walk(1), {"a": walk(2)}, 10, ex_post=False, rest="b"),
        "total",
    ),
    "part": (lambda s: al.decompose_yield(walk(1), {"a": s * walk(2)}, 10, ex_post=False, rest="b"), "parts"),
    "par": (lambda s: al.zero_curve(curve(s)), "par"),
    "fit": (lambda s: al.fit_acm(curve(s)), "zeros"),
    "estimate": (lambda s: al.estimate_term_premium(curve(s)), "zeros"),
    "expanding": (lambda s: al.expanding_term_premium(curve(s)), "zeros"),
    "bootstrap": (lambda s: al.bootstrap_term_premium(curve(s)), "zeros"),
    "ar1": (lambda s: al.ar1_average_rate(s * 0.04, 0.03, 0.9, 10), "rate"),
    "ar1 mean": (lambda s: al.ar1_average_rate(0.04, s * 0.03, 0.9, 10), "mean"),
    "rising": (
        lambda s: al.assets_when_yields_rise(pd.DataFrame({"a": walk(7).diff().iloc[1:]}), s * walk(1)),
        "yields",
    ),
    "anchor": (lambda s: anchors("nominal_yield", s), "nominal_yield"),
    "real anchor": (lambda s: anchors("real_yield", s), "real_yield"),
    "scenarios": (yields_of_history, "market"),
    "inflation": (lambda s: al.inflation_level(with_inflation(s)), "signals['inflation']"),
    "threshold": (lambda s: al.inflation_level(with_inflation(1.0), s * 0.03), "threshold"),
    "bonds": (lambda s: al.constant_maturity_returns(s * walk(1), 10), "yields"),
    "history": (lambda s: al.debt_contributions(accounts() * [1, s, 1, 1, 1]), "accounts['interest_rate']"),
    "law": (lambda s: al.next_debt_ratio(0.6, **{**LAW, "interest_rate": s * 0.03}), "interest_rate"),
    "linear": (lambda s: al.linear_debt_ratio(0.6, **{**LAW, "growth": s * 0.02}), "growth"),
    "balance": (lambda s: al.debt_stabilising_balance(0.6, 0.03, 0.02, s * 0.02), "inflation"),
    "steady": (lambda s: al.steady_state_debt(0.03, 0.02, 0.02, s * 0.01), "primary_deficit"),
    "path": (lambda s: al.debt_path(0.6, s * 0.03, 0.02, 0.02, 0.01, n_years=2), "interest_rate"),
    "paths": (lambda s: al.debt_paths(0.6, 0.03, 0.02, 0.02, [s * 0.01]), "primary_deficit"),
    "rule": (lambda s: al.DebtRule(inflation_above=s * 0.03), "inflation_above"),
}


@pytest.mark.parametrize("door", YIELDS)
def test_F162_yields_in_percent(door):
    call, argument = YIELDS[door]
    with pytest.raises(InputError, match=r"percent|fraction") as refused:
        call(100.0)
    assert str(refused.value).startswith(argument)
    assert any(fix in str(refused.value) for fix in ("divide by 100", "/ 100", "3 %"))


@pytest.mark.parametrize("door", ["total", "par", "ar1", "anchor", "scenarios", "inflation", "law", "rule"])
def test_F162_the_same_as_fractions_are_taken(door):
    YIELDS[door][0](1.0)


def test_F163_parts_that_do_not_add_up():
    total = walk(1) + walk(2)
    total.iloc[7] += 2e-10
    with pytest.raises(InputError, match=r"on 2000-08-31: the total less the parts is 2e-10 .*as the rest"):
        al.decompose_yield(total, {"a": walk(1), "b": walk(2)}, 10, ex_post=False)


def test_F164_maturities_that_differ():
    with pytest.raises(InputError, match=r"parts\['real'\]: 'DFII5' says 5 years, .* is of 10; pass one"):
        al.decompose_yield(
            walk(1).rename("DGS10"), {"real": walk(2).rename("DFII5")}, 10, ex_post=False, rest="b"
        )


@pytest.mark.parametrize("argument", ["interest_rate", "growth", "inflation"])
@pytest.mark.parametrize("value", [-1.0, -1.5])
def test_F165_a_rate_of_minus_one(argument, value):
    message = f"{argument}: {value:g}: at -1 or less nothing is left; pass a fraction"
    for law in (al.next_debt_ratio, al.linear_debt_ratio):
        with pytest.raises(InputError, match=message):
            law(0.6, **{**LAW, argument: value})
    with pytest.raises(InputError, match=message):
        al.debt_path(0.6, **{**LAW, argument: value}, n_years=3)
    table = accounts()
    table.loc[YEARS[3], argument] = value
    with pytest.raises(
        InputError, match=rf"accounts\['{argument}'\]: {value:g} in 1993-12-31: at -1 or less"
    ):
        al.debt_contributions(table)


DEBTS = {
    "law": lambda debt: al.next_debt_ratio(debt, **LAW),
    "linear": lambda debt: al.linear_debt_ratio(debt, **LAW),
    "balance": lambda debt: al.debt_stabilising_balance(debt, 0.03, 0.02, 0.02),
    "path": lambda debt: al.debt_path(debt, **LAW, n_years=2),
    "paths": lambda debt: al.debt_paths(debt, **LAW | {"growth": [0.02, 0.01]}),
    "contributions": lambda debt: al.debt_contributions(accounts().assign(debt=debt)),
    "regimes": lambda debt: al.debt_regimes(accounts().assign(debt=debt)),
    "fan": lambda debt: al.debt_fan(accounts().assign(debt=debt), 2, n_paths=2),
}


@pytest.mark.parametrize("door", DEBTS)
def test_F166_debt_in_percent(door):
    with pytest.raises(InputError, match=r"debt.*percent; divide by 100"):
        DEBTS[door](64.3)


@pytest.mark.parametrize("door", ["contributions", "regimes", "fan"])
def test_F166_a_small_debt_in_percent_is_seen_in_a_history(door):
    with pytest.raises(InputError, match=r"accounts\['debt'\]: typically 8.2 times GDP"):
        DEBTS[door](8.2)


def test_F167_a_debt_that_explodes_stops_at_the_cap_and_says_the_year():
    path = al.debt_path(1.0, 0.4, 0.0, 0.0, 0.1, first_year=2030, n_years=50)
    assert path.stopped == path.table.index[-1] == 2036
    assert "stopped in 2036: the ratio passed 10 times GDP" in str(path)
    assert (al.debt_paths(1.0, np.full((2, 500), 0.4), 0.0, 0.0, 0.1)[:, 6:] == 10.0).all()
    ruinous = accounts().assign(interest_rate=0.45, primary_deficit=0.2)
    fan = al.debt_fan(ruinous, 20, draws=al.HistoryBlocks(2), n_paths=20)
    assert fan.table["at_cap"].iloc[-1] == 1.0
    assert "100.00% of the paths passed 10 times GDP" in str(fan)


@pytest.mark.parametrize("door", [al.debt_contributions, al.debt_regimes, al.debt_fan])
def test_F168_a_year_that_is_missing(door):
    match = r"accounts.index: 1999-12-31 is followed by 2001-12-31: .*; fill in"
    with pytest.raises(InputError, match=match):
        door(accounts().drop(index=YEARS[10]))
    with pytest.raises(InputError, match=r"accounts.index: 1999 is followed by 2001"):
        door(accounts().set_axis(YEARS.year).drop(index=2000))


def test_F168_rows_that_are_only_numbered_are_no_years():
    with pytest.raises(InputError, match="whole numbers from 0 to 24, which are no years"):
        al.debt_contributions(accounts().reset_index(drop=True))

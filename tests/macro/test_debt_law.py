"""The law of the debt ratio: published cases, closed forms, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.errors import InputError, UndefinedStatisticWarning

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
rates = st.floats(-0.2, 0.4)
debts = st.floats(0.05, 3.0)
deficits = st.floats(-0.1, 0.2)


def toy_cases() -> list[dict[str, float | None]]:
    path = CASES / "G_toy_debt_law.json"
    if not path.is_file():
        pytest.skip("the published cases are not beside this checkout")
    return json.loads(path.read_text())["cases"]


def test_the_closed_forms_of_escolano_as_published():
    for case in toy_cases():
        d, i, g, p, f = (case[name] for name in ("d", "i", "g", "pi", "f"))
        assert al.next_debt_ratio(d, i, g, p, f) == pytest.approx(case["d_next_exact"], abs=1e-14)
        assert al.linear_debt_ratio(d, i, g, p, f) == pytest.approx(case["d_next_approx"], abs=1e-14)
        balance = al.debt_stabilising_balance(d, i, g, p)
        assert balance == pytest.approx(case["debt_stabilising_primary_balance"], abs=1e-14)
        if case["steady_state_d"] is not None:
            assert al.steady_state_debt(i, g, p, f) == pytest.approx(case["steady_state_d"], rel=1e-11)
        else:
            with pytest.warns(UndefinedStatisticWarning, match="no debt ratio is stable"):
                assert np.isnan(al.steady_state_debt(i, g, p, f))


def test_the_textbook_example():
    # Dolan: half of GDP at 2 % interest and 4 % growth allows a primary deficit of 1 % of GDP (linear law).
    assert al.linear_debt_ratio(0.5, 0.02, 0.04, 0.0, 0.01) == pytest.approx(0.5, abs=1e-15)


@given(debts, rates, rates, rates, deficits, deficits)
def test_the_law_is_the_accounting_of_debt_and_gdp(d, i, g, p, f, s):
    """Debt and GDP in money, moved separately, give the same ratio."""
    debt, gdp = 1000.0 * d, 1000.0
    new_gdp = gdp * (1 + g) * (1 + p)
    new_debt = debt + i * debt + (f + s) * new_gdp
    assert al.next_debt_ratio(d, i, g, p, f, s) == pytest.approx(new_debt / new_gdp, abs=1e-12)


@given(debts, rates, rates, rates)
def test_the_stabilising_balance_stabilises(d, i, g, p):
    balance = al.debt_stabilising_balance(d, i, g, p)
    factor = (1 + i) / ((1 + g) * (1 + p))
    assert d * factor - balance == pytest.approx(d, abs=1e-13)


@given(rates, rates, rates, deficits)
def test_the_steady_state_is_a_fixed_point_that_attracts(i, g, p, f):
    lead = (1 + g) * (1 + p) - 1 - i
    if lead < 0.02:
        return
    steady = al.steady_state_debt(i, g, p, f)
    if abs(steady) >= 9:
        return
    assert al.next_debt_ratio(steady, i, g, p, f) == pytest.approx(steady, abs=1e-12)
    near = al.next_debt_ratio(steady + 0.1, i, g, p, f)
    assert abs(near - steady) < 0.1


def test_arrays_are_the_numbers_one_by_one():
    d, i = np.array([0.5, 1.0]), np.array([0.03, 0.05])
    both = al.next_debt_ratio(d, i, 0.02, 0.02, 0.01)
    assert both.tolist() == [al.next_debt_ratio(a, b, 0.02, 0.02, 0.01) for a, b in zip(d, i, strict=True)]


def test_a_total_deficit_would_count_interest_twice():
    """The article's formula closes only with the primary deficit."""
    debt, gdp, interest, deficit = 60.0, 100.0, 3.0, 5.0
    after = (debt + deficit) / (gdp * 1.04)
    primary = (deficit - interest) / (gdp * 1.04)
    assert al.next_debt_ratio(0.6, 0.05, 0.02, 1.04 / 1.02 - 1, primary) == pytest.approx(after, abs=1e-14)
    assert al.next_debt_ratio(0.6, 0.05, 0.02, 1.04 / 1.02 - 1, deficit / 104) > after + 0.02


SHAPES = r"interest_rate: shape \(3,\) does not fit debt, of shape \(2,\); pass as many of each"


def test_shapes_that_do_not_fit_are_refused_by_the_closed_forms():
    two, three = [1.0, 2.0], [0.01, 0.02, 0.03]
    with pytest.raises(InputError, match=SHAPES):
        al.debt_stabilising_balance(two, three, 0.02, 0.02)
    with pytest.raises(
        InputError, match=r"inflation: shape \(2,\) does not fit interest_rate, of shape \(3,\)"
    ):
        al.steady_state_debt(three, 0.02, [0.01, 0.02], 0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((99.9, 0.03, 0.02, 0.02, 0.03), r"debt: 99.9 times GDP.*percent; divide by 100"),
        ((1.0, 3.4, 0.02, 0.02, 0.03), r"interest_rate: typically 3.4.*percent"),
        ((1.0, 0.03, 2.0, 0.02, 0.03), r"growth: typically 2.*percent"),
        ((1.0, 0.03, 0.02, 2.0, 0.03), r"inflation: typically 2.*percent"),
        ((1.0, 0.03, 0.02, 0.02, 3.0), r"primary_deficit: typically 3.*percent"),
        ((1.0, 0.03, -1.0, 0.02, 0.03), r"growth: -1: at -1 or less nothing is left"),
        ((1.0, -1.0, 0.02, 0.02, 0.03), r"interest_rate: -1: at -1 or less"),
        ((1.0, 0.03, 0.02, -1.2, 0.03), r"inflation: -1.2: at -1 or less"),
        ((1.0, float("nan"), 0.02, 0.02, 0.03), r"interest_rate: nan is not a finite number"),
        (("much", 0.03, 0.02, 0.02, 0.03), r"debt: str is no number"),
        ((True, 0.03, 0.02, 0.02, 0.03), r"debt: bool is no number"),
        ((np.array([True]), 0.03, 0.02, 0.02, 0.03), r"debt: .*no number"),
        (([1.0, True], 0.03, 0.02, 0.02, 0.03), r"debt: .*no number"),
        ((1.0, "0.03", 0.02, 0.02, 0.03), r"interest_rate: str is no number"),
        ((1.0, 0.03, False, 0.02, 0.03), r"growth: bool is no number"),
        (([1.0, 2.0], [0.01, 0.02, 0.03], 0.02, 0.02, 0.03), SHAPES),
    ],
)
def test_refusals(arguments, message):
    for law in (al.next_debt_ratio, al.linear_debt_ratio):
        with pytest.raises(InputError, match=message):
            law(*arguments)


def test_inflation_of_seventy_percent_is_believed():
    assert al.next_debt_ratio(0.4, 0.2, 0.05, 0.72, 0.01) < 0.4


# --- paths ---------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(debts, rates, rates, rates, deficits, st.integers(1, 15))
def test_a_path_is_the_law_again_and_again(d, i, g, p, f, n):
    path = al.debt_path(d, i, g, p, f, n_years=n)
    exact = linear = d
    for row in path.table.itertuples():
        before = exact
        exact, linear = exact * (1 + i) / ((1 + g) * (1 + p)) + f, linear * (1 + i - g - p) + f
        if path.stopped != row.Index:
            assert row.debt == pytest.approx(exact, rel=1e-10)
            channels = row.interest + row.growth + row.inflation + row.primary_deficit + row.stock_flow
            assert channels == pytest.approx(exact - before, abs=1e-12)
        assert row.linear == pytest.approx(linear, rel=1e-10)
        assert row.gap == row.linear - row.debt


def test_many_paths_are_each_a_path():
    rng = np.random.default_rng(1)
    i, g, p, f = rng.normal(0.02, 0.02, (4, 6, 9))
    many = al.debt_paths(0.9, i, g, p, f)
    assert many.shape == (6, 9)
    for row in range(6):
        one = al.debt_path(0.9, i[row], g[row], p[row], f[row]).table["debt"]
        assert many[row] == pytest.approx(one.to_numpy(), abs=1e-15)


def test_starts_may_differ_by_path():
    many = al.debt_paths(np.array([0.5, 1.0]), 0.03, 0.02, np.full(3, 0.02), 0.01)
    assert many[1] == pytest.approx(al.debt_path(1.0, 0.03, 0.02, 0.02, 0.01, n_years=3).table["debt"])
    assert many.shape == (2, 3)


def test_an_explosion_stops_at_the_cap_and_says_the_year():
    path = al.debt_path(1.0, 0.4, 0.0, 0.0, 0.1, first_year=2030, n_years=50)
    assert path.stopped == 2036
    assert path.table.index[-1] == 2036
    assert 10.0 < path.table["debt"].iloc[-1] < 14.2
    assert "stopped in 2036: the ratio passed 10 times GDP" in str(path)
    many = al.debt_paths(1.0, np.full((2, 500), 0.4), 0.0, 0.0, 0.1)
    assert np.isfinite(many).all()
    assert (many[:, 6:] == 10.0).all()


def test_the_row_that_stops_a_path_is_the_law_as_the_others_are():
    path = al.debt_path(1.0, 0.4, -0.2, -0.1, 0.3, n_years=30, first_year=2026)
    assert path.stopped == path.table.index[-1] == 2029
    before = np.append(1.0, path.table["debt"].iloc[:-1])
    channels = path.table[["interest", "growth", "inflation", "primary_deficit", "stock_flow"]].sum(axis=1)
    assert (path.table["debt"] - before).to_numpy() == pytest.approx(channels.to_numpy(), abs=1e-12)
    last = al.next_debt_ratio(before[-1], 0.4, -0.2, -0.1, 0.3)
    assert path.table["debt"].iloc[-1] == pytest.approx(last)
    assert path.table["gap"].iloc[-1] == pytest.approx(path.table["linear"].iloc[-1] - last)


def test_a_path_that_explodes_past_every_number_stops_without_a_warning():
    path = al.debt_path(9.0, [1e200, 0.0, 0.0], [-0.9, 0.0, 0.0], 0.0, 0.0)
    assert len(path.table) == 1


def test_a_path_at_the_cap_stays_there():
    """Also where what follows would bring it down."""
    i = np.r_[np.full(10, 0.45), np.full(10, -0.4)]
    assert (al.debt_paths(1.0, i, 0.0, 0.0, 0.1)[6:] == 10.0).all()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1.0, [0.03] * 3, [0.02] * 4, 0.02, 0.01), {}, "growth: 4 years, but interest_rate has 3"),
        ((1.0, [0.03] * 3, 0.02, 0.02, 0.01), {"n_years": 5}, "n_years: 5 years, but interest_rate has 3"),
        ((1.0, 0.03, 0.02, 0.02, 0.01), {}, "how many years"),
        ((1.0, 0.03, 0.02, 0.02, 0.01), {"n_years": 0}, "how many years"),
        ((1.0, [[0.03]], 0.02, 0.02, 0.01), {}, "debt_paths takes many paths"),
        ((1.0, 0.03, 0.02, 0.02, 0.01), {"n_years": 3, "cap": 0.9}, "cap: 0.9 is not above the debt"),
        (
            ([1.0], 0.03, 0.02, 0.02, 0.01),
            {"n_years": 3},
            r"debt: expected a number, got shape \(1,\); debt_paths",
        ),
        *(
            ((1.0, 0.03, 0.02, 0.02, 0.01), {"n_years": 3, **odd}, message)
            for odd, message in (
                ({"n_years": 2.5}, "n_years: 2.5 is not a whole number"),
                ({"n_years": "3"}, "n_years: '3' is not a whole number"),
                ({"n_years": True}, "n_years: True is not a whole number"),
                ({"first_year": "2025"}, "first_year: '2025' is not a whole number"),
                ({"cap": None}, "cap: None is no number; leave it at 10"),
                ({"cap": "a"}, "cap: 'a' is no number"),
                ({"cap": [10.0]}, r"cap: \[10.0\] is no number"),
            )
        ),
    ],
)
def test_refusals_of_a_path(arguments, options, message):
    with pytest.raises(InputError, match=message):
        al.debt_path(*arguments, **options)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(
        InputError, match=r"growth: shape \(4,\) does not fit interest_rate, of shape \(2, 3\)"
    ):
        al.debt_paths(1.0, np.full((2, 3), 0.03), np.full(4, 0.02), 0.02, 0.01)
    with pytest.raises(InputError, match=r"debt: 3 paths do not fit assumptions of shape \(2, 3\)"):
        al.debt_paths([1.0, 1.0, 1.0], np.full((2, 3), 0.03), 0.02, 0.02, 0.01)
    with pytest.raises(InputError, match="cap: 'a' is no number"):
        al.debt_paths(1.0, np.full((2, 3), 0.03), 0.02, 0.02, 0.01, cap="a")


def test_a_path_prints_its_units_and_start():
    path = al.debt_path(1.0, 0.04, 0.02, 0.02, 0.03, first_year=2026, n_years=2)
    text = str(path)
    assert "from 100.0 % of GDP" in text
    assert "2026" in text
    assert path._repr_html_().count("<tr>") == 3


def test_a_series_of_assumptions_is_not_changed():
    growth = pd.Series([0.02, 0.03])
    al.debt_path(1.0, 0.03, growth, 0.02, 0.01)
    assert growth.tolist() == [0.02, 0.03]

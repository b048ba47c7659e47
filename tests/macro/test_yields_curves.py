"""Zero curves, loadings, expectations: published numbers, bonds repriced by hand, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.errors import InputError
from allocator.macro.yields import ar1_average_rate, diebold_li_loadings, zero_curve
from allocator.market import constant_maturity_returns

SHARED = Path(__file__).resolve().parents[3] / "shared"
DATES = pd.date_range("2020-01-31", periods=3, freq="ME")


def case(name: str) -> dict:
    path = SHARED / "cases" / name
    if not path.exists():
        pytest.skip(f"needs ../shared/cases/{name}, which is not part of the project")
    return json.loads(path.read_text())


def par_curve(rates: list[float], months=(1, 3, 6, 12, 24, 60, 84, 120)) -> pd.DataFrame:
    return pd.DataFrame([rates] * 3, index=DATES, columns=list(months))


rates = st.floats(-0.01, 0.15)


@settings(max_examples=20)
@given(st.lists(rates, min_size=5, max_size=5))
def test_a_bond_at_each_par_yield_is_worth_par(par):
    """Coupons discounted one by one at the zero curve: an oracle that knows nothing of bootstrapping."""
    months = (3, 6, 12, 24, 60)
    zeros = zero_curve(par_curve(par, months)).iloc[0]
    for coupon, maturity in zip(par[1:], months[1:], strict=True):
        paid = np.arange(6, maturity + 1, 6)
        value = sum(coupon / 2 * np.exp(-zeros[m] * m / 12) for m in paid) + np.exp(
            -zeros[maturity] * maturity / 12
        )
        assert value == pytest.approx(1.0, abs=1e-12)
    assert np.exp(-zeros[3] / 4) == pytest.approx(1 / (1 + par[0] / 4), abs=1e-14)


@given(rates)
@settings(max_examples=20)
def test_a_flat_par_curve_has_a_flat_zero_curve(rate):
    zeros = zero_curve(par_curve([rate] * 8))
    assert zeros.columns.tolist() == list(range(1, 121))
    np.testing.assert_allclose(zeros.loc[:, 6:], 2 * np.log1p(rate / 2), atol=1e-9)
    assert zeros[1].iloc[0] == pytest.approx(12 * np.log1p(rate / 12), abs=1e-14)


def test_each_date_has_its_own_curve():
    table = par_curve([0.02, 0.021, 0.022, 0.025, 0.03, 0.035, 0.04, 0.045])
    table.iloc[1] += 0.01
    alone = zero_curve(table.iloc[[1]])
    assert zero_curve(table).iloc[[1]].equals(alone)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: 100 * t, "par on 2020-01-31: 4.5 looks like percent"),
        (lambda t: t.iloc[:, 3:], r"maturities \[12, 24, 60, 84, 120\] in months; three or more"),
        (lambda t: t.iloc[:, ::-1], "par.columns: .*expected increasing whole months"),
        (lambda t: t.rename(columns=str), "expected increasing whole months; rename them"),
        (lambda t: t[t.index != DATES[1]].reindex(DATES), r"par\[1\] on 2020-02-29: is nan"),
        (lambda t: t[1], "expected a DataFrame with a column a maturity, got Series"),
        (lambda t: t.rename(columns={1: 0}), "a maturity of 0 months"),
        (
            lambda t: t * 0 + [0, 0, 0, 0, 0, 0.1, 0.1, 0.49],
            "on 2020-01-31: no positive discount factors fit",
        ),
    ],
)
def test_a_curve_that_is_none_is_refused(change, match):
    table = par_curve([0.02, 0.021, 0.022, 0.025, 0.03, 0.035, 0.04, 0.045])
    with pytest.raises(InputError, match=match):
        zero_curve(change(table))


# --- Diebold and Li (2006) ---


def test_a_curve_of_no_rows_is_refused():
    with pytest.raises(InputError, match="par: "):
        zero_curve(pd.DataFrame({1: [], 3: [], 12: []}, index=pd.DatetimeIndex([])))


def test_loadings_of_diebold_and_li():
    expected = case("F_diebold_li_loadings.json")
    found = diebold_li_loadings(np.array(expected["tau_months"]), expected["lambda_"])
    np.testing.assert_allclose(found["slope"], expected["slope"], rtol=1e-14)
    np.testing.assert_allclose(found["curvature"], expected["curvature"], rtol=1e-12)
    np.testing.assert_allclose(found @ expected["example_beta"], expected["example_yields"], rtol=1e-13)


def test_the_curvature_peaks_near_thirty_months():
    grid = np.arange(20.0, 40.0, 0.001)
    assert diebold_li_loadings(grid)["curvature"].idxmax() == pytest.approx(29.446, abs=1e-3)


def test_loadings_refuse_no_maturities():
    with pytest.raises(InputError, match="expected positive maturities in months"):
        diebold_li_loadings(np.array([0.0, 3.0]))
    with pytest.raises(InputError, match="decay: -1 is not positive"):
        diebold_li_loadings(np.array([3.0]), -1)


# --- an AR(1) short rate ---


def test_the_published_toy_of_expectations():
    toy = case("F_ar1_expectations.json")
    found = ar1_average_rate(toy["r0"], toy["mu"], toy["phi"], toy["n_months"])
    assert found == pytest.approx(toy["avg_expected"], abs=1e-16)
    assert toy["yield_"] - found == pytest.approx(toy["term_premium"], abs=1e-16)


@given(rates, rates, st.floats(-0.99, 1.0), st.integers(1, 200))
@settings(max_examples=20)
def test_the_average_is_that_of_the_path(rate, mean, persistence, periods):
    path, total = rate, 0.0
    for _ in range(periods):
        total += path
        path = mean + persistence * (path - mean)
    assert ar1_average_rate(rate, mean, persistence, periods) == pytest.approx(total / periods, abs=1e-14)


def test_expectations_refuse_percent_and_explosions():
    with pytest.raises(InputError, match="looks like percent"):
        ar1_average_rate(4.0, 0.03, 0.9, 12)
    with pytest.raises(InputError, match=r"persistence: 1\.01 is no number"):
        ar1_average_rate(0.04, 0.03, 1.01, 12)
    with pytest.raises(InputError, match="periods: is 0, expected 1"):
        ar1_average_rate(0.04, 0.03, 0.9, 0)


# --- bond returns from yields, of the market package, against the case of this section ---


def test_par_bond_returns_of_the_case():
    for row in case("F_cmt_par_bond_return.json")["rows"]:
        yields = pd.Series([row["y0"], row["y1"]], index=DATES[:2])
        assert constant_maturity_returns(yields, 10).iloc[0] == pytest.approx(
            row["monthly_total_return_exact"], abs=1e-14
        )

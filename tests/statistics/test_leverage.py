"""The identity of Anderson, Bianchi and Goldberg (2014): parts add up, each with its error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocator import InputError, levered_return_parts
from allocator.statistics import resampled_means

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
DATES = pd.date_range("2000-01-31", periods=240, freq="ME")


def drawn(seed: int, n: int = 240) -> dict[str, pd.Series]:
    rng = np.random.default_rng(seed)
    columns = {
        "source": 0.005 + 0.03 * rng.normal(size=n),
        "leverage": rng.uniform(0.0, 3.0, n),
        "cash": rng.uniform(0.0, 0.004, n),
    }
    columns["borrowing"] = columns["cash"] + rng.uniform(0.0, 0.002, n)
    return {name: pd.Series(column, DATES[:n], name=name) for name, column in columns.items()}


def test_the_case() -> None:
    """Four periods worked out by hand after the structure of Anderson, Bianchi and Goldberg (2014)."""
    file = CASES / "A_leverage_attribution.json"
    if not file.exists():
        pytest.skip(f"needs ../shared/cases/{file.name}, which is not part of the project")
    facts = json.loads(file.read_text())
    inputs = [np.array(facts[name]) for name in ("r", "L", "rf", "rb")]
    found = levered_return_parts(*inputs, periods_per_year=12)
    parts = [facts["parts"][name] for name in ("source_return", "magnified", "cov", "excess_borrow")]
    np.testing.assert_allclose(found.table["mean"], [*parts, facts["mean_levered"]], rtol=1e-12)
    np.testing.assert_allclose(found.table["annual"], 12.0 * found.table["mean"], rtol=1e-14)
    assert found.table["standard_error"].isna().all()
    assert (found.n, found.mean_leverage) == (4, pytest.approx(1.525))


@given(st.integers(0, 2**32 - 1), st.integers(13, 240))
def test_the_parts_add_up_to_what_the_levered_portfolio_earned(seed: int, n: int) -> None:
    """Period by period: the assets, and cash or a loan, each paid at its own rate."""
    inputs = drawn(seed, n)
    r, leverage, cash, borrowing = (series.to_numpy() for series in inputs.values())
    earned = [
        x * level + (1.0 - level) * (c if level < 1.0 else b)
        for x, level, c, b in zip(r, leverage, cash, borrowing, strict=True)
    ]
    found = levered_return_parts(**inputs, n_resamples=2).table["mean"]
    assert found["levered return"] == pytest.approx(np.mean(earned), abs=1e-15)
    assert found.iloc[:-1].sum() == pytest.approx(np.mean(earned), abs=1e-15)
    assert found["covariance with leverage"] == pytest.approx(
        np.cov(leverage, r - cash, ddof=0)[0, 1], abs=1e-16
    )


def test_without_leverage_there_is_only_the_source() -> None:
    inputs = drawn(1) | {"leverage": pd.Series(1.0, DATES)}
    found = levered_return_parts(**inputs).table
    assert found.loc["source return", "mean"] == found.loc["levered return", "mean"]
    np.testing.assert_array_equal(found.iloc[1:4].to_numpy(), 0.0)


def test_below_one_nothing_is_borrowed() -> None:
    inputs = drawn(2) | {"leverage": pd.Series(0.25, DATES), "borrowing": 0.4}
    found = levered_return_parts(**inputs).table
    assert found.loc["borrowing above cash", "mean"] == 0.0
    excess = (inputs["source"] - inputs["cash"]).mean()
    assert found.loc["magnified by leverage", "mean"] == pytest.approx(-0.75 * excess, rel=1e-12)


def test_annual_rates_and_arrays() -> None:
    inputs = drawn(3) | {"cash": 0.03, "borrowing": 0.05}
    dated = levered_return_parts(**inputs)
    arrays = {name: x if isinstance(x, float) else x.to_numpy() for name, x in inputs.items()}
    bare = levered_return_parts(**arrays, periods_per_year=12)
    np.testing.assert_array_equal(dated.table, bare.table)
    np.testing.assert_allclose(dated.by_period["cash"], 1.03 ** (1 / 12) - 1.0)
    np.testing.assert_allclose(dated.by_period["borrowing"], 1.05 ** (1 / 12) - 1.0)


def test_standard_errors_are_those_of_independent_returns_where_returns_are() -> None:
    """Over 200 histories the errors agree with how much the parts vary from one to the next."""
    found = [
        levered_return_parts(**drawn(seed), n_resamples=300).table.iloc[:, 1:].to_numpy()
        for seed in range(200)
    ]
    annual, errors = np.array(found).transpose(2, 0, 1)
    np.testing.assert_allclose(errors.mean(axis=0), annual.std(axis=0, ddof=1), rtol=0.2)


def test_the_error_of_the_sum_is_that_of_the_mean_levered_return() -> None:
    """Of the very same resamples: in each of them the parts add up."""
    inputs = drawn(9)
    found = levered_return_parts(**inputs, seed=3)
    r, leverage, cash, borrowing = (series.to_numpy() for series in inputs.values())
    earned = r * leverage + (1.0 - leverage) * np.where(leverage < 1.0, cash, borrowing)
    means = resampled_means(earned[:, None], found.block_length, 2000, np.random.default_rng(3))
    expected = means.std(ddof=1) * 12.0
    assert found.table.loc["levered return", "standard_error"] == pytest.approx(expected, rel=1e-9)


def test_the_same_seed_gives_the_same_errors() -> None:
    one, same, other = (levered_return_parts(**drawn(4), seed=seed).table for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert not one["standard_error"].equals(other["standard_error"])
    pd.testing.assert_frame_equal(one[["mean", "annual"]], other[["mean", "annual"]])


def test_it_prints_units_and_conventions() -> None:
    text = repr(levered_return_parts(**drawn(5)))
    assert text.startswith("Leverage: source, 2000-01-31 to 2019-12-31, 240 returns, mean leverage 1.4")
    assert text.splitlines()[1].split("  ")[-3:] == ["a period", "a year", " ± se"]
    assert "a year: mean × 12, arithmetic; the parts add up" in text
    assert "circular block bootstrap of all columns together, blocks of" in text
    assert "fewer than 12 returns" in repr(levered_return_parts(**drawn(5, 11)))
    assert "<table>" in levered_return_parts(**drawn(5))._repr_html_()


def test_inputs_are_left_as_they_were_and_the_record_is_a_copy() -> None:
    inputs = drawn(6)
    copies = {name: series.copy() for name, series in inputs.items()}
    found = levered_return_parts(**inputs)
    found.by_period["source"] = 0.0
    for name, series in inputs.items():
        pd.testing.assert_series_equal(series, copies[name])


def later(series: pd.Series) -> pd.Series:
    return series.set_axis(series.index + pd.offsets.MonthEnd(1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: {"leverage": later(d["leverage"])}, "leverage on 2000-01-31: missing; give both the same"),
        (lambda d: {"leverage": d["leverage"].iloc[:-1]}, "leverage on 2019-12-31: missing"),
        (lambda d: {"source": d["source"].iloc[:-1]}, "leverage on 2019-12-31: is not a date of source"),
        (lambda d: {"leverage": d["leverage"].to_numpy()}, "leverage: one of it and source has dates"),
        (lambda d: {"cash": later(d["cash"])}, "cash on 2000-01-31: missing"),
        (lambda d: {"borrowing": later(d["borrowing"])}, "borrowing on 2000-01-31: missing"),
        (lambda d: {"borrowing": 5.0}, "borrowing: an annual rate of 5 looks like percent"),
        (lambda d: {"borrowing": d["borrowing"] * 100.0}, "borrowing: a typical return of"),
        (
            lambda d: {"leverage": d["leverage"] - 3.0},
            "leverage on 2000-01-31: .* is negative; 1 is no leverage",
        ),
        (lambda d: {"leverage": d["leverage"] * np.nan}, "leverage on 2000-01-31: NaN"),
        (lambda d: {"source": d["source"].to_frame().assign(b=0.0)}, "source: 2 series, expected one"),
        (lambda d: {"n_resamples": 1}, "n_resamples: 1 resamples have no spread"),
        (
            lambda d: {name: series.to_numpy() for name, series in d.items()},
            "periods_per_year: an array has no",
        ),
    ],
)
def test_refusals(change: Any, words: str) -> None:
    inputs = drawn(7)
    with pytest.raises(InputError, match=words):
        levered_return_parts(**(inputs | change(inputs)))


def test_arrays_of_other_lengths_are_refused() -> None:
    arrays = {name: series.to_numpy() for name, series in drawn(8).items()}
    with pytest.raises(InputError, match="leverage: 239 rows for 240 rows of source"):
        levered_return_parts(**(arrays | {"leverage": arrays["leverage"][1:]}), periods_per_year=12)

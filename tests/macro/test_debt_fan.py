"""The fan of debt ratios: closed forms where the law is linear, and draws that are what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.errors import InputError, InsufficientHistoryError
from allocator.macro.debt.draws import fit_first_order


@pytest.fixture(scope="module")
def us() -> pd.DataFrame:
    return al.debt_accounts(al.load_us_debt())


def only_the_deficit_moves(n: int = 60, seed: int = 3) -> pd.DataFrame:
    """Rates that never change, and a deficit that is an autoregression: the ratio is linear in its shocks."""
    shocks = np.random.default_rng(seed).normal(0.0, 0.01, n)
    deficit = np.zeros(n)
    for t in range(1, n):
        deficit[t] = 0.008 + 0.6 * deficit[t - 1] + shocks[t]
    rates = {"interest_rate": 0.035, "growth": 0.02, "inflation": 0.02}
    return pd.DataFrame({"debt": 0.8, **rates, "primary_deficit": deficit}, index=range(1960, 1960 + n))


def test_mean_and_deviation_are_those_of_the_linear_case():
    """d_T = φ^T d_0 + Σ φ^(T-t) f_t with f an AR(1): both moments in closed form."""
    accounts, n_years, n_paths = only_the_deficit_moves(), 8, 40_000
    fan = al.debt_fan(accounts, n_years, n_paths=n_paths, seed=1)
    f = accounts["primary_deficit"].to_numpy()[1:]
    x, y = f[:-1], f[1:]
    slope = ((x - x.mean()) @ (y - y.mean())) / ((x - x.mean()) @ (x - x.mean()))
    constant = y.mean() - slope * x.mean()
    rest = y - constant - slope * x
    sigma = np.sqrt(rest @ rest / (len(y) - 5))  # five coefficients an equation, as for the whole VAR
    phi = 1.035 / (1.02 * 1.02)
    mean, expected = 0.8, f[-1]
    weights = np.zeros(0)  # of each shock so far on the ratio
    on_f = np.zeros(0)
    for year in range(n_years):
        expected = constant + slope * expected
        mean = phi * mean + expected
        on_f = np.append(on_f * slope, 1.0)
        weights = np.append(weights, 0.0) * phi + on_f
        deviation = sigma * np.sqrt(weights @ weights)
        row = fan.table.loc[year + 1]
        assert row["mean"] == pytest.approx(mean, abs=4 * deviation / np.sqrt(n_paths))
        assert row["deviation"] == pytest.approx(deviation, rel=4 / np.sqrt(2 * n_paths))


def test_the_var_is_that_of_least_squares_equation_by_equation(us):
    """An oracle: numpy's least squares with a column of ones, a series at a time."""
    history = us[["interest_rate", "growth", "inflation", "primary_deficit"]].to_numpy()[1:]
    constant, matrix, root = fit_first_order(history)
    design = np.column_stack([np.ones(len(history) - 1), history[:-1]])
    residuals = np.empty((len(history) - 1, 4))
    for series in range(4):
        coefficients = np.linalg.solve(design.T @ design, design.T @ history[1:, series])
        assert constant[series] == pytest.approx(coefficients[0], abs=1e-10)
        assert matrix[series] == pytest.approx(coefficients[1:], abs=1e-9)
        residuals[:, series] = history[1:, series] - design @ coefficients
    covariance = residuals.T @ residuals / (len(history) - 1 - 5)
    assert root @ root.T == pytest.approx(covariance, abs=1e-12)


def test_draws_begin_where_the_series_stand(us):
    """The mean of the first year is the forecast from the last row, not from the average."""
    fan = al.debt_fan(us, 1, n_paths=20_000)
    history = us[["interest_rate", "growth", "inflation", "primary_deficit"]].to_numpy()[1:]
    constant, matrix, root = fit_first_order(history)
    forecast = constant + matrix @ history[-1]
    error = 4 * np.sqrt(np.diag(root @ root.T) / 20_000)
    assert (np.abs(fan.futures[:, 0].mean(axis=0) - forecast) < error).all()


def test_blocks_are_consecutive_years_of_history(us):
    history = us[["interest_rate", "growth", "inflation", "primary_deficit"]].to_numpy()[1:]
    fan = al.debt_fan(us, 7, draws=al.HistoryBlocks(3), n_paths=200)
    rows = {tuple(row): place for place, row in enumerate(history)}
    places = np.array([[rows[tuple(year)] for year in path] for path in fan.futures])
    steps = np.diff(places, axis=1) % len(history)
    assert (steps[:, [0, 1, 3, 4]] == 1).all()  # within the blocks of three
    assert not (steps[:, [2, 5]] == 1).all()
    assert len(np.unique(places[:, 0])) > 50


def test_blocks_of_one_year_have_the_moments_of_the_history(us):
    """Independent draws: the mean of each series is that of the history."""
    history = us[["interest_rate", "growth", "inflation", "primary_deficit"]].to_numpy()[1:]
    drawn = al.debt_fan(us, 5, draws=al.HistoryBlocks(1), n_paths=20_000).futures.reshape(-1, 4)
    error = 4 * history.std(axis=0) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - history.mean(axis=0)) < error).all()


def test_every_path_obeys_the_law(us):
    fan = al.debt_fan(us, 6, n_paths=50)
    again = al.debt_paths(fan.initial, *np.moveaxis(fan.futures, -1, 0))
    assert np.array_equal(again, fan.paths)


def test_quantiles_and_the_probability_are_those_of_the_paths(us):
    fan = al.debt_fan(us, 4, n_paths=500)
    assert fan.table[0.5].to_numpy() == pytest.approx(np.median(fan.paths, axis=0))
    share = (fan.paths > float(us["debt"].iloc[-1])).mean(axis=0)
    assert fan.table["higher"].to_numpy() == pytest.approx(share)
    assert fan.table["simulation_error"].to_numpy() == pytest.approx(np.sqrt(share * (1 - share) / 500))


def test_the_seed_decides_and_is_recorded(us):
    one, same, other = (al.debt_fan(us, 3, n_paths=20, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.paths, same.paths)
    assert not np.array_equal(one.paths, other.paths)
    assert one.seed == 5
    assert "seed 5" in str(one)


def test_what_was_drawn_is_read_only(us):
    fan = al.debt_fan(us, 3, n_paths=20)
    with pytest.raises(ValueError, match="read-only"):
        fan.paths[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        fan.futures[0, 0, 0] = 1.0


def test_paths_at_the_cap_are_counted_and_said():
    accounts = only_the_deficit_moves().assign(interest_rate=0.4)
    fan = al.debt_fan(accounts, 12, draws=al.HistoryBlocks(2), n_paths=100)
    assert fan.table["at_cap"].iloc[-1] == 1.0
    assert np.isfinite(fan.table.to_numpy(dtype=float)).all()
    assert "100.00% of the paths passed 10 times GDP and stay there" in str(fan)


def test_the_print_says_what_is_not_in_the_fan(us):
    text = str(al.debt_fan(us, 3, n_paths=20))
    for needed in ("no stock-flow", "error of estimates is not in the fan", "2025-09-30", "86 periods"):
        assert needed in text
    assert al.debt_fan(us, 3, n_paths=20)._repr_html_().count("<tr>") == 4


class Constant(al.MacroDraws):
    """Somebody's own draws."""

    def __init__(self, years: int) -> None:
        self.years = years

    def paths(self, history, n_paths, n_years, rng):
        return np.broadcast_to(history.mean(axis=0), (n_paths, self.years, 4)).copy()


def test_draws_of_ones_own_are_taken_and_checked(us):
    fan = al.debt_fan(us, 4, draws=Constant(4), n_paths=10)
    assert np.ptp(fan.paths, axis=0) == pytest.approx(0.0)
    with pytest.raises(InputError, match=r"gave an array of shape \(10, 3, 4\), expected \(10, 4, 4\)"):
        al.debt_fan(us, 4, draws=Constant(3), n_paths=10)


def test_an_explosive_history_is_refused():
    n = 30
    rates = {"interest_rate": 0.01 * 1.1 ** np.arange(n) / 3, "growth": 0.02, "inflation": 0.02}
    accounts = pd.DataFrame({"debt": 0.8, **rates, "primary_deficit": 0.01}, index=range(1990, 1990 + n))
    with pytest.raises(InputError, match=r"the VAR explodes: its largest eigenvalue is 1.1"):
        al.debt_fan(accounts, 5)


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        (8, {}, InsufficientHistoryError, "7 periods for a VAR of 4 series, at least 11 are needed"),
        (8, {"draws": al.HistoryBlocks(9)}, InputError, "block_length: 9 periods, but the history has 7"),
        (30, {"draws": "VAR"}, InputError, "str cannot draw"),
        (30, {"n_years": 0}, InputError, "n_years: is 0, expected at least 1"),
        (30, {"n_years": 2.5}, InputError, "n_years: 2.5 is not a whole number"),
        (30, {"n_paths": 1}, InputError, "n_paths: is 1, expected at least 2"),
        (30, {"n_paths": 2.5}, InputError, "n_paths: 2.5 is not a whole number"),
        (30, {"seed": -1}, InputError, "seed: -1 is not a whole number, 0 or more"),
        (30, {"seed": "a"}, InputError, "seed: 'a' is not a whole number"),
        (30, {"seed": None}, InputError, "seed: None is not a whole number"),
        (30, {"cap": None}, InputError, "cap: None is no number"),
        (30, {"cap": 0.5}, InputError, "cap: 0.5 is not above the debt"),
    ],
)
def test_refusals(us, rows, options, error, message):
    with pytest.raises(error, match=message):
        al.debt_fan(us.iloc[-rows:], **options)
    with pytest.raises(InputError, match="block_length: is 0, expected 1 to"):
        al.HistoryBlocks(0)

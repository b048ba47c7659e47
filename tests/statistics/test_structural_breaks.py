"""Breaks, against Bai and Perron (2003) as R's strucchange computes them, and against slow code.

Where p comes from resamples: slow resamples, and that a truth is rejected as often as it should be.
Invariants: the unit of y, a constant added to it, and a turn of the regressors change no date and no p.
"""

import itertools
import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import allocator as al
from allocator.statistics import KernelVariance, LongRunVariance, Prewhitened
from allocator.statistics._autoregression import autoregression, long_run_variances
from allocator.statistics._break_gains import BreakGains
from allocator.statistics._break_interval import argmax_distribution
from allocator.statistics._likelihood_set import _critical, likelihood_rows
from allocator.statistics._segments import Stretches
from allocator.statistics._sup_bessel import supremum_p_value
from allocator.statistics.sieve_bootstrap import null_model


@pytest.fixture
def expected(case):
    return json.loads(case("D_baiperron_expected.json").read_text())


@pytest.fixture
def real_rate(case):
    """US ex-post real interest rate, 1961 to 1986, of Bai and Perron (2003)."""
    values = pd.read_csv(case("D_baiperron_realint_input.csv"))["realint"].to_numpy()
    return pd.Series(values, pd.date_range("1961-03-31", periods=len(values), freq="QE"), name="real rate")


@pytest.fixture
def nile(case):
    values = pd.read_csv(case("D_nile_input.csv"))["nile"].to_numpy(float)
    return pd.Series(values, pd.date_range("1871-12-31", periods=100, freq="YE"), name="nile")


@dataclass(frozen=True)
class InTheUnitOfR(LongRunVariance):
    """Our prewhitened estimator without the factor m/(m - 1) of its m = n - 1 residuals, as sandwich's."""

    def variance(self, moments, direction):
        residuals = len(moments) - 1
        return Prewhitened().variance(moments, direction) * (residuals - 1) / residuals

    def describe(self):
        return "kernHAC"


def relation(n=120, seed=0, change=0.0, at=60):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    y = 1.0 + (0.5 + change * (np.arange(n) >= at)) * x + rng.standard_normal(n)
    dates = pd.date_range("2000-01-31", periods=n, freq="ME")
    return pd.Series(y, dates, name="gold"), pd.Series(x, dates, name="bonds")


def squares(x, y):
    return np.sum((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2)


def design(x):
    return np.column_stack([np.ones(len(x)), x])


def test_bai_and_perron_of_the_case(real_rate, expected):
    found = al.find_breaks(real_rate, None, None)
    assert found.shortest == expected["h"]
    assert len(found.partitions) == 6
    for number, partition in enumerate(found.partitions):
        assert list(partition.rows) == expected["breaks"].get(str(number), [])
        assert partition.squares == pytest.approx(expected["RSS"][number], abs=1e-8)
        assert partition.bic == pytest.approx(expected["BIC"][number], abs=1e-8)
    assert found.by_bic == expected["bic_choice"]
    assert [f"{date:%Y}Q{date.quarter}" for date in found.chosen.breaks["date"]] == ["1972Q3", "1980Q3"]


def test_sup_f_of_the_case(real_rate, expected):
    found = al.break_test(real_rate, None, None)
    assert found.statistic == pytest.approx(expected["supF"], abs=1e-10)
    assert found.date == real_rate.index[78]
    assert found.p_value < 1e-15
    resampled = al.break_test(real_rate)
    assert resampled.statistic == found.statistic
    assert resampled.p_value <= 0.01  # though without its breaks taken out the rate wanders


def test_the_nile_of_the_case(nile, expected):
    """The set 1895 to 1902 is that of strucchange's documentation of Nile."""
    found = al.find_breaks(nile, None, None)
    published = expected["nile"]
    assert found.chosen.rows == (published["break"],)
    for number in (0, 1):
        assert found.partitions[number].squares == pytest.approx(published["RSS"][number], rel=1e-13)
        assert found.partitions[number].bic == pytest.approx(published["BIC"][number], abs=1e-8)
    only = found.chosen.breaks.loc[1]
    assert (only["low"].year, only["date"].year, only["high"].year) == (1895, 1898, 1902)
    assert found.sequential == 1


def test_coefficients_errors_and_sets_of_bai_and_perron_table_1(real_rate):
    """As strucchange prints them for three breaks, with the prewhitened quadratic-spectral kernel."""
    three = al.find_breaks(real_rate, None, InTheUnitOfR()).partitions[3]
    coefficients = [1.8236167, 0.8660848, -1.7961384, 5.6428896]
    np.testing.assert_allclose(three.segments["intercept"], coefficients, atol=5e-8)
    errors = [0.1857577, 0.1499849, 0.5026749, 0.5887460]
    np.testing.assert_allclose(three.segments["intercept ±"], errors, rtol=2e-3)
    sets = three.breaks[["low_row", "row", "high_row"]].to_numpy().tolist()
    assert sets == [[18, 24, 35], [33, 47, 48], [77, 79, 81]]


def test_partitions_are_the_best_of_all():
    y, x = relation(24, seed=3, change=1.5, at=11)
    found = al.find_breaks(y, x, None, trim=0.25, most=3)
    d, v, h = design(x), y.to_numpy(), 6
    for number, partition in enumerate(found.partitions):
        ways = [
            cuts
            for cuts in itertools.combinations(range(h, 24 - h + 1), number)
            if all(b - a >= h for a, b in itertools.pairwise((0, *cuts, 24)))
        ]
        costs = [sum(squares(d[a:b], v[a:b]) for a, b in itertools.pairwise((0, *cuts, 24))) for cuts in ways]
        assert partition.rows == ways[int(np.argmin(costs))]
        assert partition.squares == pytest.approx(min(costs), rel=1e-10)


def test_sup_f_is_the_largest_of_chow():
    y, x = relation(80, seed=1)
    d, v = design(x), y.to_numpy()
    whole = squares(d, v)
    slow = []
    for row in range(12, 69):
        split = squares(d[:row], v[:row]) + squares(d[row:], v[row:])
        slow.append((whole - split) / (split / (80 - 4)))
    found = al.break_test(y, x, None)
    np.testing.assert_allclose(found.path, slow, rtol=1e-9)
    assert found.date == y.index[12 + int(np.argmax(slow)) - 1]


def test_the_wald_statistic_allows_for_what_errors_do():
    """Against White's and the plain formula written out, with as many lags as none."""
    y, x = relation(60, seed=2)
    white = KernelVariance(al.statistics.Bartlett(), al.statistics.FixedBandwidth(1))
    found = al.break_test(y, x, white)
    d, v, row = design(x), y.to_numpy(), 30
    sides = [(d[:row], v[:row]), (d[row:], v[row:])]
    fits = [np.linalg.lstsq(a, b, rcond=None)[0] for a, b in sides]
    scores = np.vstack([a * (b - a @ f)[:, None] for (a, b), f in zip(sides, fits, strict=True)])
    middle = scores.T @ scores / (60 - 4)
    spread = sum(np.linalg.inv(a.T @ a) @ middle @ np.linalg.inv(a.T @ a) * len(a) for a, _ in sides)
    change = fits[1] - fits[0]
    assert found.path.loc[y.index[row - 1]] == pytest.approx(change @ np.linalg.solve(spread, change))


@given(st.floats(1e-3, 1e3), st.floats(-10, 10), st.floats(-3, 3))
@pytest.mark.parametrize("errors", [KernelVariance(), al.WildSieveBootstrap(199)])
@settings(max_examples=20, deadline=None)
def test_units_and_shifts_change_nothing(errors, scale, shift, slope):
    y, x = relation(60, change=1.0, at=30)
    ours = al.break_test(y, x, errors)
    theirs = al.break_test(scale * y + shift + slope * x, 7.0 * x + 2.0, errors)
    assert theirs.date == ours.date
    assert theirs.statistic == pytest.approx(ours.statistic, rel=1e-6)
    assert theirs.p_value == pytest.approx(ours.p_value, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize(("k", "value"), [(1, 8.85), (2, 11.79), (5, 18.35)])
def test_critical_values_of_andrews(k, value):
    """Andrews (1993), table 1, 15 % trimmed, 5 %: by simulation, to two digits or so."""
    assert supremum_p_value(value, k, 0.15) == pytest.approx(0.05, abs=0.004)


@pytest.mark.parametrize(
    ("k", "first", "second", "degrees"),
    [(1, -0.98828874, 1.01604712, 2.96752918), (2, -1.65273586, 1.05932633, 4.69340428)],
)
def test_p_values_of_hansen(k, first, second, degrees):
    """Hansen (1997): χ² with his degrees at a line in the statistic, 15 % trimmed."""
    for x in (4.0, 8.0, 12.0, 16.0):
        hansen = stats.chi2.sf(first + second * x, degrees)
        assert supremum_p_value(x, k, 0.15) == pytest.approx(hansen, abs=0.03)
        if hansen < 0.1:
            assert supremum_p_value(x, k, 0.15) == pytest.approx(hansen, abs=0.008)


def test_without_room_for_a_break_sup_f_is_one_f():
    for x in (0.5, 3.0, 9.0):
        assert supremum_p_value(x, 2, 0.4999999) == pytest.approx(stats.chi2.sf(x, 2), abs=2e-3)


def test_p_values_fall_and_their_tail_joins():
    for k in (1, 2, 5, 12):
        p = np.array([supremum_p_value(x, k, 0.1) for x in np.linspace(0.01, 90, 400)])
        assert (np.diff(p) <= 1e-9).all()
        assert p[0] == 1.0
        assert 0 < p[-1] < 1e-8
        below = p[p < 1e-3]
        assert (np.diff(np.log(below)) < -0.05).all()


def test_p_values_are_those_of_brownian_bridges():
    rng, n = np.random.default_rng(9), 2000
    walks = np.cumsum(rng.standard_normal((3000, n)), axis=1)
    t = np.arange(1, n + 1) / n
    inside = (t >= 0.15) & (t <= 0.85)
    bridges = (walks - t * walks[:, -1:])[:, inside] / np.sqrt(n * t[inside] * (1 - t[inside]))
    largest = (bridges**2).max(axis=1)
    for x in (2.0, 5.0, 8.0):
        assert supremum_p_value(x, 1, 0.15) == pytest.approx(np.mean(largest > x), abs=0.035)


def test_the_set_is_that_of_two_walks():
    """V by simulation, with twice the variance and thrice the drift after the break."""
    rng, step, reach = np.random.default_rng(10), 0.02, 1500
    xi, phi = 3.0, 2.0
    before, after = np.sqrt(step) * rng.standard_normal((2, 1500, reach)).cumsum(axis=2)
    s = step * np.arange(1, reach + 1)
    left, right = before - s / 2, np.sqrt(phi) * after - xi * s / 2
    on_the_left = left.max(axis=1) > np.maximum(right.max(axis=1), 0)
    where = np.where(on_the_left, -s[left.argmax(axis=1)], s[right.argmax(axis=1)])
    for x in (-5.0, -1.0, 0.5, 1.5):
        assert argmax_distribution(x, xi, phi) == pytest.approx(np.mean(where <= x), abs=0.05)
    assert argmax_distribution(0.0, 1.0, 1.0) == pytest.approx(0.5)
    assert argmax_distribution(11.03, 1.0, 1.0) == pytest.approx(0.975, abs=1e-3)  # Bai (1997): 11


def test_the_number_of_breaks_by_sequence():
    """F(l + 1 | l) is the largest sup-F within a segment; its limit is the power of that of sup-F."""
    y, x = relation(120, seed=4, change=2.0, at=50)
    found = al.find_breaks(y, x, None)
    assert (found.by_bic, found.sequential) == (1, 1)
    assert abs(found.chosen.rows[0] - 50) <= 5
    whole = al.break_test(y, x, None)
    assert found.steps.loc[0, "statistic"] == pytest.approx(whole.statistic)
    assert found.steps.loc[0, "p_value"] == pytest.approx(whole.p_value)
    row, d, v = found.chosen.rows[0], design(x), y.to_numpy()
    inner = []
    for a, b in ((0, row), (row, 120)):
        for cut in range(a + 18, b - 18 + 1):
            split = squares(d[a:cut], v[a:cut]) + squares(d[cut:b], v[cut:b])
            inner.append((squares(d[a:b], v[a:b]) - split) / (split / (b - a - 4)))
    assert found.steps.loc[1, "statistic"] == pytest.approx(max(inner), rel=1e-8)
    assert found.steps.loc[1, "p_value"] == pytest.approx(
        1 - (1 - supremum_p_value(max(inner), 2, 0.15)) ** 2
    )


def test_segments_hold_their_own_regressions():
    y, x = relation(120, seed=4, change=2.0, at=50)
    one = al.find_breaks(y, x, None).partitions[1]
    row = one.rows[0]
    for number, part in ((1, slice(0, row)), (2, slice(row, None))):
        fit = stats.linregress(x[part], y[part])
        segment = one.segments.loc[number]
        assert segment["bonds"] == pytest.approx(fit.slope)
        assert segment["bonds ±"] == pytest.approx(fit.stderr)
        assert segment["intercept ±"] == pytest.approx(fit.intercept_stderr)
    assert one.segments["n"].sum() == 120
    assert one.segments["end"][1] == one.breaks["date"][1]
    assert one.breaks["low"][1] <= one.breaks["date"][1] <= one.breaks["high"][1]


def autocorrelated(rng, n, slope):
    z, series = rng.standard_normal(n + 50), np.zeros(n + 50)
    for t in range(1, n + 50):
        series[t] = slope * series[t - 1] + z[t]
    return series[50:] * np.sqrt(1.0 - slope**2)


@pytest.mark.parametrize("slope", [0.0, 0.3])
def test_sets_cover_the_break(slope):
    """Nominal 95 %, a mean that moves by one deviation in 120 rows; those of Bai hold 84 % with 0.3."""
    rng, covered, draws = np.random.default_rng(11), 0, 300
    for _ in range(draws):
        y = autocorrelated(rng, 120, slope) + (np.arange(120) >= 60)
        low, high = likelihood_rows(Stretches(np.ones((120, 1)), y), 18, 0.95)
        covered += low <= 60 <= high
    assert 0.92 <= covered / draws <= 0.99


def test_sets_of_bai_cover_the_break_of_independent_rows():
    rng, covered, draws = np.random.default_rng(11), 0, 150
    for _ in range(draws):
        y = rng.standard_normal(120) + (np.arange(120) >= 60)
        found = al.find_breaks(y, None, None, most=1).partitions[1].breaks.loc[1]
        covered += found["low_row"] <= 60 <= found["high_row"]
    assert 0.90 <= covered / draws <= 0.99


@pytest.mark.parametrize(("slope", "of_relation"), [(0.0, False), (0.3, False), (0.3, True)])
def test_size_of_the_default(slope, of_relation):
    """Nominal 5 %. HAC errors reject 15 % of autocorrelated means, and 21 % of relations."""
    rng, rejected, draws = np.random.default_rng(12), 0, 200
    for seed in range(draws):
        y = autocorrelated(rng, 120, slope)
        x = autocorrelated(rng, 120, slope) if of_relation else None
        rejected += al.break_test(y, x, al.WildSieveBootstrap(99, seed)).p_value <= 0.05
    assert 0.01 <= rejected / draws <= 0.09


@pytest.mark.parametrize(("slope", "jump"), [(0.0, 1.0), (0.3, 2.0), (0.3, 8.0)])
def test_a_large_break_does_not_pass_for_persistence(slope, jump):
    rng = np.random.default_rng(13)
    found = [
        al.break_test(autocorrelated(rng, 120, slope) + jump * (np.arange(120) >= 70)).p_value < 0.05
        for _ in range(40)
    ]
    assert np.mean(found) > 0.85


def test_resamples_are_those_of_slow_code():
    """The sup-F of each, one at a time by least squares, of residuals built by the recursion written out."""
    y, x = relation(60, seed=6)
    d, n, shortest = design(x), 60, 9
    stretches = Stretches(d, y.to_numpy())
    fast = al.WildSieveBootstrap(99).statistics(stretches, shortest, np.random.default_rng(5))
    hat = d @ np.linalg.inv(d.T @ d) @ d.T
    residuals = (y.to_numpy() - hat @ y.to_numpy()) / (1.0 - np.diag(hat))
    model = autoregression(residuals)
    drawn = model.simulated(n, 99, np.random.default_rng(5))
    for number in (0, 50, 98):
        slow = al.break_test(drawn[:, number], x.to_numpy(), None)
        assert fast[number] == pytest.approx(slow.statistic, rel=1e-8)
        shocks = drawn[4:, number] - sum(
            slope * drawn[4 - lag : n - lag, number] for lag, slope in enumerate(model.slopes, start=1)
        )
        np.testing.assert_allclose(np.abs(shocks), np.abs(model.innovations[4 - model.order :]), atol=1e-10)
    found = al.break_test(y, x, al.WildSieveBootstrap(99, 5))
    assert found.p_value == (1 + np.sum(fast >= found.statistic)) / 100


def test_autoregressions_are_least_squares():
    y = autocorrelated(np.random.default_rng(14), 200, 0.6)
    model = autoregression(y)
    rows = np.column_stack([y[model.order - lag : -lag] for lag in range(1, model.order + 1)])
    slopes = np.linalg.lstsq(rows, y[model.order :], rcond=None)[0]
    np.testing.assert_allclose(model.slopes, slopes, rtol=1e-8)
    left = y[model.order :] - rows @ slopes
    np.testing.assert_allclose(model.innovations, left, rtol=1e-8, atol=1e-12)
    expected = np.mean(left**2) / (1.0 - slopes.sum()) ** 2
    two = np.column_stack([y, 3.0 * y])
    np.testing.assert_allclose(long_run_variances(two, model.order), [expected, 9.0 * expected], rtol=1e-8)


def test_a_wandering_series_is_made_to_settle_and_warned_of():
    walk = np.cumsum(np.random.default_rng(15).standard_normal(120))
    slopes = autoregression(1.05 ** np.arange(60.0)).slopes
    assert np.abs(np.roots([1.0, *-slopes])).max() <= 0.97 + 1e-12
    found = al.break_test(walk)
    assert "residuals wander (autoregressive sum 0." in repr(found)
    assert "residuals wander" in al.find_breaks(walk)._repr_html_()


def test_what_the_gains_are():
    y, x = relation(50, seed=7)
    d, v = design(x), y.to_numpy()
    gains = BreakGains(np.linalg.qr(d)[0], 8)
    left = gains.residuals(v[:, None])
    found = gains.gains(left)[:, 0]
    errors, change = gains.split(left[:, 0], np.arange(len(gains.rows)))
    for number, row in enumerate(gains.rows):
        split = squares(d[:row], v[:row]) + squares(d[row:], v[row:])
        assert found[number] == pytest.approx(squares(d, v) - split, abs=1e-9)
        assert np.sum(errors[:, number] ** 2) == pytest.approx(split, rel=1e-9)
        fits = [np.linalg.lstsq(d[a], v[a], rcond=None)[0] for a in (slice(row), slice(row, None))]
        np.testing.assert_allclose(change[:, number], d @ (fits[1] - fits[0]), atol=1e-9)


@pytest.mark.parametrize("seed", [8, 19, 20, 21])
def test_the_likelihood_set_is_every_break_not_rejected(seed):
    """Slow: each break fitted anew, with the autoregressive long-run variance of its scores."""
    y, x = relation(80, seed=seed, change=1.0, at=45)
    d, v, h = design(x), y.to_numpy(), 12
    ratio, scale, step = [], [], []
    order = None
    rows = np.arange(h, 80 - h + 1)
    total = [squares(d[:r], v[:r]) + squares(d[r:], v[r:]) for r in rows]
    for r in [rows[int(np.argmin(total))], *rows]:
        fits = [np.linalg.lstsq(d[a], v[a], rcond=None)[0] for a in (slice(r), slice(r, None))]
        errors = np.concatenate([v[:r] - d[:r] @ fits[0], v[r:] - d[r:] @ fits[1]])
        change = d @ (fits[1] - fits[0])
        order = autoregression(errors * change).order if order is None else order
        power = np.mean(change**2)
        scale.append(long_run_variances((errors * change)[:, None], order)[0] / power)
        step.append(np.sqrt(power / scale[-1]))
    ratio = (np.array(total) - min(total)) / np.array(scale[1:])
    kept = rows[ratio <= _critical(0.95, step[0])]
    assert likelihood_rows(Stretches(d, v), h, 0.95) == (kept[0], kept[-1])
    found = al.find_breaks(y, x, most=1).partitions[1].breaks.loc[1]
    assert (found["low_row"], found["high_row"]) == (kept[0], kept[-1])


def test_the_critical_ratio():
    """Hansen (2000), table 1: 7.35 and 10.59 without steps; less of it by the overshoot of steps."""
    assert _critical(0.95, 1e-9) == pytest.approx(7.35, abs=0.01)
    assert _critical(0.99, 1e-9) == pytest.approx(10.59, abs=0.01)
    # Siegmund (1985): ν(x) is close to exp(-0.583x) for small x; half of its log is taken off κ/2.
    assert _critical(0.95, 0.5) == pytest.approx(7.352 - 0.583 * 0.5, abs=0.02)
    values = [_critical(0.95, step) for step in (0.1, 0.5, 1.0, 2.0, 5.0)]
    assert values == sorted(values, reverse=True)


def test_the_seed_is_recorded_and_decides():
    y, x = relation(60, seed=9)
    first, again, other = (al.break_test(y, x, al.WildSieveBootstrap(199, seed)) for seed in (1, 1, 2))
    assert first.p_value == again.p_value != other.p_value
    assert first.method.endswith("wild sieve bootstrap (Hansen, 2000), 199 resamples, seed 1")
    assert first.p_value * 200 == pytest.approx(round(first.p_value * 200))
    with pytest.raises(al.InputError, match="98 are fewer than 99"):
        al.WildSieveBootstrap(98)
    with pytest.raises(al.InputError, match="errors: 5 is no way to find errors"):
        al.break_test(y, x, 5)
    with pytest.raises(al.InputError, match="is no way to find errors"):
        al.find_breaks(y, x, al.WildSieveBootstrap)


def test_the_sequence_begins_with_the_test_of_one_break():
    y, x = relation(120, seed=4, change=2.0, at=50)
    found, whole = al.find_breaks(y, x), al.break_test(y, x)
    assert found.steps.loc[0].tolist() == [whole.statistic, whole.p_value]
    assert found.sequential == 1
    assert abs(found.chosen.rows[0] - 50) <= 5


def test_breaks_that_hide_each_other_are_taken_out():
    """Two opposite ones: neither alone explains much, and together they look like persistence."""
    y = autocorrelated(np.random.default_rng(18), 120, 0.0) + 3.0 * (np.arange(120) // 40 == 1)
    assert al.break_test(y).p_value < 0.05
    assert al.find_breaks(y).sequential >= 1
    stretches = Stretches(np.ones((120, 1)), y)
    assert null_model(stretches, 18).slopes.sum() < 0.3 < autoregression(y - y.mean()).slopes.sum()


def test_the_default_test_of_constant_correlation_keeps_its_size():
    """Nominal 5 %, autocorrelated pairs, of which the limit rejects 7 %; then a correlation that changes."""
    rng, rejected, found = np.random.default_rng(16), 0, 0
    for seed in range(300):
        errors = al.ConstancyBootstrap(n_resamples=99, seed=seed)
        a, b = (0.01 * autocorrelated(rng, 120, 0.3) for _ in range(2))
        rejected += al.constant_correlation_test(a, 0.5 * a + b, errors).p_value <= 0.05
        turned = np.where(np.arange(120) < 70, 1.0, -1.0) * a + b
        found += al.constant_correlation_test(a, turned, errors).p_value <= 0.05
    assert 0.015 <= rejected / 300 <= 0.085
    assert found / 300 > 0.85


def test_resamples_of_constant_correlation():
    """Against correlations begun anew of the rows that the circular blocks draw."""
    rng = np.random.default_rng(17)
    a, b = 0.01 * rng.standard_normal((2, 60))
    errors = al.ConstancyBootstrap(6, 99, 3)

    def largest(x, y):
        return max(
            j / np.sqrt(60) * abs(np.corrcoef(x[:j], y[:j])[0, 1] - np.corrcoef(x, y)[0, 1])
            for j in range(2, 61)
            if min(np.ptp(x[:j]), np.ptp(y[:j])) > 1e-9
        )

    (rows,) = al.CircularBlockBootstrap(6).rows(60, 99, np.random.default_rng(3))
    slow = sum(largest(a[each], b[each]) >= largest(a, b) for each in rows)
    found = al.constant_correlation_test(a, b, errors)
    assert found.p_value == (1 + slow) / 100
    assert "blocks of 6 rows (Galeano and Wied, 2014), 99 resamples, seed 3" in repr(found)
    assert al.ConstancyBootstrap().block(120) == 8
    with pytest.raises(al.InputError, match="31 is more than half of the 60 rows"):
        al.constant_correlation_test(a, b, al.ConstancyBootstrap(31))
    with pytest.raises(al.InputError, match="0 is not a positive whole number"):
        al.ConstancyBootstrap(0)
    with pytest.raises(al.InputError, match="2 are fewer than 99"):
        al.ConstancyBootstrap(n_resamples=2)
    with pytest.raises(al.InputError, match="is no way to find errors"):
        al.constant_correlation_test(a, b, None)


@pytest.mark.parametrize("trim", [0, 0.5, 0.7, -0.1, np.nan])
def test_F158_a_trim_without_room_is_refused(trim):
    """F158."""
    with pytest.raises(al.InputError, match=r"^trim: .* is not between 0 and 0\.5"):
        al.break_test(relation()[0], trim=trim)
    with pytest.raises(al.InputError, match=r"not between 0 and 0\.5"):
        al.find_breaks(relation()[0], trim=trim)


def test_F159_too_few_rows_to_a_side_are_refused():
    """F159: 2k + 2."""
    y, x = relation(39)
    with pytest.raises(
        al.InputError, match=r"0.15 of 39 rows leaves 5 to a side, at least 6 .* 2 coefficients"
    ):
        al.break_test(y, x)
    with pytest.raises(al.InputError, match=r"leaves 3 to a side, at least 4 are needed for 1 coefficient;"):
        al.find_breaks(y[:24])
    assert al.break_test(*relation(40)).shortest == 6
    assert al.break_test(y[:27]).shortest == 4


def test_other_refusals():
    y, x = relation(60)
    with pytest.raises(al.InputError, match="2 are in one of them only"):
        al.break_test(y[1:], x[:-1])
    with pytest.raises(al.InputError, match="59 rows for 60 rows of y"):
        al.break_test(y, x[1:])
    with pytest.raises(al.InputError, match="constant or collinear"):
        al.break_test(y, pd.DataFrame({"a": x, "b": 2 * x}))
    with pytest.raises(al.InputError, match=r"collinear .* in the 9 rows from row 1"):
        al.break_test(y, x.where(np.arange(60) > 20, 0.0))
    with pytest.raises(al.InputError, match="never changes"):
        al.find_breaks(0 * y)
    with pytest.raises(al.InputError, match="allow 1 to 5"):
        al.find_breaks(y, most=6)
    with pytest.raises(al.InputError, match="significance"):
        al.find_breaks(y, significance=5)
    with pytest.raises(al.InputError, match="NaN"):
        al.break_test(y.where(y > 0))
    with pytest.raises(al.InputError, match="a DataFrame, a mapping or an array, got list"):
        al.break_test(y, [1.0] * 60)


def test_a_step_without_noise_is_found_exactly():
    y = np.repeat([1.0, 2.0, 5.0], 20)
    found = al.find_breaks(y, None, None)
    assert found.partitions[2].rows == (20, 40)
    assert found.partitions[2].breaks[["low_row", "high_row"]].to_numpy().tolist() == [[20, 20], [40, 40]]
    found = al.find_breaks(y)
    assert found.partitions[2].breaks[["low_row", "high_row"]].to_numpy().tolist() == [[20, 20], [40, 40]]


def test_a_relation_of_several_and_of_arrays():
    y, x = relation(120, seed=5, change=2.0, at=70)
    table = pd.DataFrame({"bonds": x, "other": np.cos(np.arange(120))}, index=x.index)
    found = al.break_test(y, table)
    assert list(found.before) == ["intercept", "bonds", "other"]
    assert found.p_value == 0.001
    assert abs(al.break_test(y.to_numpy(), x.to_numpy()).date - 70) <= 3


@pytest.mark.parametrize("work", [al.break_test, al.find_breaks])
def test_two_coefficients_of_one_name_are_refused(work):
    y, x = relation(60)
    for regressors in (
        x.rename("intercept"),
        x.to_frame("intercept"),
        {"intercept": x},
        pd.concat([x, x**2], axis=1, keys=["a", "a"]),
    ):
        with pytest.raises(al.InputError, match="regressors: two coefficients would have one name"):
            work(y, regressors)


def test_regressors_by_name_are_a_table_of_them():
    y, x = relation(120)
    found, same = al.break_test(y, {"a": x, "b": x**2}), al.break_test(y, pd.DataFrame({"a": x, "b": x**2}))
    assert found.before == same.before
    assert list(found.before) == ["intercept", "a", "b"]
    with pytest.raises(al.InputError, match=r"regressors\['a'\]: expected a Series or an array, got list"):
        al.break_test(y, {"a": [1.0] * 120})


def test_regressors_newest_first_are_refused_as_reversed():
    y, x = relation(60)
    with pytest.raises(al.InputError, match=r"regressors\['bonds'\]: its dates are those of y, reversed"):
        al.break_test(y, x[::-1])


def test_settings_of_breaks_that_are_none_are_refused():
    y, _ = relation(60)
    for options, match in (
        ({"most": 1.5}, "most: 1.5 breaks"),
        ({"most": True}, "most: True breaks"),
        ({"trim": "0.2"}, "trim: '0.2' is not between"),
        ({"confidence": "a"}, "confidence: 'a' is not between"),
        ({"significance": "a"}, "significance: 'a' is not between"),
    ):
        with pytest.raises(al.InputError, match=match):
            al.find_breaks(y, **options)
    with pytest.raises(al.InputError, match="complex128 is not numeric"):
        al.break_test(y + 0j)
    with pytest.raises(al.InputError, match="complex128 is not numeric"):
        al.break_test(y.to_numpy() + 0j)


@pytest.mark.parametrize("kind", [al.WildSieveBootstrap, al.ConstancyBootstrap])
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"seed": -1}, "seed: -1 is not a whole number, 0 or more"),
        ({"seed": "a"}, "seed: 'a' is not a whole number"),
        ({"seed": 1.5}, "seed: 1.5 is not a whole number"),
        ({"n_resamples": 99.5}, "n_resamples: 99.5 is not a whole number"),
        ({"n_resamples": "999"}, "n_resamples: '999' is not a whole number"),
    ],
)
def test_draws_that_are_no_numbers_are_refused(kind, options, match):
    with pytest.raises(al.InputError, match=match):
        kind(**options)


def test_the_sequence_rejects_at_the_significance_itself():
    """p of resamples is a count over 100: 5 of them is exactly 5 %."""
    y, x = relation(120, seed=5, change=2.0, at=70)
    errors = al.WildSieveBootstrap(99)
    least = al.find_breaks(y, x, errors, most=1).steps["p_value"].iloc[0]
    assert least == 0.01
    assert al.find_breaks(y, x, errors, most=1, significance=0.01).sequential == 1


def test_an_exact_step_prints_without_its_division_by_nothing():
    y = np.repeat([0.0, 1.0], 30)
    text = repr(al.break_test(y))
    assert "largest statistic without bound, both sides fit exactly, at 30" in text
    assert "intercept -0" not in repr(al.break_test(-y))
    assert max(map(len, text.splitlines())) <= 110


def test_breaks_wrap(nile):
    assert max(map(len, repr(al.find_breaks(nile)).splitlines())) <= 110


def test_breaks_show_themselves(nile):
    found = al.find_breaks(nile, None, None)
    assert repr(found).startswith("1 break in the mean of nile\n")
    assert "1898-12-31 (1895-12-31 to 1902-12-31)" in repr(found)
    assert "1 at 5%" in repr(found)
    assert "rough: independent errors reject too often with autocorrelation" in repr(found)
    assert "sets of Bai (1997)" in repr(found)
    assert "sets by likelihood ratio (Eo and Morley, 2015)" in " ".join(repr(al.find_breaks(nile)).split())
    assert "rough: HAC errors of fewer than 250 rows" in repr(al.break_test(nile, None, KernelVariance()))
    assert "rough" not in repr(al.break_test(nile))
    assert "rough" not in repr(al.break_test(*relation(260), KernelVariance()))
    assert "No breaks" in repr(found.partitions[0])
    single = al.break_test(nile.rename("<i>"))
    assert "p of none: 0.0010" in repr(single)
    rows = repr(al.find_breaks(nile.to_numpy())).splitlines()[2:4]
    assert [row.split()[:3] for row in rows] == [["1", "28", "28"], ["29", "100", "72"]]
    assert "<i>" not in single._repr_html_()
    assert "<table>" in found._repr_html_()
    assert "<table>" in found.chosen._repr_html_()

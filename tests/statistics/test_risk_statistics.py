"""Tails, drawdown averages, Omega and returns beside a benchmark: invariants, oracles, refusals.

Invariants: pain index <= ulcer index <= maximum drawdown; Omega - 1 is the mean over the mean loss; the tails
move with the returns and grow with their scale; a portfolio of the benchmark has its share for beta. Numbers
of PerformanceAnalytics and empyrical are in test_published_cases.py.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate
from scipy import stats as scipy_stats

import allocator as al
from allocator.errors import InputError, UndefinedStatisticWarning
from allocator.statistics import tail

# Samples of a few draws of t4 may be beyond the expansion, and say so; one test is about that.
pytestmark = pytest.mark.filterwarnings("ignore:.*the expansion is no quantile:UserWarning")
moderate = settings(max_examples=40, deadline=None)
any_returns = hnp.arrays(float, st.integers(1, 40), elements=st.floats(-0.5, 0.5))
levels = st.floats(0.01, 0.3)


@st.composite
def noisy(draw, columns=1):
    """Return arrays that vary, win and lose, so that every statistic is defined."""
    rows = draw(st.integers(8, 60))
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_t(4, (rows, columns))
    noise[:2] = [[-1.5], [1.5]]
    return np.clip(noise * draw(st.floats(1e-3, 0.05)), -0.9, 0.9)


STATISTICS = {
    "average_drawdown": lambda r, _: al.average_drawdown(r),
    "beta": lambda r, p: al.beta(r, _first(r), 0.02, p),
    "downside_deviation": lambda r, p: al.downside_deviation(r, 0.02, p),
    "information_ratio": lambda r, p: al.information_ratio(r, -_first(r), p),
    "jensen_alpha": lambda r, p: al.jensen_alpha(r, _first(r), 0.02, p),
    "martin_ratio": lambda r, p: al.martin_ratio(r, 0.02, p),
    "modified_expected_shortfall": lambda r, _: al.modified_expected_shortfall(r),
    "modified_value_at_risk": lambda r, _: al.modified_value_at_risk(r),
    "normal_expected_shortfall": lambda r, _: al.normal_expected_shortfall(r),
    "normal_value_at_risk": lambda r, _: al.normal_value_at_risk(r),
    "omega_ratio": lambda r, p: al.omega_ratio(r, 0.02, p),
    "pain_index": lambda r, _: al.pain_index(r),
    "pain_ratio": lambda r, p: al.pain_ratio(r, 0.02, p),
    "sterling_ratio": lambda r, p: al.sterling_ratio(r, periods_per_year=p),
    "tail_ratio": lambda r, _: al.tail_ratio(r),
    "total_return": lambda r, _: al.total_return(r),
    "tracking_error": lambda r, p: al.tracking_error(r, -_first(r), p),
    "ulcer_index": lambda r, _: al.ulcer_index(r),
}


def _first(returns):
    """Return a benchmark of the same dates, the same for a table and for its columns."""
    one = returns.iloc[:, 0] if isinstance(returns, pd.DataFrame) else returns
    one = one[:, 0] if isinstance(one, np.ndarray) and one.ndim == 2 else one
    steps = 0.01 * np.sin(np.arange(len(one)))
    return pd.Series(steps, one.index) if isinstance(one, pd.Series) else steps


@pytest.mark.parametrize("name", STATISTICS)
@settings(max_examples=8, deadline=None)
@given(returns=noisy(columns=3))
def test_every_container_gives_the_same_numbers(name, returns):
    frame = pd.DataFrame(returns, pd.date_range("2001-01-31", periods=len(returns), freq="ME"), list("abc"))
    statistic = STATISTICS[name]
    by_array, by_frame = statistic(returns, 12), statistic(frame, None)
    assert list(by_frame.index) == list("abc")
    np.testing.assert_array_equal(by_frame, by_array)
    assert statistic(frame["b"], None) == pytest.approx(by_array[1], rel=1e-12)
    assert isinstance(statistic(returns[:, 1], 12), float)


@moderate
@given(any_returns)
def test_drawdown_averages_are_in_order(returns):
    pain, ulcer, deepest = al.pain_index(returns), al.ulcer_index(returns), -al.max_drawdown(returns)
    assert 0.0 <= pain <= ulcer + 1e-15
    assert ulcer <= deepest + 1e-15
    assert al.max_drawdown(returns) <= al.average_drawdown(returns) <= 0.0
    assert (pain == 0.0) == (deepest == 0.0) == (al.average_drawdown(returns) == 0.0)
    table = al.drawdowns(returns)
    assert al.average_drawdown(returns) == pytest.approx(table["depth"].mean() if len(table) else 0.0)


def test_drawdown_averages_by_hand():
    returns = np.array([0.1, -0.2, 0.25, -0.5])  # below the high by 0, 20 %, 0 and 50 %
    assert al.pain_index(returns) == pytest.approx(0.7 / 4)
    assert al.ulcer_index(returns) == pytest.approx(np.sqrt((0.04 + 0.25) / 4))
    assert al.average_drawdown(returns) == pytest.approx(-0.35)


@moderate
@given(noisy())
def test_ratios_of_growth_to_drawdown(returns):
    growth = al.cagr(returns, 12)
    assert al.martin_ratio(returns, 0.0, 12) == pytest.approx(growth / al.ulcer_index(returns))
    assert al.pain_ratio(returns, 0.0, 12) == pytest.approx(growth / al.pain_index(returns))
    assert al.sterling_ratio(returns, 0.0, 12) == pytest.approx(al.calmar_ratio(returns, 12))
    assert abs(al.sterling_ratio(returns, 0.1, 12)) <= abs(al.calmar_ratio(returns, 12))
    # A year at 3 % costs 3 % of growth, whether said as a rate or as the returns of months.
    months = np.full(len(returns), 1.03 ** (1 / 12) - 1)
    over = (growth - 0.03) / al.ulcer_index(returns)
    for cash in (0.03, months):
        assert al.martin_ratio(returns, cash, 12) == pytest.approx(over, abs=1e-9)


def test_growth_of_cash_counts_calendar_time(daily):
    years = (daily.index[-1] - pd.Timestamp("2018-12-31")).days / 365.25
    growth = (1 + daily).prod() ** (1 / years) - 1
    found = al.pain_ratio(daily, 0.0, start="2018-12-31")
    assert found == pytest.approx(growth / al.pain_index(daily), rel=1e-9)


def test_no_drawdown_divides_nothing():
    rising = np.array([0.01, 0.02, 0.0, 0.01])
    for ratio in (al.martin_ratio, al.pain_ratio):
        with pytest.warns(UndefinedStatisticWarning, match=f"{ratio.__name__} of 0 is NaN: there is no draw"):
            assert np.isnan(ratio(rising, 0.0, 12))
    with pytest.warns(UndefinedStatisticWarning, match="no drawdown"):
        assert np.isnan(al.sterling_ratio(rising, 0.0, 12))
    assert al.sterling_ratio(rising, 0.1, 12) == pytest.approx(10 * al.cagr(rising, 12))
    for allowance in (-0.1, 10, float("nan"), "a"):
        with pytest.raises(InputError, match=r"allowance: .* is not from 0 to 1; pass 0.1 for 10 %"):
            al.sterling_ratio(rising, allowance, 12)


@moderate
@given(noisy())
def test_omega_is_the_mean_over_the_mean_loss(returns):
    x = returns[:, 0]
    omega = al.omega_ratio(x, 0.0, 12)
    assert omega - 1.0 == pytest.approx(x.mean() / np.maximum(-x, 0.0).mean(), abs=1e-9)
    assert omega * al.omega_ratio(-x, 0.0, 12) == pytest.approx(1.0)
    assert al.omega_ratio(0.5 * x, 0.0, 12) == pytest.approx(omega)
    by_months = np.full(len(x), 1.03 ** (1 / 12) - 1)
    assert al.omega_ratio(x, 0.03, 12) == pytest.approx(al.omega_ratio(x, by_months, 12))


@moderate
@given(noisy())
def test_downside_deviation_is_what_sortino_divides_by(returns):
    excess = returns[:, 0] - (1.03 ** (1 / 12) - 1)
    found = al.downside_deviation(returns[:, 0], 0.03, 12)
    assert found == pytest.approx(np.sqrt(12 * np.mean(np.minimum(excess, 0) ** 2)))
    assert al.sortino_ratio(returns[:, 0], 0.03, 12) * found == pytest.approx(12 * excess.mean(), abs=1e-12)


def test_without_a_loss():
    gains = np.array([0.01, 0.02, 0.03])
    assert al.downside_deviation(gains, 0.0, 12) == 0.0
    with pytest.warns(UndefinedStatisticWarning, match="omega_ratio of 0 is NaN: no period lost"):
        assert np.isnan(al.omega_ratio(gains, 0.0, 12))
    assert al.omega_ratio(-gains, 0.0, 12) == 0.0


def test_numbers_of_bacon(case):
    """Bacon (2008), as the examples of PerformanceAnalytics quote him: 24 months, target 0.5 % a month."""
    table = pd.read_csv(case("C_portfolio_bacon_input.csv"), index_col=0, parse_dates=True)
    returns = table.iloc[:, 0]
    assert al.omega_ratio(returns, 0.0) == pytest.approx(1.78, abs=0.005)  # Bernardo and Ledoit
    assert al.pain_index(returns) == pytest.approx(0.04, abs=0.005)
    assert al.downside_deviation(returns - 0.005, 0.0) / np.sqrt(12) == pytest.approx(0.0255, abs=5e-5)
    assert al.omega_ratio(returns - 0.005, 0.0) - 1 == pytest.approx(0.29, abs=0.005)


@moderate
@given(any_returns, st.floats(-1, 0.5))
def test_cumulative_returns_compound(returns, last):
    path = al.cumulative_returns(np.append(returns, last))
    assert path[-1] == al.total_return(np.append(returns, last))
    assert path[-1] == pytest.approx((1 + al.total_return(returns)) * (1 + last) - 1, abs=1e-12)
    assert path.min() >= -1.0


def test_cumulative_returns_keep_their_labels(daily):
    path = al.cumulative_returns(daily)
    pd.testing.assert_series_equal(path, (1 + daily).cumprod() - 1)
    assert al.total_return(pd.DataFrame({"a": daily})).index.tolist() == ["a"]


@moderate
@given(noisy(), levels, st.floats(0.1, 1.0), st.floats(-0.05, 0.05))
def test_tails_move_with_the_returns(returns, level, scale, shift):
    x = returns[:, 0]
    for statistic in (
        al.normal_value_at_risk,
        al.normal_expected_shortfall,
        al.modified_value_at_risk,
        al.modified_expected_shortfall,
    ):
        found = statistic(x, level)
        assert statistic(scale * x, level) == pytest.approx(scale * found, abs=1e-9)
        assert statistic(0.5 * x + shift, level) == pytest.approx(0.5 * found - shift, abs=1e-9)


@moderate
@given(noisy(), levels)
def test_normal_tail_is_scipys(returns, level):
    x = returns[:, 0]
    fitted = scipy_stats.norm(x.mean(), x.std())
    assert al.normal_value_at_risk(x, level) == pytest.approx(-fitted.ppf(level), abs=1e-12)
    beyond = scipy_stats.truncnorm(-np.inf, scipy_stats.norm.ppf(level), x.mean(), x.std())
    assert al.normal_expected_shortfall(x, level) == pytest.approx(-beyond.mean(), abs=1e-10)


@moderate
@given(noisy(), levels)
def test_shortfall_is_never_below_value_at_risk(returns, level):
    x = returns[:, 0]
    assert al.normal_expected_shortfall(x, level) >= al.normal_value_at_risk(x, level)
    assert al.modified_expected_shortfall(x, level) >= al.modified_value_at_risk(x, level) - 1e-15


def test_shortfall_that_the_expansion_puts_below_value_at_risk_is_raised_to_it():
    """Quiet days and eight loud ones, symmetric: an excess kurtosis of 15."""
    returns = np.concatenate([np.tile([-0.01, 0.01], 150), np.tile([-0.09, 0.09], 4)])
    risk, shortfall = al.modified_value_at_risk(returns), al.modified_expected_shortfall(returns)
    skew, excess = np.array([0.0]), np.array([al.kurtosis(returns)])
    corrected = tail._cornish_fisher(0.05, skew, excess)
    assert tail._edgeworth_tail_mean(corrected, skew, excess)[0] / 0.05 < -corrected[0]
    assert shortfall == risk


def test_modified_tail_of_normal_moments_is_the_normal_one():
    """Two-, three-point mass so that skewness is 0 and kurtosis 3: ±√3 with probability 1/6 each, else 0."""
    returns = 0.01 * np.sqrt(3) * np.array([-1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert al.skewness(returns) == pytest.approx(0.0, abs=1e-12)
    assert al.kurtosis(returns) == pytest.approx(0.0, abs=1e-12)
    assert al.modified_value_at_risk(returns) == pytest.approx(al.normal_value_at_risk(returns))
    assert al.modified_expected_shortfall(returns) == pytest.approx(al.normal_expected_shortfall(returns))


@pytest.mark.parametrize(("skew", "excess"), [(0.0, 0.0), (-0.7, 2.4), (0.5, -0.5), (-1.5, 6.0)])
def test_tail_mean_is_the_integral_of_edgeworths_density(skew, excess):
    def density(x):
        third, fourth = x**3 - 3 * x, x**4 - 6 * x**2 + 3
        sixth = x**6 - 15 * x**4 + 45 * x**2 - 15
        correction = 1 + skew / 6 * third + excess / 24 * fourth + skew**2 / 72 * sixth
        return scipy_stats.norm.pdf(x) * correction

    for edge in (-2.5, -1.6, -1.0):
        integral, _ = integrate.quad(lambda x: x * density(x), -12, edge, epsabs=1e-12)
        found = tail._edgeworth_tail_mean(np.array([edge]), np.array([skew]), np.array([excess]))
        assert found[0] == pytest.approx(-integral, abs=1e-9)


def test_moments_of_few_or_constant_returns():
    for statistic in (al.modified_value_at_risk, al.modified_expected_shortfall):
        with pytest.warns(UndefinedStatisticWarning, match="n=3, at least 4 are needed"):
            assert np.isnan(statistic(np.array([0.01, -0.02, 0.04])))
        with pytest.warns(UndefinedStatisticWarning, match="the returns never change"):
            assert np.isnan(statistic(np.full(6, 0.01)))
        assert al.normal_value_at_risk(np.full(6, 0.01)) == pytest.approx(-0.01)


def test_an_expansion_that_is_no_quantile_says_so(edhec):
    """Merger arbitrage has an excess kurtosis of 13."""
    returns = edhec["Merger Arbitrage"].rename("merger")
    for statistic in (al.modified_value_at_risk, al.modified_expected_shortfall):
        with pytest.warns(UserWarning, match="of 'merger': .* excess kurtosis 13 the") as w:
            statistic(returns)
        assert w[0].filename == __file__
        with pytest.warns(UserWarning, match="of 'a' and 1 more"):
            statistic(pd.DataFrame({"a": returns, "b": edhec["Global Macro"], "c": returns}))
    calm = edhec["Global Macro"]  # of kurtosis 2: no warning, and an order of levels
    found = [al.modified_value_at_risk(calm, level) for level in (0.01, 0.05, 0.1, 0.25)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("level", [0.0, 0.5, 0.95, 5, float("nan"), "a", None])
def test_a_level_that_is_no_tail(level):
    for statistic in (al.normal_value_at_risk, al.modified_expected_shortfall, al.tail_ratio):
        with pytest.raises(InputError, match=r"level: .* is not between 0 and 0.5; pass 0.05"):
            statistic(np.array([0.1, -0.1, 0.2, 0.0]), level)


@moderate
@given(noisy())
def test_tail_ratio_turns_with_the_returns(returns):
    x = returns[:, 0]
    found = al.tail_ratio(x)
    assert found * al.tail_ratio(-x) == pytest.approx(1.0)
    assert found == pytest.approx(np.quantile(x, 0.95) / -np.quantile(x, 0.05))


def test_a_tail_ratio_needs_two_tails():
    for returns in (np.array([0.01, 0.02, 0.03]), np.array([-0.01, -0.02, -0.03])):
        with pytest.warns(UndefinedStatisticWarning, match="the lower tail is no loss"):
            assert np.isnan(al.tail_ratio(returns))


@moderate
@given(noisy(columns=2), st.floats(0.1, 1.5))
def test_a_share_of_the_benchmark_has_it_for_beta(returns, share):
    x, market = returns.T
    assert al.beta(share * market, market, 0.0, 12) == pytest.approx(share)
    assert al.jensen_alpha(share * market, market, 0.0, 12) == pytest.approx(0.0, abs=1e-12)
    months = np.full(len(x), 0.002)
    assert al.jensen_alpha(share * market + (1 - share) * 0.002, market, months, 12) == pytest.approx(
        0.0, abs=1e-9
    )
    slope, intercept = np.polyfit(market, x, 1)
    assert al.beta(x, market, 0.0, 12) == pytest.approx(slope, abs=1e-9)
    assert al.jensen_alpha(x, market, 0.0, 12) == pytest.approx(12 * intercept, abs=1e-9)


# PerformanceAnalytics 2.0.8, documentation of table.SFM(managers[, 1:3], managers[, 8], Rf = managers[, 10])
# and of table.InformationRatio(managers[, 1:8], managers[, 8]): beta, alpha of a month and compounded to a
# year, tracking error, and the ratio of the difference of CAGRs to it.
SINGLE_FACTOR = {
    "HAM1": (0.3901, 0.0058, 0.0715, 0.1132, 0.3604),
    "HAM2": (0.3384, 0.0091, 0.1147, 0.1534, 0.5060),
    "HAM3": (0.5523, 0.0062, 0.0772, 0.1159, 0.4701),
}


@pytest.mark.parametrize("name", SINGLE_FACTOR)
def test_single_factor_table_of_r(managers, name):
    rows = managers[[name, "SP500 TR", "US 3m TR"]].dropna()
    returns, market, cash = (rows[column] for column in rows)
    alpha, error = al.jensen_alpha(returns, market, cash), al.tracking_error(returns, market)
    ours = (
        al.beta(returns, market, cash),
        alpha / 12,
        (1 + alpha / 12) ** 12 - 1,
        error,
        (al.cagr(returns) - al.cagr(market)) / error,
    )
    assert ours == pytest.approx(SINGLE_FACTOR[name], abs=5.1e-5)


@moderate
@given(noisy(columns=2))
def test_information_ratio_is_the_sharpe_ratio_over_the_benchmark(returns):
    x, market = returns.T
    active = x - market
    assert al.tracking_error(x, market, 12) == pytest.approx(np.sqrt(12) * active.std(ddof=1))
    found = al.information_ratio(x, market, 12)
    assert found == pytest.approx(al.sharpe_ratio(x / 2, market / 2, 12), rel=1e-9, abs=1e-12)
    assert found * al.tracking_error(x, market, 12) == pytest.approx(12 * active.mean(), abs=1e-12)


def test_the_benchmark_against_itself():
    returns = 0.01 * np.random.default_rng(0).normal(size=50)
    again = (1 + returns) / (1 + 0.0) - 1  # the last bit is another
    assert al.tracking_error(again, returns, 12) == 0.0
    with pytest.warns(UndefinedStatisticWarning, match="the return above the benchmark never changes"):
        assert np.isnan(al.information_ratio(again, returns, 12))


def test_a_benchmark_that_never_changes():
    returns = 0.01 * np.random.default_rng(0).normal(size=50)
    for statistic in (al.beta, al.jensen_alpha):
        with pytest.warns(UndefinedStatisticWarning, match="benchmark never changes over cash"):
            assert np.isnan(statistic(returns, np.full(50, 0.003), 0.0, 12))
        with pytest.warns(UndefinedStatisticWarning, match="n=1"):
            assert np.isnan(statistic(returns[:1], returns[1:2], 0.0, 12))
    for statistic in (al.tracking_error, al.information_ratio):
        with pytest.warns(UndefinedStatisticWarning, match="n=1"):
            assert np.isnan(statistic(returns[:1], returns[1:2], 12))


def test_a_benchmark_of_other_rows_is_refused(daily):
    for statistic in (al.tracking_error, al.information_ratio):
        with pytest.raises(InputError, match=r"benchmark on 2019-01-02: missing; .*they share 755"):
            statistic(daily, daily.iloc[1:])
        with pytest.raises(InputError, match="benchmark: has no dates and returns has"):
            statistic(daily, daily.to_numpy())
        with pytest.raises(InputError, match="benchmark: 2 series, expected one"):
            statistic(daily, pd.DataFrame({"a": daily, "b": daily}))
        with pytest.raises(InputError, match="benchmark: 755 rows for 756 rows of returns"):
            statistic(daily.to_numpy(), daily.to_numpy()[1:], 252)
    with pytest.raises(InputError, match="benchmark on 2019-01-04: NaN"):
        al.beta(daily, daily.where(np.arange(756) != 2), 0.0)
    with pytest.raises(InputError, match="an annual rate of 3 looks like percent"):
        al.jensen_alpha(daily, -daily, 3)


def test_pandas_rolls_a_statistic(managers):
    """As docs/conventions.md says."""
    returns = managers["SP500 TR"]
    rolled = returns.rolling(36).apply(lambda r: al.sharpe_ratio(r, 0.0))
    assert rolled.isna().sum() == 35
    assert rolled.iloc[50] == al.sharpe_ratio(returns.iloc[15:51], 0.0)


def test_warnings_point_at_the_caller():
    for call in (
        lambda: al.omega_ratio(np.ones(3), 0.0, 12),
        lambda: al.martin_ratio(np.ones(3), 0.0, 12),
        lambda: al.modified_value_at_risk(np.ones(3)),
        lambda: al.beta(np.arange(3.0), np.zeros(3), 0.0, 12),
    ):
        with pytest.warns(UndefinedStatisticWarning) as caught:
            call()
        assert caught[0].filename == __file__

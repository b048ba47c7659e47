"""The pictures of results: what is drawn is the record, axes have units, and nothing covers the data."""

import subprocess
import sys
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import allocator as al
from allocator.report.charts_parts import runs_of
from allocator.report.charts_returns import rolling_sharpe, yearly_returns
from allocator.report.draw import draw_files
from strategies import GoldDiversified, SixtyForty

DAYS = pd.bdate_range("2020-01-01", periods=400)


@pytest.fixture(scope="module")
def made():
    """Return every kind of record that is drawn, each made once."""
    market = al.load_us_history()
    returns = market.returns
    study = al.compare([SixtyForty(), GoldDiversified()], market)
    accounts = al.debt_accounts(al.load_us_debt())
    contributions = al.debt_contributions(accounts)
    premium = market.signal("term_premium").values
    total = market.signal("bond_yield").values
    dates = pd.DatetimeIndex([d for d in total.index if d in set(premium.index)])
    decomposition = al.decompose_yield(
        total.loc[dates], {"term premium": premium.loc[dates]}, 10, ex_post=True, rest="expected rates"
    )
    daily = pd.Series(np.random.default_rng(0).normal(0.0, 0.01, 400), DAYS, name="gold")
    bootstrap = al.StudentizedBootstrap(n_resamples=199)
    worlds = [al.simulate_scenarios(name, 12, n_years=4) for name in ("inflation", "growth")]
    return {
        "market": market,
        "study": study,
        "run": study.backtests[0],
        "regimes": al.inflation_level(market, threshold=0.03, ex_post=True),
        "path": al.rolling_correlation(returns["stocks"], returns["bonds"], 15),
        "decomposition": decomposition,
        "drivers": al.rolling_drivers(decomposition, 15, n_resamples=20),
        "contributions": contributions,
        "debt": al.debt_regimes(accounts),
        "fan": al.debt_fan(accounts, 5, n_paths=50),
        "curve": al.weight_curve(
            market,
            {"stocks": 0.6, "bonds": 0.4},
            "gold",
            [0.1, 0.3],
            funded_from="bonds",
            start="1972",
            bootstrap=bootstrap,
        ),
        "sharpe": al.compare_sharpe(study, [("1975", "1999"), ("2022", None)], bootstrap=bootstrap),
        "event": al.event_study(daily, ["2020-06-01", "2021-01-04"], after=10, before=5, n_resamples=99),
        "drawdown": al.bootstrap_drawdown(study.backtests[0].returns, n_resamples=60),
        "worlds": al.run_scenarios([SixtyForty(), al.FixedMix({"bonds": 1.0}, name="bonds")], worlds),
    }


CHARTS = {
    "growth": lambda m, ax=None: al.plot_growth(m["study"], ax, regimes=m["regimes"]),
    "growth of one": lambda m, ax=None: al.plot_growth(m["run"], ax),
    "drawdown": lambda m, ax=None: al.plot_drawdown(m["study"], ax, regimes=m["regimes"]),
    "years": lambda m, ax=None: al.plot_yearly_returns(m["study"], ax),
    "rolling Sharpe": lambda m, ax=None: al.plot_rolling_sharpe(m["study"], 15, ax, regimes=m["regimes"]),
    "holdings": lambda m, ax=None: al.plot_holdings(m["run"], ax),
    "correlation": lambda m, ax=None: al.plot_rolling_correlation(m["path"], ax, regimes=m["regimes"]),
    "decomposition": lambda m, ax=None: al.plot_yield_decomposition(
        m["decomposition"], ax, regimes=m["regimes"]
    ),
    "drivers": lambda m, ax=None: al.plot_drivers(m["drivers"], ax),
    "contributions": lambda m, ax=None: al.plot_debt_contributions(m["contributions"], ax),
    "debt": lambda m, ax=None: al.plot_debt_regimes(m["debt"], ax),
    "fan": lambda m, ax=None: al.plot_fan(m["fan"], ax),
    "curve": lambda m, ax=None: al.plot_weight_curve(m["curve"], ax),
    "sharpe": lambda m, ax=None: al.plot_sharpe_differences(m["sharpe"], ax),
    "event": lambda m, ax=None: al.plot_event_study(m["event"], ax),
    "depths": lambda m, ax=None: al.plot_drawdown_distribution(m["drawdown"], ax),
    "worlds": lambda m, ax=None: al.plot_scenarios(m["worlds"], "max_drawdown", ax),
}


def words_of(ax: Axes) -> str:
    """Return the small type below a picture."""
    notes = [text.get_text() for text in ax.texts if text.get_gid() == "footer"]
    return notes[0] if notes else ax.get_xlabel()


def line_of(ax: Axes, values) -> bool:
    """Return whether a line with these values is drawn."""
    wanted = np.asarray(values, dtype=float)
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in ax.lines]
    return any(
        y.shape == wanted.shape and np.allclose(y, wanted, rtol=0, atol=0, equal_nan=True) for y in drawn
    )


# All of them


@pytest.mark.parametrize("name", CHARTS)
def test_every_picture_is_titled_labelled_and_footed_and_its_legend_covers_nothing(name, made):
    ax = CHARTS[name](made)
    assert isinstance(ax, Axes)
    assert len(ax.get_title(loc="left")) > 10
    assert ax.get_ylabel() or ax.get_yticklabels()[0].get_text(), "the vertical axis says what it is"
    assert len(words_of(ax)) > 30
    measured = ax.get_ylabel() + ax.get_xlabel()
    assert any(unit in measured for unit in ("percent", "√year", "correlation", "value of 1")), measured
    ax.figure.draw_without_rendering()
    legend = ax.get_legend()
    if legend is not None:
        frame = ax.get_window_extent()
        assert legend.get_window_extent().y0 >= frame.y1 - 1.0
        assert legend.get_window_extent().y1 <= ax.figure.bbox.y1
    paper = ax.figure.bbox
    for text in (*ax.texts, ax.xaxis.label, ax.yaxis.label, *ax.get_yticklabels()):
        if text.get_visible() and text.get_text():
            box = text.get_window_extent()
            assert box.x0 >= paper.x0 - 1 and box.x1 <= paper.x1 + 1, f"{text.get_text()!r} is cut"  # noqa: PT018


@pytest.mark.parametrize("name", CHARTS)
def test_every_picture_is_drawn_on_the_axes_that_are_given(name, made):
    ax = Figure().add_subplot()
    assert CHARTS[name](made, ax) is ax
    assert ax.get_title(loc="left")


@pytest.mark.parametrize("name", ["correlation", "curve"])
def test_equal_records_give_equal_bytes_whatever_a_persons_style(name, made):
    first = draw_files(lambda: CHARTS[name](made))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert draw_files(lambda: CHARTS[name](made)) == first


REFUSED = {
    "a study": (lambda: al.plot_growth("60/40"), "expected a Comparison or Backtest, got str"),
    "a backtest": (lambda: al.plot_holdings(3), "expected a Backtest, got int"),
    "a path": (lambda: al.plot_rolling_correlation(3), "expected a CorrelationPath, got int"),
    "no path": (lambda: al.plot_rolling_correlation([]), "0 given, 1 to 3"),
    "a yield": (lambda: al.plot_yield_decomposition(None), "expected a YieldDecomposition"),
    "drivers": (lambda: al.plot_drivers(None), "expected a DriverPath"),
    "contributions": (lambda: al.plot_debt_contributions(None), "expected a DebtContributions"),
    "debt": (lambda: al.plot_debt_regimes(None), "expected a DebtRegimes"),
    "a fan": (lambda: al.plot_fan(None), "expected a DebtFan"),
    "a curve": (lambda: al.plot_weight_curve(None), "expected a Additions"),
    "differences": (lambda: al.plot_sharpe_differences(None), "expected a SharpeComparison"),
    "events": (lambda: al.plot_event_study(None), "expected a EventStudy"),
    "depths": (lambda: al.plot_drawdown_distribution(None), "expected a DrawdownDistribution"),
    "worlds": (lambda: al.plot_scenarios(None), "NoneType has no such table"),
    "a measure": (lambda: al.plot_scenarios(None, "calmar"), "'calmar' is none of sharpe, cagr"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_something_else_is_refused_by_name(name):
    call, message = REFUSED[name]
    with pytest.raises(al.InputError, match=message):
        call()


def test_no_picture_imports_pyplot():
    script = """
import sys
import allocator as al
from strategies import SixtyForty
assert "matplotlib" not in sys.modules, "imported too early"
study = al.compare([SixtyForty()], al.load_us_history())
al.plot_yearly_returns(study).figure._repr_png_()
al.tear_sheet(study).figure
assert "matplotlib.pyplot" not in sys.modules, "pyplot was imported"
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# Shading


def test_each_shaded_span_is_a_spell_of_its_label(made):
    regimes, study = made["regimes"], made["study"]
    ax = al.plot_growth(study, regimes=regimes)
    dates = study.dates
    labels = regimes.labels[(regimes.labels.index > dates[0]) & (regimes.labels.index <= dates[-1])]
    spans = [patch for patch in ax.patches if isinstance(patch, mpl.patches.Rectangle)]
    changes = 1 + int((labels.to_numpy()[1:] != labels.to_numpy()[:-1]).sum())
    assert len(spans) == changes
    high = [s for s in spans if mpl.colors.to_hex(s.get_facecolor()) == "#dadada"]
    days = sum(span.get_width() for span in high)
    ends = labels.index[labels == "inflation 3% or more, same period"]
    before = [dates[dates.get_loc(end) - 1] for end in ends]
    assert days == pytest.approx(sum((end - begin).days for begin, end in zip(before, ends, strict=True)))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "inflation under 3%, same period",
        "inflation 3% or more, same period",
    ]
    assert "ex post: not known at the time" in words_of(ax)


def test_labels_of_other_dates_too_many_and_no_labels_are_refused(made):
    market = al.simulate_market(seed=1, years=3)
    with pytest.raises(al.InputError, match="labels, a picture tells 6 apart"):
        al.plot_growth(made["study"], regimes=al.decades(made["market"].index[1:]))
    with pytest.raises(al.InputError, match="expected a Regimes, got str"):
        al.plot_growth(made["study"], regimes="eras")
    other = al.compare([SixtyForty()], market)
    labels = made["regimes"].labels.iloc[:20]
    short = type(made["regimes"])(labels, "early", "rule", True, tuple(dict.fromkeys(labels)))
    with pytest.raises(al.InputError, match="'early' has labels from 1928-12-31 to 1947-12-31, none after"):
        al.plot_growth(other, regimes=short)


# Backtests


def test_growth_of_a_run_with_flows_is_that_of_one_unit():
    market = al.simulate_market(seed=3, years=3)
    flows = pd.Series(500.0, market.index[21:600:21])
    plain = al.run_backtest(SixtyForty(), market)
    paid = al.run_backtest(SixtyForty(), market, initial_value=1000.0, flows=flows)
    ax = al.plot_growth(paid)
    expected = np.cumprod(1.0 + paid.returns.to_numpy())
    assert ax.lines[0].get_ydata()[1:] == pytest.approx(expected, rel=1e-14)
    assert ax.lines[0].get_ydata()[-1] == pytest.approx(float(plain.value.iloc[-1]), rel=0.01)
    depth = al.plot_drawdown(paid).lines[0].get_ydata().min()
    assert depth == pytest.approx(float(al.max_drawdown(paid.returns)), abs=1e-12)


def test_bars_are_the_years_and_parts_of_years_are_hatched():
    market = al.simulate_market(seed=3, years=4)
    run = al.run_backtest(SixtyForty(), market, start="2002-05-01" if market.index[0].year < 2002 else None)
    table = yearly_returns(run)
    returns = run.returns
    expected = [float(np.prod(1.0 + returns[returns.index.year == y]) - 1.0) for y in table.index]
    assert table["return"].to_numpy() == pytest.approx(expected, rel=1e-12)
    assert (1.0 + table["return"]).prod() == pytest.approx(float((1.0 + returns).prod()), rel=1e-12)
    ax = al.plot_yearly_returns(run)
    bars = {round(bar.get_x() + 0.4): bar for bar in ax.patches}
    for year, row in table.iterrows():
        assert bars[year].get_height() == pytest.approx(row["return"])
        assert bool(bars[year].get_hatch()) == (not row["whole"])
    assert not table["whole"].all()


def test_whole_years_of_yearly_and_monthly_data_are_whole(made):
    assert yearly_returns(made["run"])["whole"].all()
    assert len(yearly_returns(made["run"])) == len(made["run"].returns)


def test_the_others_of_a_study_are_markers_at_their_years(made):
    ax = al.plot_yearly_returns(made["study"])
    second = yearly_returns(made["study"].backtests[1])
    dots = next(line for line in ax.lines if line.get_marker() == "^" or line.get_marker() == "s")
    np.testing.assert_array_equal(dots.get_xdata(), second.index)
    np.testing.assert_array_equal(dots.get_ydata(), second["return"])


def test_the_rolling_sharpe_ratio_is_that_of_each_window(made):
    run = made["run"]
    table = rolling_sharpe(run, 15)
    for stop in (15, 40, len(run.returns)):
        some = slice(stop - 15, stop)
        excess = run.returns.to_numpy()[some] - run.cash_returns.to_numpy()[some]
        assert table["sharpe"].iloc[stop - 15] == pytest.approx(excess.mean() / excess.std(ddof=1), rel=1e-12)
        error = float(al.sharpe_standard_error(excess, 0.0, 1))
        assert table["standard_error"].iloc[stop - 15] == pytest.approx(error, rel=1e-12)
    ax = al.plot_rolling_sharpe(run, 15)
    assert line_of(ax, table["sharpe"])
    assert line_of(ax, table["sharpe"] + 1.959964 * table["standard_error"])
    with pytest.raises(al.InputError, match="5 years hold 5 rows, at least 12"):
        al.plot_rolling_sharpe(run, 5)
    with pytest.raises(al.InsufficientHistoryError, match="a window of 200 rows"):
        al.plot_rolling_sharpe(run, 200)


def test_holdings_reach_the_weights(made):
    ax = al.plot_holdings(made["run"])
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]
    assert max(tops) == pytest.approx(1.0)
    assert tops[0] == pytest.approx(made["run"].weights["stocks"].max())


def test_a_study_and_a_run_are_both_runs(made):
    assert runs_of(made["study"]) == made["study"].backtests
    assert runs_of(made["run"]) == (made["run"],)


# Correlation


def test_a_correlation_is_drawn_with_its_interval(made):
    ax, table = al.plot_rolling_correlation(made["path"]), made["path"].table
    for column in ("correlation", "low", "high"):
        assert line_of(ax, table[column])
    assert ax.get_ylim() == (-1.0, 1.0)
    assert "n=15 each" in words_of(ax)
    assert "95 % interval of each date alone" in words_of(ax)


def test_daily_and_monthly_stand_in_one_picture_and_pairs_do_not_mix():
    market = al.simulate_market(seed=5, years=3)
    x, y = (market.returns[name].iloc[:500] for name in ("stocks", "bonds"))
    daily = al.rolling_correlation(x, y, 1.5)
    monthly = al.rolling_correlation(al.monthly_returns(x), al.monthly_returns(y), 1)
    ax = al.plot_rolling_correlation([daily, monthly])
    assert line_of(ax, daily.table["correlation"])
    assert line_of(ax, monthly.table["correlation"])
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["daily returns", "monthly returns"]
    other = al.rolling_correlation(*map(al.monthly_returns, (x, market.returns["gold"].iloc[:500])), 1)
    with pytest.raises(al.InputError, match="different pairs: stocks–bonds, stocks–gold"):
        al.plot_rolling_correlation([monthly, other])


# Yields and debt


def test_lines_of_a_yield_are_the_total_and_its_parts(made):
    ax, decomposition = al.plot_yield_decomposition(made["decomposition"]), made["decomposition"]
    assert line_of(ax, decomposition.total)
    assert all(line_of(ax, decomposition.parts[name]) for name in decomposition.parts)


def test_drivers_are_their_shares_and_the_dominant_one_is_shaded(made):
    ax, path = al.plot_drivers(made["drivers"]), made["drivers"]
    assert all(line_of(ax, path.shares[name]) for name in path.shares)
    labels = path.dominant.to_numpy()
    spells = 1 + int((labels[1:] != labels[:-1]).sum())
    assert len([p for p in ax.patches if isinstance(p, mpl.patches.Rectangle)]) == spells
    assert "resamples at the median date" in words_of(ax).replace("\n", " ")


def test_bars_of_a_debt_add_up_to_the_line_of_its_change(made):
    ax, exact = al.plot_debt_contributions(made["contributions"]), made["contributions"].exact
    heights = {c.get_label(): [bar.get_height() for bar in c] for c in ax.containers}
    assert list(heights) == ["interest", "growth", "inflation", "primary_deficit", "stock_flow"]
    for channel, drawn in heights.items():
        assert drawn == pytest.approx(exact[channel].to_list())
    assert np.sum(list(heights.values()), axis=0) == pytest.approx(exact["change"].to_numpy(), abs=1e-12)
    assert line_of(ax, exact["change"])
    hatches = [container[0].get_hatch() for container in ax.containers]
    colours = [mpl.colors.to_hex(container[0].get_facecolor()) for container in ax.containers]
    assert len(set(zip(hatches, colours, strict=True))) == 5


def test_bars_of_one_sign_do_not_overlap(made):
    ax = al.plot_debt_contributions(made["contributions"])
    for place in (5, 40, 80):
        bars = [container[place] for container in ax.containers]
        spans = sorted((min(b.get_y(), b.get_y() + b.get_height()), abs(b.get_height())) for b in bars)
        for (low, size), (following, _) in pairwise(spans):
            assert low + size <= following + 1e-12


def test_debt_by_numbered_years_is_drawn_too():
    accounts = al.debt_accounts(al.load_us_debt())
    accounts.index = accounts.index.year
    ax = al.plot_debt_regimes(al.debt_regimes(accounts))
    assert ax.get_xlim()[0] == pytest.approx(accounts.index[0] - 0.8)
    bars = al.plot_debt_contributions(al.debt_contributions(accounts)).containers[0]
    assert [round(bar.get_x() + 0.4) for bar in bars] == accounts.index[1:].to_list()


def test_unsure_labels_have_open_markers(made):
    ax, table = al.plot_debt_regimes(made["debt"]), made["debt"].table
    debt = made["contributions"].accounts["debt"]
    dots = {line.get_markerfacecolor(): line.get_ydata() for line in ax.lines if line.get_marker() == "o"}
    unsure = table.index[table["confidence"] < 0.5]
    np.testing.assert_array_equal(dots["white"], debt.loc[unsure])
    assert len(dots["#222222"]) == len(table) - len(unsure)


def test_a_fan_opens_at_the_start_and_is_the_quantiles(made):
    ax, fan = al.plot_fan(made["fan"]), made["fan"]
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert line_of(ax, np.append(fan.initial, fan.table[share]))
    assert ax.get_title(loc="left").startswith("SIMULATED")
    assert "neither the error of the estimates" in words_of(ax)


# Estimates


def test_a_curve_is_the_differences_with_their_interval(made):
    ax, table = al.plot_weight_curve(made["curve"]), made["curve"].table.iloc[1:]
    for column in ("difference", "low", "high"):
        assert line_of(ax, table[column])
    assert np.asarray(ax.lines[-3].get_xdata()).tolist() == [0.1, 0.3]
    assert "n=54" in words_of(ax)


def test_assets_instead_of_weights_are_no_curve(made):
    found = al.additions(
        made["market"],
        {"stocks": 0.6, "bonds": 0.4},
        ["gold"],
        funded_from="bonds",
        bootstrap=al.StudentizedBootstrap(n_resamples=99),
    )
    with pytest.raises(al.InputError, match="a curve is by weight"):
        al.plot_weight_curve(found)


def test_differences_stand_under_their_spans_with_n_and_p(made):
    ax, table = al.plot_sharpe_differences(made["sharpe"]), made["sharpe"].table
    labels = [label.get_text().strip() for label in ax.get_yticklabels()]
    assert labels == [
        "1975–1999",
        "Gold-diversified",
        "2022–",
        "Gold-diversified",
        "whole",
        "Gold-diversified",
    ]
    segments = [tuple(line.get_xdata()) for line in ax.lines]
    written = [text.get_text() for text in ax.texts]
    for _, row in table.iterrows():
        if np.isfinite(row["low"]):
            assert (row["low"], row["high"]) in segments
            assert (row["difference"],) in segments
        assert f"{row['n']:,}" in written
    assert "n=4, at least 12 are needed" in written


def test_events_are_drawn_against_placebo_dates(made):
    ax, path = al.plot_event_study(made["event"]), made["event"].path
    for values in (path["response"] - path["placebo"], path["low"], path["high"], path["response"]):
        assert line_of(ax, values)
    assert f"p {made['event'].p_value:.3f}" in words_of(ax)


def test_depths_add_up_to_one_and_the_observed_stands_out(made):
    ax = al.plot_drawdown_distribution(made["drawdown"])
    assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(1.0)
    places = {float(np.asarray(line.get_xdata())[0]) for line in ax.lines}
    assert places == set(made["drawdown"].table.loc["max_drawdown"])


def test_worlds_show_median_mean_and_spread(made):
    ax, table = al.plot_scenarios(made["worlds"], "cagr"), made["worlds"].table
    drawn = [tuple(np.asarray(line.get_xdata(), dtype=float)) for line in ax.lines]
    for _, row in table.iterrows():
        assert (row["cagr_low"], row["cagr_high"]) in drawn
        assert (row["cagr_median"],) in drawn
        assert (row["cagr_mean"],) in drawn
    assert ax.get_title(loc="left").startswith("SIMULATED")

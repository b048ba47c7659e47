"""The pictures: their data are the backtests', their words are right, and their bytes are the same again."""

import io
import os
import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from allocator.engine import Costs
from allocator.market import Market, load_us_history, simulate_market
from allocator.report.charts import (
    _apart,
    _plain_ticks,
    plot_drawdown,
    plot_growth,
    plot_regime_correlation,
    plot_weights,
    study_pngs,
)
from allocator.report.comparison import compare
from allocator.report.regime_study import RegimeStudy, study_regimes
from strategies import RiskParity, SixtyForty, default_study

NASTY = ("US $ stocks & $40$, a name that never ends, total return", "<script>", "_金\ngold")


@pytest.fixture(scope="module")
def yearly():
    comparison = compare(default_study(), load_us_history())
    return comparison, study_regimes(comparison, "stocks", "bonds")


@pytest.fixture(scope="module")
def daily():
    comparison = compare(default_study(), simulate_market(seed=7, years=8))
    return comparison, study_regimes(comparison, "stocks", "bonds")


@pytest.fixture(scope="module")
def nasty():
    rng = np.random.default_rng(3)
    dates = pd.bdate_range("2015-01-01", periods=700)
    prices = pd.DataFrame(100.0 * np.exp(rng.normal(0.0, 0.01, (700, 3)).cumsum(axis=0)), dates, list(NASTY))
    market = Market(prices, 0.02, name="$a$ <b> 中文 " + "long " * 30)
    pairs = [(0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1), (0, 1), (1, 2), (0, 2)]
    strategies = [
        SixtyForty(NASTY[a], NASTY[b], name=f"_$x^{k}$ {NASTY[a]}") for k, (a, b) in enumerate(pairs)
    ]
    comparison = compare(strategies, market)
    return comparison, study_regimes(comparison, NASTY[0], NASTY[1])


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def title_of(ax) -> str:
    return ax.get_title(loc="left")


# Growth and drawdown


@pytest.mark.parametrize("case", ["yearly", "daily"])
def test_the_lines_of_growth_are_the_values_of_the_backtests(case, request):
    comparison, _ = request.getfixturevalue(case)
    ax = plot_growth(comparison)
    assert len(ax.lines) == len(comparison.backtests)
    for line, backtest in zip(ax.lines, comparison.backtests, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), backtest.value.to_numpy())
        np.testing.assert_array_equal(line.get_xdata(), backtest.value.index.to_numpy())


def test_growth_has_a_log_axis_with_plain_labels(yearly):
    ax = plot_growth(yearly[0])
    ax.figure.canvas.draw()
    assert ax.get_yscale() == "log"
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["1", "2", "5", "10", "20", "50", "100", "200", "500", "1,000", "2,000"]


def test_growth_names_each_strategy_with_its_last_value(yearly):
    comparison, _ = yearly
    written = texts(plot_growth(comparison).figure)
    for backtest in comparison.backtests:
        assert f"{backtest.name}  {backtest.value.iloc[-1]:,.0f}" in written


def test_growth_says_since_when_and_the_footer_says_what(yearly):
    comparison, _ = yearly
    ax = plot_growth(comparison)
    assert title_of(ax) == "Value of 1 invested on 1937-12-31, log scale"
    assert ax.get_xlabel() == "US history 1928-2025, yearly, 1937-12-31 to 2025-12-31, after costs"


@pytest.mark.parametrize("case", ["yearly", "daily"])
def test_the_lines_of_drawdown_fall_as_deep_as_the_table_says(case, request):
    comparison, _ = request.getfixturevalue(case)
    ax = plot_drawdown(comparison)
    assert ax.get_ylim()[1] == 0.0
    deepest = [line.get_ydata().min() for line in ax.lines]
    np.testing.assert_allclose(deepest, comparison.table["max_drawdown"], rtol=0, atol=1e-14)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == [
        f"{name} \N{MINUS SIGN}{-fall:.1%}" for name, fall in comparison.table["max_drawdown"].items()
    ]


def test_drawdown_from_yearly_closes_says_that_it_does_not_see_the_falls_between(yearly, daily):
    assert "yearly closes: falls between them are not seen" in plot_drawdown(yearly[0]).get_xlabel()
    assert "not seen" not in plot_drawdown(daily[0]).get_xlabel()


def test_a_picture_is_drawn_on_the_axes_that_are_given(yearly, daily):
    comparison, study = yearly
    axes = Figure().subplots(3)
    assert plot_growth(comparison, axes[0]) is axes[0]
    assert plot_drawdown(comparison, axes[1]) is axes[1]
    assert plot_regime_correlation(study, axes[2]) is axes[2]
    assert all(ax.lines for ax in axes)


def test_a_single_strategy_has_its_own_pictures(yearly):
    comparison = compare([SixtyForty()], yearly[0].market)
    assert len(plot_growth(comparison).lines) == 1
    assert len(plot_drawdown(comparison).lines) == 1
    assert len(plot_weights(comparison).axes) == 1


def test_ruin_is_said_and_does_not_break_the_log_axis():
    dates = pd.date_range("2000-01-31", periods=40, freq="ME")
    steps = np.random.default_rng(1).normal(0.005, 0.01, (39, 2))
    steps[30:, 0] = -0.7
    prices = np.vstack([[1.0, 1.0], (1.0 + steps).cumprod(axis=0)])
    market = Market(pd.DataFrame(prices, dates, ["stocks", "bonds"]), 0.02)
    levered = RiskParity(target_volatility=0.5, window_years=1.0, max_leverage=9.0)
    comparison = compare([levered, SixtyForty()], market, costs=Costs(0.0))
    assert comparison.backtests[0].ruined_on is not None
    ax = plot_growth(comparison)
    ax.figure.canvas.draw()
    assert ax.get_ylim()[0] > 0.0
    assert any("ruined 200" in text for text in texts(ax.figure))
    assert plot_drawdown(comparison).lines[0].get_ydata().min() == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.9, 120.0, [1, 2, 5, 10, 20, 50, 100]),
        (0.95, 4.5, [1, 1.5, 2, 3, 4]),
        (0.9, 3e5, [1, 10, 100, 1000, 10000, 100000]),
        (0.97, 1.08, [0.98, 1.0, 1.02, 1.04, 1.06, 1.08]),
    ],
)
def test_ticks_are_round_numbers(low, high, ticks):
    assert _plain_ticks(low, high) == pytest.approx(ticks)


def test_labels_keep_their_order_and_their_distance():
    places = np.array([0.50, 0.51, 0.1, 0.505, 0.9])
    moved = _apart(places, 0.05)
    assert np.diff(np.sort(moved)).min() > 0.05 - 1e-5
    np.testing.assert_array_equal(np.argsort(moved), np.argsort(places))
    np.testing.assert_array_equal(moved[[2, 4]], places[[2, 4]])


# Weights


def test_weights_have_a_panel_a_strategy_and_a_colour_an_asset(yearly):
    comparison, _ = yearly
    figure = plot_weights(comparison)
    assert [title_of(ax) for ax in figure.axes] == [b.name for b in comparison.backtests]
    legend = figure.legends[0]
    names = [text.get_text().strip() for text in legend.get_texts()]
    assert names == ["emerging", "developed", "gold", "bonds", "stocks"]
    colours = {n: p.get_facecolor() for n, p in zip(names, legend.get_patches(), strict=True)}
    for ax, backtest in zip(figure.axes, comparison.backtests, strict=True):
        held = [asset for asset in backtest.weights if backtest.weights[asset].abs().max() > 1e-9]
        assert [tuple(area.get_facecolor()[0]) for area in ax.collections] == [colours[a] for a in held]
        tops = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections]
        assert max(tops) == pytest.approx(1.0)


def test_what_is_borrowed_is_below_zero(daily):
    comparison = compare([RiskParity(target_volatility=0.12), SixtyForty()], daily[0].market)
    lowest = comparison.backtests[0].weights["cash"].min()
    assert lowest < 0.0
    figure = plot_weights(comparison)
    depths = [area.get_paths()[0].vertices[:, 1].min() for area in figure.axes[0].collections]
    assert min(depths) == pytest.approx(lowest)
    assert any("below zero: borrowed" in text for text in texts(figure))
    assert not any(
        "below zero" in text for text in texts(plot_weights(compare([SixtyForty()], daily[0].market)))
    )


# Regimes


def test_regimes_stand_under_their_definitions_without_the_unclassified(yearly):
    _, study = yearly
    ax = plot_regime_correlation(study)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    expected = []
    for table in study.correlation:
        known = "ex post" if table.regimes.ex_post else "known at the time"
        expected += [f"{table.regimes.name}, {known}", *(r for r in table.table.index if r != "unclassified")]
    assert [label.strip() for label in labels] == expected
    bold = [label.get_text() for label in ax.get_yticklabels() if label.get_fontweight() == "bold"]
    assert bold == [label for label in labels if not label.startswith(" ")]


def test_each_regime_shows_its_estimate_its_intervals_and_its_count(yearly):
    _, study = yearly
    ax = plot_regime_correlation(study)
    spans = [tuple(np.asarray(line.get_xdata(), dtype=float)) for line in ax.lines]
    for table in study.correlation:
        for regime, row in table.table.drop(index="unclassified", errors="ignore").iterrows():
            if np.isfinite(row["correlation"]):
                assert (row["correlation"],) in spans, regime
                assert (row["low"], row["high"]) in spans
                assert (row["fisher_low"], row["fisher_high"]) in spans
            assert f"{row['n']:,}" in texts(ax.figure)
    assert ax.get_xlim() == (-1.0, 1.0)


def test_a_regime_without_an_estimate_says_that_it_has_too_few(yearly):
    assert "n = 4: too few" in texts(plot_regime_correlation(yearly[1]).figure)


def test_daily_and_month_end_stand_side_by_side(daily, yearly):
    ax = plot_regime_correlation(daily[1])
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names[:2] == ["daily returns", "month-end returns"]
    dots = [line for line in ax.lines if line.get_marker() in ("o", "s")]
    faces = {line.get_marker(): line.get_markerfacecolor() for line in dots}
    assert faces["s"] == "white"
    assert faces["o"] != "white"
    alone = plot_regime_correlation(yearly[1])
    assert [t.get_text() for t in alone.get_legend().get_texts()][:1] == ["yearly returns"]


def test_a_study_without_any_table_is_drawn_empty(yearly):
    ax = plot_regime_correlation(RegimeStudy((), (), (), (), (), (), ("why",), yearly[0].market))
    ax.figure.canvas.draw()
    assert "left_out" in ax.get_xlabel()


# All four


def test_simulated_data_say_so_in_every_title(daily, yearly):
    for (comparison, study), marked in ((daily, True), (yearly, False)):
        titles = [
            title_of(plot_growth(comparison)),
            title_of(plot_drawdown(comparison)),
            plot_weights(comparison).get_suptitle(),
            title_of(plot_regime_correlation(study)),
        ]
        assert [title.startswith("SIMULATED data. ") for title in titles] == [marked] * 4


@pytest.mark.parametrize("case", ["yearly", "daily", "nasty"])
def test_four_pictures_are_made_that_show_something(case, request):
    pictures = study_pngs(*request.getfixturevalue(case))
    assert list(pictures) == ["growth", "drawdown", "weights", "regime_correlation"]
    for name, data in pictures.items():
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.format == "PNG"
            assert picture.width == 1600
            assert 500 <= picture.height <= 2400
            assert set(picture.info) <= {"dpi", "Software"}
            pixels = np.asarray(picture.convert("RGB"))
            assert len(picture.getcolors()) > 20
        assert (pixels[0, -1] == 255).all(), "the paper is white"
        ink = (pixels != 255).any(axis=2)
        assert 0.01 < ink.mean() < 0.9
        edge = np.concatenate([ink[:, 0], ink[:, -1], ink[0], ink[-1]])
        assert not edge.any(), f"{name} is cut at its edge"


def test_the_same_study_gives_the_same_bytes_whatever_the_style(yearly):
    first = study_pngs(*yearly)
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "lines.linewidth": 5}):
        again = study_pngs(*yearly)
        assert matplotlib.rcParams["font.size"] == 20
    assert first == again


def test_the_inputs_are_left_as_they_were(yearly):
    comparison, study = yearly
    table, values = comparison.table.copy(), [b.value.copy() for b in comparison.backtests]
    regimes = [t.table.copy() for t in study.correlation]
    study_pngs(comparison, study)
    pd.testing.assert_frame_equal(comparison.table, table)
    for backtest, value in zip(comparison.backtests, values, strict=True):
        pd.testing.assert_series_equal(backtest.value, value)
    for result, frame in zip(study.correlation, regimes, strict=True):
        pd.testing.assert_frame_equal(result.table, frame)


def test_names_from_outside_are_text_and_no_formula(nasty):
    comparison, study = nasty
    figures = [
        plot_growth(comparison).figure,
        plot_weights(comparison),
        plot_regime_correlation(study).figure,
    ]
    for figure in figures:
        figure.canvas.draw()
        assert all("\n" not in t and "金" not in t for t in texts(figure) if "gold" in t)
    drawdown = plot_drawdown(comparison)
    assert len(drawdown.get_legend().get_texts()) == len(comparison.backtests)
    named = [text for text in texts(figures[0]) if text.startswith("_")]
    assert len(named) == len(comparison.backtests)
    assert all(text.startswith(r"_\$x^") and len(text) < 50 for text in named)


def test_a_notebook_shows_a_figure_without_pyplot(yearly):
    assert plot_growth(yearly[0]).figure._repr_png_().startswith(b"\x89PNG")


def test_F204_no_window_opens_whatever_the_backend_and_matplotlib_is_imported_on_use():
    script = """
import sys
import allocator, allocator.report
assert "matplotlib" not in sys.modules, "imported too early"
from allocator.market import load_us_history
from allocator.report import compare, study_regimes
from allocator.report.charts import study_pngs
from strategies import SixtyForty
comparison = compare([SixtyForty()], load_us_history())
study_pngs(comparison, study_regimes(comparison, "stocks", "bonds"))
assert "matplotlib.pyplot" not in sys.modules, "pyplot was imported"
"""
    surroundings = {name: value for name, value in os.environ.items() if name != "DISPLAY"} | {
        "MPLBACKEND": "TkAgg"
    }
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=surroundings
    )
    assert done.returncode == 0, done.stderr

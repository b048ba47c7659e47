"""Pictures of tables: every kind is drawn, labelled, and the same each time."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.report.draw import draw, draw_png
from allocator.report.picture import Picture

ROWS = pd.DataFrame(
    {"value": [0.1, -0.2], "low": [0.0, -0.4], "high": [0.2, 0.0]}, index=["gold $1", "bonds"]
)
DAYS = pd.date_range("2020-01-31", periods=40, freq="ME")
KINDS = {
    "intervals": Picture("intervals", ROWS, "Sharpe ratio"),
    "curve": Picture("curve", ROWS.set_axis([0.1, 0.2]), "Sharpe ratio", "weight"),
    "lines": Picture(
        "lines", pd.DataFrame({"a": np.arange(40.0), "b": 1.0}, DAYS), "level", marks={"2021-06-01": "war"}
    ),
    "scatter": Picture(
        "scatter",
        pd.DataFrame({"x": np.arange(40.0), "y": np.arange(40.0) ** 2, "group": ["old", "new"] * 20}),
        "gold",
        "yield",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_names_its_axes_and_title(kind):
    picture = KINDS[kind]
    ax = draw(picture, "What happened")
    assert ax.get_title(loc="left") == "What happened"
    measured = ax.get_xlabel() if kind == "intervals" else ax.get_ylabel()
    assert measured == picture.y
    ax.figure.canvas.draw()


def test_intervals_reach_from_low_to_high():
    ax = draw(KINDS["intervals"], "t")
    segments = ax.collections[0].get_segments()
    assert [segment[:, 0].tolist() for segment in segments] == ROWS[["low", "high"]].to_numpy().tolist()
    assert [label.get_text() for label in ax.get_yticklabels()] == [r"gold \$1", "bonds"]


def test_a_line_of_a_scatter_is_the_least_squares_one():
    ax = draw(KINDS["scatter"], "t")
    rows = KINDS["scatter"].data.query("group == 'old'")
    slope, level = np.polyfit(rows["x"], rows["y"], 1)
    fitted = ax.lines[1]
    assert fitted.get_ydata() == pytest.approx(level + slope * fitted.get_xdata())


@pytest.mark.parametrize("kind", KINDS)
def test_equal_pictures_give_equal_bytes_whatever_a_persons_style(kind):
    first = draw_png(KINDS[kind], "t")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert draw_png(KINDS[kind], "t") == first


def test_a_picture_without_its_columns_is_refused():
    with pytest.raises(al.InputError, match="no column 'high'"):
        Picture("curve", ROWS.drop(columns="high"), "y")

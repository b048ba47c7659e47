"""Bars: on a terminal and nowhere else, cleared by an interruption, which leaves nothing half-done."""

import io
import sys

import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.progress import progress_bar
from strategies import SixtyForty


class Terminal(io.StringIO):
    def isatty(self):
        return True


def terminal_of(monkeypatch):
    """Stand in for a terminal; called in a test, because pytest changes the stream after its fixtures."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_a_bar_counts_on_a_terminal(monkeypatch):
    terminal = terminal_of(monkeypatch)
    with progress_bar(3, "run", "work") as bar:
        for _ in range(3):
            bar.update()
    assert "work" in terminal.getvalue()
    assert "3/3" in terminal.getvalue()


def test_no_bar_where_nobody_sees_it(monkeypatch):
    terminal = terminal_of(monkeypatch)
    with progress_bar(3, "run", "work", wanted=False) as bar:
        bar.update()
    assert terminal.getvalue() == ""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar(3, "run", "work") as bar:
        bar.update(2)
    assert stream.getvalue() == ""


def test_an_interruption_passes_through(monkeypatch):
    terminal = terminal_of(monkeypatch)

    def work():
        with progress_bar(3, "run", "work") as bar:
            bar.update()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert terminal.getvalue().endswith("\n")  # the prompt begins on a line of its own


def test_scenarios_walk_forward_and_real_time_premia_show_one(monkeypatch):
    terminal = terminal_of(monkeypatch)
    worlds = al.simulate_scenarios("inflation", n_paths=3, n_years=4, seed=0)
    al.run_scenarios([SixtyForty()], worlds)
    assert "3/3" in terminal.getvalue()
    assert "path" in terminal.getvalue()
    mixes = [SixtyForty(stock_weight=weight, name=f"{weight:.0%}") for weight in (0.4, 0.6)]
    al.walk_forward(mixes, al.load_us_history(), train_years=20, test_years=10)
    assert "walk-forward" in terminal.getvalue()
    months = pd.date_range("2000-01-31", periods=125, freq="ME")
    rng = np.random.default_rng(0)
    level = 0.04 + 0.002 * rng.normal(size=(125, 1)).cumsum(axis=0)
    slope = 0.0002 * rng.normal(size=(125, 1)).cumsum(axis=0) * np.sqrt(np.arange(1, 25))
    zeros = pd.DataFrame(level + slope, months, range(1, 25))
    model = al.ACMModel(n_factors=2, factor_months=(3, 12, 24), return_months=(6, 12, 24))
    al.expanding_term_premium(zeros, (2,), model)
    assert "term premium in real time" in terminal.getvalue()

"""F148: a raw series of a macro figure in a market is taken at its word, and the market says so."""

import numpy as np
import pandas as pd

import allocator as al

MONTHS = pd.date_range("2000-01-31", periods=60, freq="ME")
PRICES = pd.DataFrame({"SPY": 100.0 * 1.001 ** np.arange(60.0)}, MONTHS)
INFLATION = pd.Series(0.02 + 0.01 * np.sin(np.arange(60.0)), MONTHS, name="inflation")
TAKEN = "taken as known on the dates of its index"


def test_F148_a_raw_series_as_signal_is_noted_with_what_dates_it():
    market = al.Market(PRICES, 0.0, {"inflation": INFLATION, "growth": INFLATION})
    (note,) = (note for note in market.notes if TAKEN in note)
    assert note.startswith("signals['inflation']: taken as known")
    assert "(first of 2); al.published(values, publication_lag=...)" in note
    assert note in market.until("2002-12-31").notes
    assert any(TAKEN in note for note in al.Market(PRICES, 0.0, pd.DataFrame({"x": INFLATION})).notes)


def test_F148_a_published_signal_is_not():
    market = al.Market(PRICES, 0.0, {"inflation": al.published(INFLATION, 15)})
    assert not any(TAKEN in note for note in (*market.notes, *al.Market(PRICES, 0.0).notes))

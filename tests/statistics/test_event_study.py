"""Event studies: against a slow version, on planted effects, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al


def daily(n=900, seed=0):
    rng = np.random.default_rng(seed)
    return pd.Series(rng.normal(0, 0.01, n), index=pd.bdate_range("2015-01-01", periods=n), name="bonds")


def test_the_response_is_what_a_person_would_compound_by_hand():
    returns, cash = daily(), 0.0001
    cash_returns = pd.Series(cash, index=returns.index)
    study = al.event_study(
        returns, ["2015-07-01", "2016-05-02"], after=5, before=3, cash=cash_returns, n_resamples=99
    )
    for event in study.events.itertuples():
        row = returns.index.get_loc(event.date)
        assert event.cumulative == pytest.approx(np.prod(1 + returns.iloc[row + 1 : row + 6] - cash) - 1)
    assert study.path.loc[5, "response"] == pytest.approx(study.events["cumulative"].mean())
    back = [
        1 / np.prod(1 + returns.iloc[row - 2 : row + 1] - cash) - 1
        for row in map(returns.index.get_loc, study.events["date"])
    ]
    assert study.path.loc[-3, "response"] == pytest.approx(np.mean(back))
    assert study.path.loc[0, ["response", "placebo", "low", "high"]].tolist() == [0.0, 0.0, 0.0, 0.0]


def test_an_event_on_a_day_without_a_row_acts_on_the_next():
    study = al.event_study(daily(), ["2015-08-01"], n_resamples=99)  # a Saturday
    assert study.events.loc[0, "row"] == pd.Timestamp("2015-08-03")


def test_placebo_dates_keep_away_from_events():
    returns = daily(400)
    planted = returns.copy()
    planted.iloc[200:221] = 0.05  # only windows that touch the event would see this
    study = al.event_study(planted, [returns.index[199]], after=20, before=0, n_resamples=99)
    assert study.effect > 1.0
    assert study.path["placebo"].abs().max() < 0.1
    assert study.n_placebo_dates == sum(abs(row - 199) > 20 for row in range(400 - 20))


def test_a_planted_effect_is_found_and_its_sign_kept():
    returns = daily(2000)
    rows = [300, 700, 1100, 1500, 1800]
    for row in rows:
        returns.iloc[row + 1 : row + 11] -= 0.008
    study = al.event_study(returns, returns.index[rows], after=10)
    assert study.high < 0
    assert study.p_value < 0.01
    assert study.low < study.effect < study.high


def test_nothing_is_found_where_nothing_is():
    """By chance dates p is uniform: 5 % of 200 studies reject, and a binomial hardly gives more than 8 %."""
    rng = np.random.default_rng(3)
    rejected = []
    for seed in range(200):
        returns = daily(600, seed)
        rows = np.sort(rng.choice(np.arange(30, 560), 5, replace=False))
        study = al.event_study(returns, returns.index[rows], after=5, n_resamples=199, seed=seed)
        rejected.append(study.p_value <= 0.05)
    assert 0.015 <= np.mean(rejected) <= 0.09


@settings(max_examples=25, deadline=None)
@given(shift=st.floats(-0.3, 0.3), seed=st.integers(0, 1000))
def test_the_effect_is_free_of_what_comes_before_and_of_the_seed(shift, seed):
    returns = daily(500)
    other = returns.copy()
    other.iloc[0] = shift  # before every window
    one = al.event_study(returns, ["2015-09-01"], after=10, before=5, n_resamples=99)
    two = al.event_study(other, ["2015-09-01"], after=10, before=5, n_resamples=99, seed=seed)
    assert two.events["cumulative"].tolist() == pytest.approx(one.events["cumulative"].tolist(), abs=1e-12)
    assert two.seed == seed


def test_it_says_what_it_rests_on():
    text = repr(al.event_study(daily(), ["2015-08-03"], n_resamples=99))
    assert "bonds in the 63 rows after 1 events" not in text
    assert "bonds in the 63 rows after 1 event" in text
    assert "95 % interval" in text
    assert "seed 0" in text
    assert "placebo dates" in text
    assert "<table>" in al.event_study(daily(), ["2015-08-03"], n_resamples=99)._repr_html_()


@pytest.mark.parametrize(
    ("dates", "message"),
    [
        ([], "no events"),
        ("2015-08-03", "is no list of dates"),
        (["soon"], "soon"),
        (["2016-08-01", "2015-08-03"], "not in order"),
        (["2014-08-03"], "on 2014-08-03: beyond the returns"),
        (["2035-08-03"], "on 2035-08-03: beyond the returns"),
        (["2018-06-11"], "2 rows after it and"),
        (["2015-01-05"], "21 before|21 and|and 21|before"),
        (["2015-08-01", "2015-08-02"], "same row as 2015-08-01"),
        ([pd.NaT], "one is missing"),
        ([20150803], "20150803 is no date"),
        ([True], "True is no date"),
        (["2015-08-03 00:00+00:00"], "time zone"),
    ],
)
def test_dates_that_mean_nothing_are_refused(dates, message):
    with pytest.raises(al.InputError, match=message):
        al.event_study(daily(), dates)


@pytest.mark.parametrize(
    "argument",
    [{"after": 0}, {"after": True}, {"before": -1}, {"n_resamples": 5}, {"seed": -1}, {"seed": "a"}],
)
def test_windows_that_are_none_are_refused(argument):
    with pytest.raises(al.InputError, match=next(iter(argument))):
        al.event_study(daily(), ["2015-08-03"], **argument)


def test_too_few_placebo_dates_are_refused():
    with pytest.raises(al.InsufficientHistoryError, match="placebo dates, at least 100"):
        al.event_study(daily(220), ["2015-06-01"])


def test_arrays_have_no_dates():
    with pytest.raises(al.InputError, match="no dates"):
        al.event_study(daily().to_numpy(), ["2015-06-01"])


def test_more_confidence_needs_more_draws():
    with pytest.raises(al.InputError, match=r"99 are too few for a confidence of 0\.9999; pass 20000"):
        al.event_study(daily(), ["2015-08-03"], confidence=0.9999, n_resamples=99)


def test_what_cannot_be_measured_is_refused():
    returns = daily()
    returns.iloc[500] = -1.0
    with pytest.raises(al.InputError, match=r"returns on 2016-\d\d-\d\d: everything is lost"):
        al.event_study(returns, ["2015-08-03"])
    with pytest.raises(al.InputError, match="never change"):
        al.event_study(daily() * 0.0 + 0.0001, ["2015-08-03"])
    with pytest.raises(al.InputError, match="time zone"):
        al.event_study(daily().tz_localize("UTC"), ["2015-08-03"])


def test_dates_may_come_from_anything_and_are_read_once():
    listed = al.event_study(daily(), ["2015-08-03"], n_resamples=99)
    assert al.event_study(daily(), (date for date in ["2015-08-03"]), n_resamples=99).effect == listed.effect
    assert al.event_study(daily(), ["2015-08-03"], after=np.int64(63), n_resamples=99).effect == listed.effect


def test_few_placebo_dates_do_not_make_it_reject_too_often():
    """Three years have few windows of a quarter; without the error of their mean 5 % would be twice it."""
    rejected = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        returns = daily(900, seed)
        rows = np.sort(rng.choice([100, 240, 380, 520, 660, 800], 4, replace=False))
        rejected.append(
            al.event_study(returns, returns.index[rows], n_resamples=199, seed=seed).p_value <= 0.05
        )
    assert np.mean(rejected) <= 0.09

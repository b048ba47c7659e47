"""What an asset adds: the curve and the one-by-one table agree with runs and tests made by hand."""

import numpy as np
import pytest

import allocator as al

SIXTY_FORTY = {"stocks": 0.6, "bonds": 0.4}


@pytest.fixture(scope="module")
def history():
    return al.load_us_history()


def test_a_curve_is_backtests_and_tests_that_a_person_would_make(history):
    curve = al.weight_curve(
        history, SIXTY_FORTY, "gold", [0.1, 0.3], funded_from="bonds", start="1972", costs=al.Costs(0.001)
    )
    mixes = [
        al.FixedMix({"stocks": 0.6, "bonds": bonds, "gold": gold}, name=str(gold))
        for bonds, gold in ((0.4, 0.0), (0.3, 0.1), (0.1, 0.3))
    ]
    runs = [al.run_backtest(mix, history, start="1972", costs=al.Costs(0.001)) for mix in mixes]
    ratios = [al.sharpe_ratio(run.returns, run.cash_returns) for run in runs]
    assert curve.table.index.tolist() == [0.0, 0.1, 0.3]
    assert curve.table["sharpe"].tolist() == pytest.approx(ratios)
    assert curve.table["without"].tolist() == pytest.approx([ratios[0]] * 3)
    family = al.sharpe_family_test(
        np.column_stack([run.returns for run in runs[1:]]),
        runs[0].returns.to_numpy(),
        runs[0].cash_returns.to_numpy(),
        periods_per_year=1,
    )
    assert curve.table["p_family"].tolist()[1:] == family.table["p_romano_wolf"].tolist()
    assert (curve.table["p_family"].iloc[1:] >= curve.table["p_value"].iloc[1:]).all()


def test_the_portfolio_without_has_no_difference_to_itself(history):
    curve = al.weight_curve(history, SIXTY_FORTY, "gold", [0.1], funded_from="bonds", start="1972")
    assert curve.table.loc[0.0, ["difference", "low", "high", "p_value", "p_family"]].isna().all()
    assert curve.table.loc[0.0, "max_drawdown"] == pytest.approx(
        al.max_drawdown(curve.comparisons[0].backtests[0].returns)
    )


def test_shares_say_who_makes_room(history):
    half = al.weight_curve(
        history, SIXTY_FORTY, "gold", [0.5], funded_from={"stocks": 0.5, "bonds": 0.5}, start="1972"
    )
    run = half.comparisons[0].backtests[1]
    assert run.targets.iloc[0][["stocks", "bonds", "gold"]].tolist() == pytest.approx([0.35, 0.15, 0.5])


def test_assets_are_compared_over_their_own_windows(history):
    found = al.additions(history, SIXTY_FORTY, ["developed", "emerging"], 0.1, funded_from="stocks")
    assert found.table.loc["developed", "begin"].year == 1970
    assert found.table.loc["emerging", "begin"].year == 2004
    later = al.additions(history, SIXTY_FORTY, ["gold", "emerging"], funded_from="stocks", start="1972")
    assert later.table["begin"].dt.year.tolist() == [1972, 2004]
    assert found.table["p_family"].tolist() == pytest.approx(al.holm(found.table["p_value"]).tolist())
    assert "Holm (1979), over the assets" in repr(found)


def test_an_asset_that_is_there_already_gets_more(history):
    more = al.weight_curve(history, SIXTY_FORTY, "bonds", [0.1], funded_from="stocks", start="1972")
    run = more.comparisons[0].backtests[1]
    assert run.targets.iloc[0]["bonds"] == pytest.approx(0.5)


def test_it_shows_itself(history):
    curve = al.weight_curve(history, SIXTY_FORTY, "gold", [0.1], funded_from="bonds", start="1972")
    assert repr(curve).startswith("gold added to 60% stocks / 40% bonds, funded from bonds")
    assert "Ledoit and Wolf" in repr(curve)
    assert " nan" not in repr(curve)
    assert "<table>" in curve._repr_html_()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": [0.5]}, r"funded_from\['bonds'\]: 40.00% of it cannot fund 50.00%"),
        ({"weights": []}, "weights: "),
        ({"weights": [0.1, 0.1]}, "comes twice"),
        ({"weights": [0.0]}, "not above 0"),
        ({"weights": [20]}, "pass fractions"),
        ({"asset": "silver"}, r"asset\['silver'\]: is not in the market"),
        ({"funded_from": "gold"}, r"funded_from\['gold'\]: is not in base"),
        ({"funded_from": {"bonds": 0.5}}, "do not add up to 1"),
        ({"funded_from": {}}, "do not add up to 1"),
        ({"weights": "0.1"}, r"weights: expected numbers, got '0.1'; pass fractions, \[0.1, 0.2\]"),
        ({"weights": None}, "weights: expected numbers, got None"),
        ({"weights": 0.1}, "weights: expected numbers, got 0.1"),
        ({"weights": [None]}, "weights: None is no number"),
        ({"weights": ["a"]}, "weights: 'a' is no number"),
        ({"weights": [True]}, "weights: True is no number"),
        ({"weights": [0.1, 0.10000000001]}, "are too close to tell apart"),
        ({"funded_from": None}, "funded_from: expected an asset or a mapping of shares, got None"),
        ({"funded_from": ["bonds"]}, "funded_from: expected an asset or a mapping of shares, got list"),
        ({"funded_from": {"stocks": "a"}}, r"funded_from\['stocks'\]: 'a' is no number"),
        ({"funded_from": {"stocks": float("nan")}}, r"funded_from\['stocks'\]: nan is no number"),
        ({"base": ["stocks"]}, "base: expected a mapping of weights, got list"),
        ({"base": None}, "base: expected a mapping of weights, got NoneType"),
        ({"base": {"stocks": "a", "bonds": 0.4}}, r"base\['stocks'\]: 'a' is no number"),
        ({"market": None}, "market: expected a Market, got NoneType"),
    ],
)
def test_what_cannot_be_funded_is_refused(history, change, message):
    settings = {"asset": "gold", "weights": [0.1], "funded_from": "bonds", **change}
    with pytest.raises(al.InputError, match=message):
        al.weight_curve(**{"market": history, "base": SIXTY_FORTY, **settings})


def test_weights_that_are_close_have_names_of_their_own(history):
    curve = al.weight_curve(history, SIXTY_FORTY, "gold", [0.1, 0.10001], funded_from="bonds", start="1972")
    assert curve.table.index.tolist() == [0.0, 0.1, 0.10001]
    assert curve.comparisons[0].table.index.tolist() == ["without", "10.00%", "10.001%"]


@pytest.mark.parametrize("assets", [[], ["gold", "gold"], ["silver"], None, 3, [["gold"]], [1]])
def test_assets_that_are_none_are_refused(history, assets):
    with pytest.raises(al.InputError, match="assets"):
        al.additions(history, SIXTY_FORTY, assets, funded_from="bonds")


@pytest.mark.parametrize("weight", [[0.1], None, "a", True])
def test_a_weight_that_is_none_is_refused_by_its_name(history, weight):
    with pytest.raises(al.InputError, match=r"weight: .* is no number"):
        al.additions(history, SIXTY_FORTY, ["gold"], weight, funded_from="bonds")


def test_a_table_is_no_market(history):
    with pytest.raises(al.InputError, match="market: expected a Market, got DataFrame"):
        al.additions(history.returns, SIXTY_FORTY, ["gold"], funded_from="bonds")

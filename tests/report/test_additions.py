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
    ],
)
def test_what_cannot_be_funded_is_refused(history, change, message):
    settings = {"asset": "gold", "weights": [0.1], "funded_from": "bonds", **change}
    with pytest.raises(al.InputError, match=message):
        al.weight_curve(history, SIXTY_FORTY, **settings)


@pytest.mark.parametrize("assets", [[], ["gold", "gold"], ["silver"]])
def test_assets_that_are_none_are_refused(history, assets):
    with pytest.raises(al.InputError, match="assets"):
        al.additions(history, SIXTY_FORTY, assets, funded_from="bonds")

"""Baselines: a drift is found on its first date and put down to what moved, and to nothing else."""

import json
import math
import os
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.research import baseline_facts
from allocator.research.baseline_facts import record_baseline
from allocator.research.baseline_file import baseline_text, read_baseline, replace_text
from allocator.research.show_baseline import check_html, markdown_summary

WORLD = al.simulate_market(years=3, seed=1)
PRICES = WORLD.prices[["stocks", "bonds", "gold"]]
PLANTED: dict = {}  # what a change of code does, behind the back of the parameters


@dataclass(frozen=True)
class Mix(al.Strategy):
    stocks: float = 0.6
    name: str = "Mix"

    def weights(self, past):
        tilt = PLANTED.get("tilt", 0.0) if past.index[-1] >= PLANTED.get("from", pd.Timestamp.max) else 0.0
        return {"stocks": self.stocks + tilt, "bonds": 0.4 - tilt}


@pytest.fixture(autouse=True)
def nothing_is_planted():
    PLANTED.clear()
    yield
    PLANTED.clear()


def market(prices=PRICES, **options):
    return al.Market(prices, 0.02, **options)


def run(strategy=None, world=None, **options):
    return al.run_backtest(strategy or Mix(), world or market(), **options)


MIX, SHORT = record_baseline(run()), record_baseline(run(end="2004-06"))


@pytest.fixture
def path(tmp_path):
    replace_text(tmp_path / "mix.json", baseline_text(MIX))
    return tmp_path / "mix.json"


def plant(date, tilt=0.1):
    PLANTED.update({"from": pd.Timestamp(date), "tilt": tilt})


# What is found.


def test_a_backtest_is_its_own_baseline(path):
    check = al.check_baseline(run(), path)
    assert (check.passed, check.changes, check.first_dates, check.causes) == (True, (), (), ())
    assert (check.since, check.moved) == (None, ())
    assert "'Mix' is as it was" in str(check)
    assert f"n={len(run().returns):,} returns" in str(check)


@pytest.mark.parametrize("date", ["2004-03-01", "2005-07-15", "2006-10-31"])
def test_a_planted_change_is_found_on_its_date(path, date):
    before = run()
    plant(date)
    after = run()
    check = al.check_baseline(after, path)
    assert not check.passed
    assert check.moved == ("code",)
    moved = (before.targets != after.targets).any(axis=1)
    decided = after.decided[moved.to_numpy()][0]
    assert decided == next(each for each in after.decided if each >= pd.Timestamp(date))
    weights, returns = check.first_dates
    assert weights.date == check.since == f"{moved.idxmax():%Y-%m-%d}"
    assert returns.date == f"{(before.returns != after.returns).idxmax():%Y-%m-%d}"
    assert weights.what == "weight of 'stocks' 0.6 → 0.7"
    assert f"MOVED since {check.since} (code)" in str(check)


def test_what_moved_and_by_how_much_is_said(path):
    before = run()
    plant("2005-01-01")
    after = run()
    check = al.check_baseline(after, path)
    found = {change.name: change for change in check.changes}
    for name in ("cagr", "volatility", "sharpe", "max_drawdown"):
        tables = (al.performance_summary(b.returns, b.cash_returns) for b in (before, after))
        was, now = (float(table[name].iloc[0]) for table in tables)
        # cagr and drawdown count from the close of the build, which the summary is not told here
        if name in ("volatility", "sharpe"):
            assert (found[name].was, found[name].now) == (was, now)
        assert found[name].was != found[name].now
    assert "return of 2004" not in found
    assert found["return of 2005"].now == pytest.approx(
        float((1 + after.returns["2005"]).prod() - 1), rel=1e-14
    )
    assert "points" in str(check)
    assert "the strategy's module and the library are the same" in str(check)


def test_a_change_of_parameters_is_told_from_a_change_of_code(path):
    check = al.check_baseline(run(Mix(stocks=0.55), costs=al.Costs(trading=0.001)), path)
    assert check.moved == ("parameters",)
    assert "parameters: strategy.stocks 0.6 → 0.55" in check.causes
    assert "parameters: costs.trading 0.0005 → 0.001" in check.causes
    assert len(check.causes) == 2


def test_a_cost_moves_the_returns_of_the_days_of_trading_first(path):
    check = al.check_baseline(run(costs=al.Costs(trading=0.001)), path)
    assert check.since == f"{run().returns.index[0]:%Y-%m-%d}"  # the first return carries the build
    assert [each.what.split()[0] for each in check.first_dates] == ["return"]
    assert {"sharpe", "total_commissions"} <= {change.name for change in check.changes}


@pytest.mark.parametrize("row", [300, 500])
def test_a_change_of_data_is_told_with_its_asset_and_month(path, row):
    prices = PRICES.copy()
    prices.iloc[row, 0] *= 1.001
    check = al.check_baseline(run(world=market(prices)), path)
    assert check.moved == ("data",)
    assert check.since == f"{PRICES.index[row]:%Y-%m-%d}"
    assert check.causes == (f"data: levels first differ: 'stocks' in {PRICES.index[row]:%Y-%m}",)


def test_a_drift_of_some_billionths_is_found_on_its_row(path):
    prices = PRICES.copy()
    prices.iloc[400:, 0] *= 1.0 + 5e-9  # 3e-9 of the portfolio, once
    check = al.check_baseline(run(world=market(prices)), path)
    assert check.since == f"{PRICES.index[400]:%Y-%m-%d}"
    assert al.check_baseline(run(world=market(prices)), path, tolerances={"default": 1e-5}).passed


def test_the_code_of_the_library_is_all_of_it(monkeypatch):
    monkeypatch.setattr(baseline_facts, "_hash_of", lambda file: "0")
    before = baseline_facts._library.__wrapped__()
    for name in ("accounting.py", "baseline_facts.py", "summary.py"):
        monkeypatch.setattr(baseline_facts, "_hash_of", lambda file, name=name: str(file.name == name))
        assert baseline_facts._library.__wrapped__() != before
        before = baseline_facts._library.__wrapped__()


def test_data_that_nothing_depends_on_may_move(path):
    prices = PRICES.copy()
    prices.iloc[300, 2] *= 1.001
    check = al.check_baseline(run(world=market(prices)), path)
    assert check.passed
    assert check.moved == ()
    assert check.causes == (f"data: levels first differ: 'gold' in {PRICES.index[300]:%Y-%m}",)
    assert "although its inputs moved" in str(check)


@pytest.mark.parametrize("end", ["2005-06", "2005-08-17"])
def test_rows_at_the_end_are_said_to_be_new(tmp_path, end):
    path = al.write_baseline(run(end=end), tmp_path / "short.json")
    check = al.check_baseline(run(end="2005-08"), path)
    assert check.moved == ("data",)
    assert "data: the months that both have whole are the same" in check.causes
    # a final row never trades, and is no final row any more
    assert check.since >= end
    assert {"n", "final_value"} <= {change.name for change in check.changes}


def test_another_start_is_a_parameter(path):
    check = al.check_baseline(run(start="2004-06-01"), path)
    assert check.moved == ("parameters",)
    assert "parameters: the window was 2004-01-0" in check.causes[0]


def test_a_change_of_versions_is_told(path):
    content = json.loads(path.read_text())
    content["versions"]["numpy"] = "0.1"
    path.write_text(json.dumps(content))
    assert al.check_baseline(run(), path).passed
    plant("2005-01-01")
    check = al.check_baseline(run(), path)
    assert check.moved == ("versions",)
    assert check.causes == (f"versions: numpy 0.1 → {np.__version__}",)


def test_several_that_moved_are_all_named(path, monkeypatch):
    monkeypatch.setattr(baseline_facts, "_library", lambda: "0123456789abcdef")
    check = al.check_baseline(run(Mix(stocks=0.5), market(PRICES * 1.1)), path)
    assert check.moved == ("data", "parameters", "code")
    assert "which of them did it cannot be told" in str(check)
    assert "code: the source of the library changed" in check.causes


def test_a_signal_and_an_asset_that_are_new_are_data(path):
    more = PRICES.assign(silver=PRICES["gold"])
    world = al.Market(more, 0.02, {"growth": pd.Series([1.0], PRICES.index[:1])})
    assert al.check_baseline(run(world=world), path).causes == (
        "data: 'silver' is new",
        "data: signal 'growth' differs, or ends on another date",
    )


def test_money_that_moves_without_the_returns_is_found(path):
    check = al.check_baseline(run(initial_value=2.0), path)
    names = {change.name for change in check.changes}
    assert "final_value" in names
    assert "sharpe" not in names
    assert (check.since, check.first_dates, check.moved) == (None, (), ("parameters",))


# Tolerances.


def test_a_drift_within_tolerance_passes(path):
    plant("2005-01-01", tilt=1e-6)
    assert not al.check_baseline(run(), path).passed
    assert al.check_baseline(run(), path, tolerances={"default": 0.01}).passed
    some = al.check_baseline(run(), path, tolerances={"sharpe": 0.01, "weights": 1e-5, "returns": 1e-5})
    names = {change.name for change in some.changes}
    assert "sharpe" not in names
    assert "cagr" in names
    assert some.first_dates == ()
    assert some.since == "2005"
    assert "no single row differs by more than its tolerance" in str(some)


def test_a_tolerance_is_relative_for_metrics(path):
    was = al.check_baseline(run(), path).now.metrics["sharpe"]
    plant("2005-01-01", tilt=0.02)
    now = al.check_baseline(run(), path).now.metrics["sharpe"]
    gap = abs(now / was - 1)

    def names(tolerance):
        return {c.name for c in al.check_baseline(run(), path, tolerances={"sharpe": tolerance}).changes}

    assert "sharpe" in names(gap * 0.999)
    assert "sharpe" not in names(gap * 1.001)


def test_what_is_not_to_be_compared_is_not(path):
    plant("2005-01-01")
    assert al.check_baseline(run(), path, tolerances={"default": math.inf}).passed


@pytest.mark.parametrize(
    ("tolerances", "message"),
    [
        ({"sharp": 1e-6}, "no metric 'sharp'; is it 'sharpe'?"),
        ({"sharpe": -1.0}, "-1.0 for 'sharpe' is no tolerance"),
        ({"sharpe": math.nan}, "nan for 'sharpe'"),
        ({"sharpe": True}, "True for 'sharpe'"),
        ({"sharpe": "1e-6"}, "'1e-6' for 'sharpe'"),
        (1e-6, "no mapping"),
    ],
)
def test_a_tolerance_that_is_none_is_refused(path, tolerances, message):
    with pytest.raises(al.InputError, match=message.replace("?", r"\?")):
        al.check_baseline(run(), path, tolerances=tolerances)


def test_only_a_backtest_has_a_baseline(tmp_path):
    study = al.compare([Mix()], market())
    for function in (al.check_baseline, al.write_baseline):
        with pytest.raises(al.InputError, match="expected a Backtest, got Comparison"):
            function(study, tmp_path / "x.json")
    with pytest.raises(al.InputError, match="names no function"):
        al.write_baseline(run(), tmp_path / "x.json", target="os; import x")
    assert not [*tmp_path.iterdir()]


# The file.


def test_the_file_is_the_same_for_the_same_run_and_is_read_as_it_was_written(path, tmp_path):
    again = al.write_baseline(run(), tmp_path / "folder" / "again.json", target="a.b:c")
    assert path.read_bytes() == again.read_bytes().replace(b'"target": "a.b:c"', b'"target": null')
    assert read_baseline(path) == record_baseline(run())
    assert baseline_text(read_baseline(path)) == path.read_text(encoding="utf-8")
    content = json.loads(path.read_text())
    assert [*content][:4] == ["schema", "name", "target", "window"]
    assert max(map(len, path.read_text().splitlines())) < 500


@settings(max_examples=40, deadline=None)
@given(
    metric=st.floats(allow_nan=False, allow_infinity=True).filter(lambda x: abs(x) <= 1e300 or math.isinf(x)),
    weight=st.floats(-10, 10),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_F187_numbers_and_texts_come_back_as_they_were(tmp_path_factory, metric, weight, text):
    changed = replace(
        SHORT,
        name=text,
        metrics=dict(SHORT.metrics) | {"sharpe": metric, "n": 10**29},
        weights={date: (weight, *row[1:]) for date, row in SHORT.weights.items()},
        parameters={text: text},
    )
    file = tmp_path_factory.mktemp("f") / "x.json"
    replace_text(file, baseline_text(changed))
    assert read_baseline(file) == changed
    assert repr(read_baseline(file).metrics["sharpe"]) == repr(metric)


def test_undefined_numbers_are_null_and_the_same_again(tmp_path):
    calm = pd.DataFrame({"stocks": 100.0, "bonds": 100.0}, PRICES.index)
    world = al.Market(calm, 0.0)
    path = al.write_baseline(run(world=world, costs=al.Costs(trading=0.0)), tmp_path / "calm.json")
    assert json.loads(path.read_text())["metrics"]["sharpe"] is None
    assert al.check_baseline(run(world=world, costs=al.Costs(trading=0.0)), path).passed
    assert "–" in str(al.check_baseline(run(), path))


def test_a_strategy_that_is_no_dataclass_is_described_by_what_it_holds(tmp_path):
    class Plain(al.Strategy):
        name = "Plain"

        def __init__(self, share, helper=None):
            self.share, self.table, self._helper = share, pd.DataFrame({"a": [share]}), helper or object()

        def weights(self, past):
            return {"stocks": self.share}

    path = al.write_baseline(run(Plain(0.5)), tmp_path / "plain.json")
    assert "0x" not in path.read_text()
    assert al.check_baseline(run(Plain(0.5)), path).causes == ()
    causes = al.check_baseline(run(Plain(0.4)), path).causes
    assert [cause.split()[1] for cause in causes] == ["strategy.share", "strategy.table"]


def test_a_change_of_an_inner_strategy_is_named(tmp_path):
    from strategies import RiskParity, SampleCovariance

    world = WORLD
    path = al.write_baseline(run(RiskParity(window_years=1), world), tmp_path / "x.json")
    other = RiskParity(window_years=1, covariance=SampleCovariance(), max_leverage=1.5)
    check = al.check_baseline(run(other, world), path)
    assert check.causes == ("parameters: strategy.max_leverage 2.0 → 1.5",)
    code = json.loads(path.read_text())["code"]
    assert {"allocator", "strategies.risk_parity", "strategies.covariances"} <= {*code}


def test_there_must_be_a_baseline(tmp_path):
    with pytest.raises(al.InputError, match=r"there is no baseline .*none\.json'; write it once"):
        al.check_baseline(run(), tmp_path / "none.json")
    assert not [*tmp_path.iterdir()]
    with pytest.raises(al.InputError, match="is a directory"):
        al.check_baseline(run(), tmp_path)


def test_a_file_is_replaced_whole_or_not_at_all(path, monkeypatch):
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(al.InputError, match=r"cannot write .*: no space left on device"):
        al.write_baseline(run(Mix(stocks=0.5)), path)
    assert path.read_bytes() == before
    assert [*path.parent.iterdir()] == [path]


def altered(**changes):
    """Return a way to write other values into a baseline; dots in a name are levels."""

    def alter(content):
        for key, value in changes.items():
            inside, *rest = content, *key.split("__")
            for name in rest[:-1]:
                inside = inside[name]
            if value is KeyError:
                del inside[rest[-1]]
            else:
                inside[rest[-1]] = value
        return json.dumps(content)

    return alter


def text_with(before, after):
    return lambda content: json.dumps(content).replace(before, after, 1)


HOSTILE = {
    "NaN": (altered(metrics__sharpe=math.nan), "has NaN, which is no JSON"),
    "infinity": (altered(metrics__sharpe=math.inf), "has Infinity, which is no JSON"),
    "overflow": (text_with('"n_returns": ', '"n_returns": 1e999'), "no finite number|no JSON"),
    "many digits": (lambda _: '{"schema": ' + "9" * 5000 + "}", "digits"),
    "twins": (text_with('{"schema"', '{"name": "x", "schema"'), "has the key 'name' twice"),
    "deep": (lambda _: "[" * 100_000, "nested too deeply|no JSON"),
    "deep object": (lambda _: '{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
    "other schema": (
        altered(schema="allocator-baseline-9"),
        "/schema is 'allocator-baseline-9', this version",
    ),
    "no schema": (lambda _: "{}", "/schema is None"),
    "a list": (lambda _: "[1]", "/schema is None"),
    "a list as schema": (altered(schema=[1]), r"/schema is \[1\]"),
    "empty": (lambda _: "", "is empty"),
    "conflict": (lambda content: "<<<<<<< HEAD\n" + json.dumps(content), "marks of a merge conflict"),
    "unknown key": (altered(metric={}), "/'metric' is unknown, is it 'metrics'"),
    "missing key": (altered(metrics=KeyError), "/metrics is missing"),
    "text for number": (altered(metrics__sharpe="high"), "/metrics/sharpe is 'high'"),
    "truth for number": (altered(metrics__sharpe=True), "/metrics/sharpe is True, expected a number"),
    "huge": (altered(metrics__n=10**350), "/metrics/n is 1000"),
    "list for mapping": (altered(yearly_returns=[1.0]), r"/yearly_returns is \[1.0\], expected an object"),
    "bad year": (altered(yearly_returns__20x5=0.1), "/yearly_returns/'20x5'"),
    "bad day": (altered(returns={"2004-01": "1:5"}), "/returns/2004-01 is '1:5'"),
    "rows twice": (altered(returns={"2004-01": "02:5 02:6"}), "/returns are not one a row"),
    "no rows": (altered(returns={}), "/metrics or /returns is empty"),
    "short row of weights": (altered(weights={"2004-01-01": [1.0]}), "1 weights for 2 assets"),
    "short row of hashes": (altered(data__months={"2004-01": "01234567"}), "a hash for each"),
    "hash": (altered(data__sha256="abc"), "/data/sha256 is 'abc'"),
    "data": (altered(data=3), "/data is 3, expected an object"),
    "count": (altered(window__n_returns=-1), "/window/n_returns is -1, expected a count"),
    "target": (altered(target=["os:system"]), "/target is"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_F186_a_hostile_file_is_refused_with_the_place(path, kind):
    alter, message = HOSTILE[kind]
    path.write_text(alter(json.loads(path.read_text())))
    with pytest.raises(al.InputError, match=message):
        al.check_baseline(run(), path)


def test_F174_a_huge_file_is_not_read(path):
    os.truncate(path, 30_000_000)
    with pytest.raises(al.InputError, match="30,000,000 bytes, more than 20,000,000"):
        al.check_baseline(run(), path)


def test_no_text_is_refused(path):
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(al.InputError, match=r"is no UTF-8 text|is no JSON"):
        al.check_baseline(run(), path)


# How it shows itself.


def test_names_are_escaped(tmp_path):
    name = "<script>|`x`"
    path = al.write_baseline(run(Mix(name=name)), tmp_path / "x.json")
    check = al.check_baseline(run(Mix(name=name, stocks=0.5)), path)
    assert "<script>" not in check_html(check)
    page = markdown_summary([(name, {"result": "moved", "since": "2004", "changes": "a\n| b"})])
    row = page.splitlines()[-2]
    assert row == r"| &lt;script&gt;\|\`x\` | **moved** | 2004 |  | a \| b |"
    assert "1 checked, 1 not as they were" in page

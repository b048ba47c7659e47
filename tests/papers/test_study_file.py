"""Study files: what a key means, and that nothing but a refusal comes of what is wrong."""

import contextlib
import dataclasses
import json
import tempfile
import types
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator import studies
from allocator.papers.study import read_study
from strategies import LedoitWolfCovariance, RegimeSwitch, RiskParity, SixtyForty

BASE = 'title = "t"\nseed = 0\n[data]\nhistory = "us_history"\n[[strategies]]\nclass = "SixtyForty"\n'


def read(text):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_study(path)


def test_a_class_is_made_with_its_parameters():
    text = """[[strategies]]
    class = "RiskParity"
    assets = ["stocks", "gold"]
    covariance = { class = "LedoitWolfCovariance" }
    name = "mine"
    """
    assert read(BASE + text).strategies == (
        SixtyForty(),
        RiskParity(("stocks", "gold"), covariance=LedoitWolfCovariance(), name="mine"),
    )


def test_a_rule_of_regimes_is_a_function_with_its_parameters():
    text = """[[strategies]]
    class = "RegimeSwitch"
    rule = { function = "inflation_level", threshold = 0.05 }
    otherwise = { class = "SixtyForty", stock_weight = 0.3 }
    [strategies.strategies]
    "inflation under 5%" = { class = "FixedMix", mix = { stocks = 1.0 } }
    """
    market = al.load_us_history()
    (_, switch) = read(BASE + text).strategies
    assert isinstance(switch, RegimeSwitch)
    assert dict(switch.weights(market.until("2020"))) == {"stocks": 1.0}
    assert dict(switch.weights(market.until("1980"))) == {"stocks": 0.3, "bonds": 0.7}


def test_a_run_has_rules_and_costs():
    text = """[[runs]]
    name = "One, dear"
    lag = 1
    rebalancing = [{ class = "Yearly" }, { class = "Band", width = 0.05, on = { class = "Monthly" } }]
    costs = { trading = 0.001, bid_ask = { stocks = 0.002, bonds = 0.001 } }
    """
    (run,) = read(BASE + text).runs
    assert run.rebalancing == al.Yearly() | al.Band(0.05, on=al.Monthly())
    assert run.costs == al.Costs(trading=0.001, bid_ask={"stocks": 0.002, "bonds": 0.001})
    assert (run.slug, run.lag) == ("one-dear", 1)


def test_dates_are_dates_or_texts():
    dated = read(BASE.replace("[data]", "[window]\nstart = 1980-01-01\nend = '2010'\n[data]"))
    assert (dated.start, dated.end) == ("1980-01-01", "2010")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BASE.replace("seed = 0", "sede = 0"), r"study\.sede: is not known; did you mean 'seed'"),
        (BASE.replace("seed = 0", ""), r"study\.seed: is missing"),
        (BASE.replace("seed = 0", "seed = -1"), "seed: is -1; write a whole number"),
        (BASE.replace("seed = 0", "seed = true"), "seed: is True"),
        (BASE.replace('"t"', "3"), "title: is a int, not a text"),
        (BASE.replace('"us_history"', '"eu"'), r"data\.history: 'eu' is not embedded"),
        (BASE.replace("history =", "file = 'a.csv'\nhistory ="), "names 2 sources of data"),
        (BASE.replace('history = "us_history"', "file = 'a.csv'"), r"data\.columns: is missing"),
        (BASE.replace('history = "us_history"', "columns = {}"), "names 0 sources"),
        (BASE.replace("[data]", "[data]\nsha = 'a'"), r"data\.sha: is not known; did you mean 'sha256'"),
        (BASE.replace("SixtyForty", "SixtyFourty"), r"strategies\[0\]\.class: .*did you mean 'SixtyForty'"),
        (BASE.replace("SixtyForty", "os.system"), "'os.system' is not known"),
        (BASE.replace("SixtyForty", "subprocess:Popen"), "'subprocess:Popen' is not known"),
        (BASE.replace("SixtyForty", "default_study"), "'default_study' is not known"),
        (BASE.replace("SixtyForty", "GoldRule"), "'GoldRule' is not known"),
        (BASE.replace("SixtyForty", "Bounds"), "'Bounds' is no strategy, but a part of one"),
        (BASE + "stock_wieght = 0.5", r"strategies\[0\]\.stock_wieght: .*did you mean 'stock_weight'"),
        (BASE + "stock_weight = 60", r"strategies\[0\]\.stock_weight: "),
        (BASE + "stock_weight = [[]]", r"strategies\[0\]"),
        (BASE.replace("SixtyForty", "PermanentPortfolio") + "gold = { a = 1 }", "cannot be made: TypeError"),
        (BASE + "stock_weight = nan", "is nan; write a finite number"),
        (BASE + "name = { function = 'eval' }", r"name\.function: 'eval' is not known"),
        (BASE + "[[runs]]\nname = 'a'\n[[runs]]\nname = 'A'", "runs: two are called 'a'"),
        (BASE + "[[runs]]\nname = '?'", r"runs\[0\]\.name: '\?' is no name"),
        (BASE + "[[runs]]\nname = 'a'\ncosts = { traiding = 0 }", r"costs\.traiding: .*'trading'"),
        (BASE + "[[runs]]\nname = 'a'\ncosts = { trading = 5 }", r"costs\.trading: 5 is more than 5%"),
        (BASE + "[[runs]]\nname = 'a'\nrebalancing = 'Yearly'", 'is no rule; write { class = "Yearly" }'),
        (BASE + "[[runs]]\nname = 'a'\nrebalancing = { class = 'SixtyForty' }", "'SixtyForty' is not known"),
        (BASE + "[[regimes]]\nfunction = 'inflation_levl'", "did you mean 'inflation_level'"),
        (BASE + "[[regimes]]\nthreshold = 0.1", r"regimes\[0\]\.function: is missing"),
        (BASE + "[[regimes]]\nfunction = 'eras'\nmarket = 1", r"regimes\[0\]\.market: is not known"),
        (BASE + "[[tests]]\nkind = 'sharpe'", r"tests\[0\]\.kind: 'sharpe' is not known"),
        (BASE + "[[tests]]\nkind = 'leverage'", r"tests\[0\]\.strategies: is missing"),
        (BASE + "[[tests]]\nkind = 'article'\nname = '../x'", "'../x' is no name"),
        (BASE + "[[tests]]\nkind = 'article'\n[[tests]]\nkind = 'article'", "two are called 'article'"),
        (BASE + "[[tests]]\nkind = 'sharpe_differences'\nn_resamples = 10000000", "n_resamples: is 10000000"),
        (BASE + "[[tests]]\nkind = 'sharpe_differences'\nperiods = [1]", "is no list of pairs"),
        ("figures = ['growht']\n" + BASE, "'growht' is not known; did you mean 'growth'"),
        ('title = "t"\nseed = 0\n[data]\nhistory = "us_history"', "strategies: there are none"),
        (BASE.replace('history = "us_history"', 'folder = "x"') + "[[tests]]\nkind = 'additions'\n"
         "base = {}\nassets = []\nweight = 0.1\nfunded_from = 'a'", "is no market"),
        ("a = ", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
        ("a = " + "[" * 30 + "]" * 30, "nested more than 12 deep"),
        ("a = 1979-05-27T07:32:00Z", "is no date"),
        ("a = 9007199254740993", "beyond 2"),
        ("a = " + "9" * 5000, "is not TOML"),
        ("a = '" + "x" * 20_000 + "'", "more than 10,000"),
        ("# " + "x" * 2**18, "has 262,146 bytes, more than 262,144"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_its_place(text, message):
    with pytest.raises(al.InputError, match=message):
        read(text)


def module(**classes):
    made = types.ModuleType("mine")
    made.__all__ = list(classes)
    vars(made).update(classes)
    return made


def test_another_package_may_offer_strategies(monkeypatch):
    @dataclasses.dataclass(frozen=True)
    class Mine(al.Strategy):
        share: float = 0.5
        name: str = "mine"

        def weights(self, past):
            return {"stocks": self.share}

    monkeypatch.setattr(studies, "strategy_modules", lambda: {"mine": module(Mine=Mine, read=read)})
    text = BASE.replace("SixtyForty", "Mine")
    assert read(text + "share = 0.25").strategies == (Mine(0.25),)
    with pytest.raises(al.InputError, match="'read' is not known; known: FixedMix, Mine"):
        read(BASE.replace("SixtyForty", "read"))


def test_two_classes_of_one_name_are_refused(monkeypatch):
    other = dataclasses.make_dataclass("SixtyForty", [])
    monkeypatch.setattr(
        studies,
        "strategy_modules",
        lambda: {"a": module(SixtyForty=SixtyForty), "b": module(SixtyForty=other)},
    )
    with pytest.raises(al.InputError, match=r"'SixtyForty' is in strategies\.sixty_forty and in "):
        read(BASE)


def test_without_strategies_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(studies, "strategy_modules", dict)
    with pytest.raises(al.InputError, match="none are installed; pip install"):
        read(BASE)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(al.InputError, match="no such file"):
        al.reproduce(tmp_path / "none.toml", tmp_path / "out")
    with pytest.raises(al.InputError, match="is a directory"):
        al.reproduce(tmp_path, tmp_path / "out")
    with pytest.raises(al.InputError, match="pass the path"):
        al.reproduce(3, tmp_path / "out")
    with pytest.raises(al.InputError, match="study: "):
        al.reproduce("a\0b", tmp_path / "out")


VALUES = st.recursive(
    st.one_of(
        st.booleans(), st.integers(-9, 9), st.floats(-2, 2), st.sampled_from(["", "x", "stocks", "1980"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["class", "function", "name", "stocks", "width"]), inner, max_size=3),
    ),
    max_leaves=6,
)
KEYS = ["window", "strategies", "runs", "regimes", "tests", "figures", "data", "title", "note"]
INNER = [
    "class",
    "name",
    "kind",
    "assets",
    "costs",
    "rebalancing",
    "function",
    "periods",
    "base",
    "covariance",
]
NAMED = st.sampled_from(
    ["RiskParity", "Blend", "EstimatorStrategy", "RegimeSwitch", "leverage", "weight_curve"]
)
ENTRIES = st.lists(st.dictionaries(st.sampled_from(INNER), VALUES | NAMED, max_size=4), max_size=2)


def as_toml(value):
    """Return a value as inline TOML; JSON's texts, numbers and lists are the same."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES | ENTRIES, min_size=1, max_size=4))
def test_whatever_a_file_holds_only_refusals_come_out(changes):
    whole = {
        "title": "t",
        "seed": 0,
        "data": {"history": "us_history"},
        "strategies": [{"class": "SixtyForty"}],
    }
    text = "\n".join(f"{key} = {as_toml(value)}" for key, value in {**whole, **changes}.items())
    with contextlib.suppress(al.InputError):
        read(text)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60))
def test_whatever_bytes_a_file_has_only_refusals_come_out(data):
    with pytest.raises(al.InputError):
        read(data)

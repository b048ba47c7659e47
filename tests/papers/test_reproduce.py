"""Reproducing a study: the numbers are those of the library, the bytes are the same, the folder is whole."""

import hashlib
import json
import os
import pathlib
import re

import matplotlib
import numpy as np
import pandas as pd
import pytest

import allocator as al
from allocator.__main__ import main
from allocator.papers.pictures import _picture
from allocator.papers.study import read_study
from strategies import RiskParity, SixtyForty

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "papers"
LEVERED = RiskParity(("stocks", "bonds"), target_volatility=0.10, name="levered, 50% & more_")
RULES = {"rebalancing": al.Yearly(), "start": "1980"}
FREE, DEAR = al.Costs(0.0, 0.0), al.Costs(0.001, 0.02)
PRICES = "date,A,B,T\n" + "".join(
    f"{1990 + k}-12-31,{100 * 1.07**k * (1 + 0.1 * (k % 3)):.4f},{50 * 1.03**k:.4f},{1.02**k:.6f}\n"
    for k in range(30)
)
OWN = """
title = "Own prices"
seed = 0
[data]
file = "prices.csv"
columns = { stocks = "A", bonds = "B" }
cash = "T"
[[strategies]]
class = "SixtyForty"
"""


def results(folder, name):
    """Return a table of a manifest."""
    table = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["results"][name]
    return pd.DataFrame(table["rows"], columns=table["columns"])


def same(found, expected):
    np.testing.assert_array_equal(found.astype(float), np.asarray(expected, dtype=float))


def test_performance_is_that_of_compare_under_each_run(whole):
    folder, _ = whole
    found = results(folder, "performance")
    for name, costs in (("free", FREE), ("dear", DEAR)):
        expected = al.compare([SixtyForty(), LEVERED], al.load_us_history(), costs=costs, **RULES).table
        mine = found[found["run"] == name]
        assert mine["strategy"].tolist() == list(expected.index)
        for column in ("cagr", "sharpe", "max_drawdown", "interest_paid", "n"):
            same(mine[column], expected[column])


def test_differences_are_those_of_compare_sharpe(whole):
    folder, _ = whole
    comparison = al.compare([SixtyForty(), LEVERED], al.load_us_history(), costs=DEAR, **RULES)
    bootstrap = al.StudentizedBootstrap(n_resamples=199, seed=7)
    spans = [(None, "1999"), ("2000", None)]
    expected = al.compare_sharpe(comparison, spans, bootstrap=bootstrap).table
    found = results(folder, "differences").query("run == 'dear'")
    for column in ("difference", "low", "high", "p_value", "p_family", "n"):
        same(found[column], expected[column])


def test_regimes_leverage_and_additions_are_those_of_the_library(whole):
    folder, _ = whole
    market = al.load_us_history()
    regimes, returns = al.inflation_level(market, 0.03), market.returns
    pair = (returns["stocks"], returns["bonds"], regimes)
    expected = al.conditional_correlation(*pair, n_resamples=199, seed=7)
    same(results(folder, "regime_correlation")["low"], expected.table["low"])
    run = al.run_backtest(LEVERED, market, costs=DEAR, **RULES)
    parts = results(folder, "leverage").query("run == 'dear'")
    same(parts["annual"], al.attribute_leverage(run, seed=7).table["annual"])
    curve = results(folder, "gold").query("run == 'free'")
    mix = al.FixedMix({"stocks": 0.6, "bonds": 0.2, "gold": 0.2}, name="20.00%")
    alone = al.compare([mix], market, costs=FREE, **RULES)
    assert curve.set_index("weight").loc[0.2, "sharpe"] == alone.table["sharpe"].iloc[0]
    assert results(folder, "additions")["asset"].tolist() == ["gold", "developed"] * 2
    held = results(folder, "regime_performance")
    assert held.groupby(["run", "strategy"])["n"].sum().tolist() == [46] * 4


def test_every_table_is_there_as_latex_markdown_and_csv_and_every_figure_twice(whole):
    folder, found = whole
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in found.files}
    for table in found.tables:
        assert {f"{table.name}.{kind}" for kind in ("tex", "md", "csv")} <= names
    for run in ("free", "dear"):
        assert (folder / f"gold-{run}.pdf").read_bytes().startswith(b"%PDF")
        assert (folder / f"gold-{run}.png").read_bytes().startswith(b"\x89PNG")
    tex = (folder / "performance.tex").read_text(encoding="utf-8")
    assert r"levered, 50\% \& more\_" in tex


def test_a_figure_is_drawn_for_each_run(written, tmp_path):
    runs = "".join(f'[[runs]]\nname = "Run {k}"\ncosts = {{ trading = 0.0{k} }}\n' for k in (1, 2))
    text = written().read_text().replace("seed = 0", 'seed = 0\nfigures = ["growth"]') + runs
    found = al.reproduce(written(text), tmp_path / "out")
    drawn = [path.name for path in found.files if path.suffix in {".pdf", ".png"}]
    assert drawn == ["growth-run-1.pdf", "growth-run-1.png", "growth-run-2.pdf", "growth-run-2.png"]
    one, two = (found.manifest.parent / name for name in drawn[::2])
    assert one.read_bytes() != two.read_bytes()


def test_the_csv_has_the_digits_of_the_manifest(whole):
    folder, _ = whole
    rows = pd.read_csv(folder / "differences.csv")
    same(rows["difference"], results(folder, "differences")["difference"])


def test_the_manifest_says_what_went_in(whole):
    folder, _ = whole
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 7
    assert manifest["data"]["first"] == "1927-12-31"
    assert {"stocks", "cash (returns)", "signal inflation"} <= set(manifest["data"]["columns"])
    assert manifest["versions"]["numpy"] == np.__version__
    assert set(manifest["code"]) == {"allocator", "strategies"}
    assert any("borrowing at cash + 2.00%" in line for line in manifest["conventions"]["performance"])
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert set(manifest["files"]) | {"manifest.json"} == {path.name for path in folder.iterdir()}


def test_nothing_names_a_place_a_person_or_an_hour(whole):
    folder, _ = whole
    for path in folder.iterdir():
        data = path.read_bytes()
        assert str(folder.parent).encode() not in data, path
        assert b"CreationDate" not in data
        assert b"matplotlib v" not in data.lower(), path


def test_the_same_study_gives_the_same_bytes(whole, tmp_path):
    folder, _ = whole
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 30.0, "pdf.compression": 0}):
        al.reproduce(folder / "study.toml", tmp_path / "again")
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_own_prices_are_known_again_by_their_content(written, tmp_path):
    (tmp_path / "prices.csv").write_text(PRICES)
    found = al.reproduce(written(OWN), tmp_path / "one")
    digest = json.loads(found.manifest.read_text())["data"]["sha256"]
    (tmp_path / "prices.csv").write_text(PRICES.replace("\n", "\r\n").replace("1.000000", "1.0"))
    pinned = OWN.replace("[data]", f'[data]\nsha256 = "{digest}"')
    al.reproduce(written(pinned), tmp_path / "two")
    (tmp_path / "prices.csv").write_text(PRICES.replace("1.020000", "1.020001"))
    with pytest.raises(al.InputError, match=r"data\.sha256: the data have [0-9a-f]{64}, the study was"):
        al.reproduce(written(pinned), tmp_path / "three")


def test_data_that_are_not_there_are_refused(written, tmp_path):
    with pytest.raises(al.InputError, match=r"prices\.csv.*no such file"):
        al.reproduce(written(OWN), tmp_path / "out")
    (tmp_path / "prices.csv").write_text(PRICES)
    with pytest.raises(al.InputError, match="B2"):
        al.reproduce(written(OWN.replace('"B"', '"B2"')), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_there_is_not_replaced_unless_asked(little, written):
    with pytest.raises(al.InputError, match="exists; choose another, or pass --overwrite"):
        al.reproduce(written(), little)
    text = written().read_text().replace("Two strategies", "Two others")
    al.reproduce(written(text), little, overwrite=True)
    assert "Two others" in (little / "manifest.json").read_text()
    assert [path.name for path in little.parent.iterdir() if path.name.startswith(".")] == []


def test_a_folder_with_something_else_in_it_is_never_replaced(little, written, tmp_path):
    (little / "thesis.tex").write_text("years of work")
    with pytest.raises(al.InputError, match=r"also holds 'thesis\.tex'"):
        al.reproduce(written(), little, overwrite=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(al.InputError, match=r"holds no manifest\.json"):
        al.reproduce(written(), tmp_path / "mine", overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(al.InputError, match="is there and no folder"):
        al.reproduce(written(), tmp_path / "file", overwrite=True)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_an_empty_folder_is_used(written, tmp_path):
    (tmp_path / "empty").mkdir()
    assert al.reproduce(written(), tmp_path / "empty").manifest.is_file()


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("begin", ["nothing", "earlier"])
def test_an_interruption_leaves_nothing_half_written(monkeypatch, written, tmp_path, failure, begin):
    study, out = written(), tmp_path / "in" / "out"
    if begin == "earlier":
        al.reproduce(study, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else None
    synced, calls = os.fsync, []

    def fail_at_the_third(file):
        calls.append(file)
        if len(calls) == 3:
            raise failure
        synced(file)

    monkeypatch.setattr(os, "fsync", fail_at_the_third)
    with pytest.raises(al.InputError if isinstance(failure, OSError) else KeyboardInterrupt):
        al.reproduce(study, out, overwrite=True)
    assert len(calls) == 3
    after = {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else None
    assert after == before
    assert [path for path in out.parent.iterdir() if path.name.startswith(".")] == []


def test_the_record_prints_its_tables(whole):
    _, found = whole
    text, page = repr(found), found._repr_html_()
    assert re.search(r"free +60/40 +\d", text)
    assert "borrowing at cash + 2.00%" in text
    assert "levered, 50% &amp; more_" in page


def test_the_command_writes_and_refuses_in_one_line(written, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = str(written(name="two.toml"))
    assert main(["reproduce", study]) == 0
    assert "written to two: study.toml, performance.tex" in capsys.readouterr().out
    assert main(["reproduce", study]) == 2
    assert main(["reproduce", study, "--overwrite"]) == 0
    assert main(["reproduce", "none.toml"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert errors[0].startswith("allocator: out: ")
    assert errors[1].startswith("allocator: study: 'none.toml' cannot be opened")


ADDED = 'base = { stocks = 0.6, bonds = 0.4 }\nfunded_from = "bonds"\nn_resamples = 99\n'
CURVE = f'kind = "weight_curve"\nasset = "gold"\n{ADDED}'


@pytest.mark.parametrize(
    "test",
    [
        'kind = "sharpe_differences"\nperiods = [["x", "y"]]',
        'kind = "sharpe_differences"\nperiods = [[1, 2]]',
        'kind = "sharpe_differences"\nperiods = [["1800", "1801"]]',
        'kind = "sharpe_differences"\nbaseline = 3',
        'kind = "sharpe_differences"\nconfidence = "a"',
        'kind = "sharpe_differences"\nblock_length = "a"',
        'kind = "sharpe_differences"\nblock_length = 1.5',
        'kind = "sharpe_differences"\nby_regime = true',
        'kind = "regime_performance"',
        'kind = "regime_correlation"\nx = 3',
        'kind = "leverage"\nstrategies = ["none"]',
        'kind = "leverage"\nstrategies = [[1]]',
        'kind = "leverage"\nstrategies = []',
        'kind = "leverage"\nstrategies = 3',
        f"{CURVE}weights = []",
        f'{CURVE}weights = ["a"]',
        f"{CURVE}weights = [[0.1]]",
        f"{CURVE}weights = 0.1",
        f"{CURVE}weights = [0.9]",
        CURVE.replace("0.6", '"a"') + "weights = [0.1]",
        CURVE.replace("gold", "silver") + "weights = [0.1]",
        f'kind = "additions"\n{ADDED}assets = [1]\nweight = 0.1',
        f'kind = "additions"\n{ADDED}assets = "gold"\nweight = "a"',
        f'kind = "additions"\n{ADDED}assets = ["gold"]\nweight = {{}}',
    ],
)
def test_a_test_that_cannot_be_made_is_refused_and_nothing_is_written(written, tmp_path, test):
    text = written().read_text() + f"[[tests]]\n{test}\n"
    with pytest.raises(al.InputError):
        al.reproduce(written(text), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_the_examples_are_studies(example):
    assert read_study(example).strategies


def test_an_interval_without_ends_is_left_out_of_the_picture():
    rows = pd.DataFrame({"span": ["a", "b", "c"], "strategy": "x", "difference": [0.1, 0.2, np.nan]})
    picture = _picture(rows.assign(low=[0.0, -np.inf, np.nan], high=[0.3, np.inf, np.nan]))
    assert picture.data.index.tolist() == ["a, x"]

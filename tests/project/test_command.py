"""The command line, as a person uses it: the files it writes, and one clear line when it refuses."""

import pathlib
import time

import numpy as np
import pandas as pd
import pytest

from allocator.__main__ import main

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
FILES = {
    "index.html",
    "growth.png",
    "drawdown.png",
    "weights.png",
    "regime_correlation.png",
    "summary.csv",
    "regime_correlation.csv",
    "regime_performance.csv",
    "sharpe_differences.csv",
}


@pytest.fixture
def own_prices(tmp_path):
    """Five years of days of five assets and a bill fund, as CSV."""
    rng = np.random.default_rng(5)
    dates = pd.bdate_range("2015-01-01", periods=1500, name="date")
    steps = rng.normal(2e-4, 0.01, (1500, 5))
    frame = pd.DataFrame(100 * np.exp(np.cumsum(steps, axis=0)), dates, ["SPY", "IEF", "GLD", "EFA", "DBC"])
    frame["BIL"] = 100 * 1.0001 ** np.arange(1500)
    path = tmp_path / "prices.csv"
    frame.to_csv(path)
    return path


def roles(path, out, *more):
    named = ["--stocks", "SPY", "--bonds", "IEF", "--gold", "GLD", "--cash", "BIL", "--also", "EFA", "DBC"]
    return ["--data", str(path), *named, "--out", str(out), *more]


def refused(capsys, arguments):
    try:
        code = main(arguments)
    except SystemExit as stop:  # argparse
        code = stop.code
    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    return printed.err


def test_the_default_study_writes_all_it_promises(tmp_path, capsys):
    out = tmp_path / "report"
    assert main(["--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == FILES
    for needed in (
        "60/40",
        "Risk parity",
        "Gold-diversified",
        "Sharpe",
        "p of equal correlation",
        "costs:",
        "timing:",
    ):
        assert needed in printed
    summary = pd.read_csv(out / "summary.csv")
    assert {"strategy", "cagr", "volatility", "sharpe", "sharpe_se", "max_drawdown", "turnover"} <= set(
        summary
    )
    assert summary["max_drawdown"].between(-1, 0).all()
    assert summary["cagr"].between(0.0, 0.2).all()
    correlation = pd.read_csv(out / "regime_correlation.csv")
    assert list(correlation.columns[:5]) == ["regime", "n", "correlation", "low", "high"]
    estimated = correlation.dropna(subset=["correlation"])
    assert (estimated["low"] <= estimated["correlation"]).all()
    assert (estimated["correlation"] <= estimated["high"]).all()


def test_the_same_command_writes_the_same_bytes(tmp_path, capsys):
    for name in ("a", "b"):
        assert main(["--out", str(tmp_path / name)]) == 0
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_own_prices(own_prices, tmp_path, capsys, suffix):
    path = own_prices
    if suffix == "parquet":
        path = own_prices.with_suffix(".parquet")
        pd.read_csv(own_prices, index_col="date", parse_dates=True).to_parquet(path)
    assert main(roles(path, tmp_path / suffix)) == 0
    assert "prices." + suffix in capsys.readouterr().out
    assert "month_end_correlation" in pd.read_csv(tmp_path / suffix / "regime_correlation.csv")


def test_rules_costs_lag_start_and_a_cash_rate(own_prices, tmp_path, capsys):
    more = [
        "--rebalance",
        "quarterly",
        "--cost-bps",
        "20",
        "--lag",
        "2",
        "--start",
        "2018-06",
        "--end",
        "2019",
    ]
    arguments = [a if a != "BIL" else "0.02" for a in roles(own_prices, tmp_path / "r", *more)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    for needed in ("Quarterly()", "20 bp", "2 rows later", "2018-05-31 to 2019-12-31", "0.02 a year"):
        assert needed in printed


def test_dates_written_otherwise(own_prices, tmp_path, capsys):
    frame = pd.read_csv(own_prices, parse_dates=["date"])
    frame.assign(date=frame["date"].dt.strftime("%d.%m.%Y")).to_csv(tmp_path / "german.csv", index=False)
    assert "date_format='%d.%m.%Y'" in refused(capsys, roles(tmp_path / "german.csv", tmp_path / "a"))
    assert main(roles(tmp_path / "german.csv", tmp_path / "a", "--date-format", "%d.%m.%Y")) == 0
    assert main(roles(own_prices, tmp_path / "b")) == 0
    assert (tmp_path / "a/summary.csv").read_bytes() == (tmp_path / "b/summary.csv").read_bytes()


def test_a_bill_fund_that_lists_late(own_prices, tmp_path, capsys):
    frame = pd.read_csv(own_prices)
    frame.loc[:99, "BIL"] = np.nan
    frame.to_csv(tmp_path / "late.csv", index=False)
    message = refused(capsys, roles(tmp_path / "late.csv", tmp_path / "o"))
    for needed in ("--cash", "'BIL'", "100 of the 1500 rows", "2015-01-01", "0.03"):
        assert needed in message


def test_a_column_that_ends_early(own_prices, tmp_path, capsys):
    frame = pd.read_csv(own_prices)
    frame.loc[1400:, "DBC"] = np.nan
    frame.to_csv(tmp_path / "ends.csv", index=False)
    message = refused(capsys, roles(tmp_path / "ends.csv", tmp_path / "o"))
    for needed in ("--data['DBC']", "no price after", "--end"):
        assert needed in message
    assert "Market(" not in message


def test_assets_that_list_late_in_a_wide_file(own_prices, tmp_path, capsys):
    frame = pd.read_csv(own_prices)
    frame["OLD"] = 1.0
    frame.loc[:49, ["SPY", "IEF", "GLD", "EFA", "DBC", "BIL"]] = np.nan
    frame.loc[:299, "DBC"] = np.nan
    frame.to_csv(tmp_path / "wide.csv", index=False)
    assert main(roles(tmp_path / "wide.csv", tmp_path / "o")) == 0


def test_more_cost_leaves_less(own_prices, tmp_path, capsys):
    for cost in ("0", "50"):
        main(roles(own_prices, tmp_path / cost, "--cost-bps", cost))
    free, costly = (pd.read_csv(tmp_path / c / "summary.csv")["cagr"] for c in ("0", "50"))
    assert (costly < free).all()


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({"--stocks": "SPX"}, ["SPX", "SPY"]),
        ({"--data": "nowhere.csv"}, ["nowhere.csv"]),
        ({"--cash": "3"}, ["cash", "percent"]),
        ({"--gold": "SPY"}, ["SPY"]),
        ({"--start": "soon"}, ["start", "soon"]),
        ({"--start": "2015-02"}, ["start", "Risk parity", "2017-11-28"]),
        ({"--start": "2030"}, ["start", "2030"]),
        ({"--cost-bps": "-1"}, ["--cost-bps", "-1"]),
        ({"--cost-bps": "900"}, ["--cost-bps", "900"]),
        ({"--cost-bps": "nan"}, ["--cost-bps", "nan"]),
        ({"--start": "2019", "--end": "2018"}, ["--start", "2019", "--end", "2018"]),
        ({"--end": "1990"}, ["--end", "1990"]),
        ({"--seed": "-1"}, ["--seed", "-1"]),
        ({"--date-format": "%d/%m"}, ["date_format", "%d/%m"]),
        ({"--lag": "-1"}, ["lag"]),
        ({"--rebalance": "monthyl"}, ["monthyl"]),
        ({"--lag": "one"}, ["one"]),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(own_prices, tmp_path, capsys, change, needed):
    arguments = roles(own_prices, tmp_path / "out")
    for name, value in change.items():
        if name in arguments:
            arguments[arguments.index(name) + 1] = value
        else:
            arguments += [name, value]
    message = refused(capsys, arguments)
    for text in needed:
        assert text in message


def test_a_role_that_is_missing(own_prices, capsys):
    assert "--stocks" in refused(capsys, ["--data", str(own_prices)])
    assert "--data" in refused(capsys, ["--stocks", "SPY"])


def test_a_wrong_frequency(own_prices, tmp_path, capsys):
    frame = pd.read_csv(own_prices)
    frame.iloc[::9].to_csv(tmp_path / "ninth.csv", index=False)
    assert "step of" in refused(capsys, roles(tmp_path / "ninth.csv", tmp_path / "o"))
    pd.concat([frame.iloc[:1000], frame.iloc[1000::30]]).to_csv(tmp_path / "mixed.csv", index=False)
    assert "mixed frequency" in refused(capsys, roles(tmp_path / "mixed.csv", tmp_path / "o"))
    assert "Monthly() is finer" in refused(capsys, ["--rebalance", "monthly", "--out", str(tmp_path / "o")])


def test_a_file_that_is_no_table(tmp_path, capsys):
    for name, content in {
        "a.csv": b"",
        "b.csv": b"\xff\xfe\x00",
        "c.parquet": b"PAR1",
        "d.csv": b"date,SPY\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert name in refused(capsys, roles(tmp_path / name, tmp_path / "o"))


def test_an_output_that_cannot_be_written(own_prices, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert "file" in refused(capsys, roles(own_prices, tmp_path / "file"))


@pytest.mark.skipif(not SHARED.exists(), reason="the real panels are not beside this checkout")
def test_fund_prices_from_2007(tmp_path, capsys):
    begin = time.perf_counter()
    arguments = roles(SHARED / "data/daily_core_balanced.csv", tmp_path / "funds")
    arguments[arguments.index("EFA") : arguments.index("DBC") + 1] = ["EFA", "EEM", "DBC"]
    assert main(arguments) == 0
    print(f"{time.perf_counter() - begin:.1f} s")  # shown with -s; not asserted
    table = pd.read_csv(tmp_path / "funds/regime_correlation.csv").set_index("regime")
    after = table.loc["2022– after the pandemic"]
    assert abs(after["correlation"]) < 0.2  # daily about zero ...
    assert after["month_end_correlation"] > 0.4  # ... monthly strongly positive


@pytest.mark.skipif(not SHARED.exists(), reason="the real panels are not beside this checkout")
def test_month_ends_since_1971(tmp_path, capsys):
    returns = pd.read_csv(SHARED / "data/monthly_eom_1962.csv", index_col="date", parse_dates=True)
    levels = (1.0 + returns).cumprod()
    path = tmp_path / "monthly.csv"
    levels.to_csv(path)
    names = ["--stocks", "US_EQ_ret", "--bonds", "UST10_ret", "--gold", "GOLD_ret", "--cash", "TBILL_ret"]
    more = ["--start", "1971-09", "--cost-bps", "0", "--rebalance", "monthly", "--out", str(tmp_path / "m")]
    assert main(["--data", str(path), *names, *more]) == 0
    table = pd.read_csv(tmp_path / "m/summary.csv").set_index("strategy")
    found = table.loc[["60/40", "Gold-diversified"], ["cagr", "volatility", "max_drawdown"]].round(4)
    assert found.loc["60/40"].tolist() == [0.0958, 0.1021, -0.3022]
    assert found.loc["Gold-diversified"].tolist() == [0.1041, 0.1058, -0.2803]
    by_decade = pd.read_csv(tmp_path / "m/regime_correlation.csv").query("definition == 'Decade'")
    assert by_decade["correlation"].round(2).tolist() == [0.28, 0.19, 0.36, 0.24, -0.36, -0.43, 0.50]

"""`read_prices`: what is refused and in which words, tables come back bit for bit, nothing leaks.

Refusals carry the id of their case in docs/faults.md where there is one.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markets import market_frames

from allocator.errors import AllocatorError, InputError
from allocator.market import files
from allocator.market.files import read_prices
from allocator.market.market import Market

TABLE = "date,SPY,GLD\n2020-01-01,300.5,150\n2020-01-02,301.25,149\n2020-01-03,299,151\n"
# The folder of a test is shared by the examples that Hypothesis tries; each writes the file anew.
in_one_folder = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def write(folder: Path, content: str | bytes, name: str = "prices.csv") -> Path:
    """Write a file and return its path."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def write_arrow(folder: Path, columns: dict[str, pa.Array]) -> Path:
    """Write columns as Parquet and return the path."""
    file = folder / "prices.parquet"
    pq.write_table(pa.table(columns), file)
    return file


def refusal(file: object, columns: object = None, date_format: object = "%Y-%m-%d") -> InputError:
    """What the reader says when it refuses; the message names the file."""
    with pytest.raises(InputError) as caught:
        read_prices(file, columns, date_format=date_format)
    if caught.value.argument == "data" and isinstance(file, Path):
        assert str(file) in str(caught.value)
    return caught.value


def assert_says(error: InputError, *words: str, asset: str | None = None, argument: str = "data") -> None:
    """Check the argument, the asset and parts of the message, and that there is a fix."""
    assert (error.argument, error.asset) == (argument, asset)
    assert error.fix
    for part in words:
        assert part in str(error)


def days(n: int = 3) -> pa.Array:
    """The first days of 2020 as Arrow timestamps."""
    return pa.array(pd.date_range("2020-01-01", periods=n).to_numpy())


# --- what is read ---


def test_a_plain_table(tmp_path):
    prices = read_prices(write(tmp_path, TABLE))
    assert prices.index.tolist() == list(pd.date_range("2020-01-01", periods=3))
    assert (prices.index.name, prices.columns.tolist()) == ("date", ["SPY", "GLD"])
    assert prices.to_numpy().tolist() == [[300.5, 150.0], [301.25, 149.0], [299.0, 151.0]]
    assert Market(prices, 0.02).assets == ("SPY", "GLD")


def test_only_the_wanted_columns_are_read_in_their_order(tmp_path):
    file = write(tmp_path, TABLE.replace("GLD", "note").replace("150", "a word") + "\n\n")
    assert read_prices(file, ["SPY"]).columns.tolist() == ["SPY"]
    file = write(tmp_path, TABLE)
    assert read_prices(str(file), ("GLD", "SPY")).columns.tolist() == ["GLD", "SPY"]


@pytest.mark.parametrize("name", ["date", "Date", "DATE", " date "])
def test_the_column_called_date_holds_the_dates_wherever_it_stands(tmp_path, name):
    file = write(tmp_path, f"SPY,{name}\n1.5,2020-01-01\n1.25,2020-01-02\n")
    assert read_prices(file)["SPY"].tolist() == [1.5, 1.25]


def test_without_one_the_first_column_holds_the_dates(tmp_path):
    assert read_prices(write(tmp_path, TABLE.replace("date", "Datum"))).index.name == "Datum"
    assert read_prices(write(tmp_path, TABLE.replace("date", ""))).index.name is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["prices.csv", "PRICES.CSV", "prices.txt"])
def test_line_ends_and_suffixes(tmp_path, end, name):
    assert len(read_prices(write(tmp_path, TABLE.replace("\n", end), name))) == 3


def test_quoted_cells_and_spaces_around_numbers(tmp_path):
    file = write(tmp_path, 'date,"S&P, 500"\n2020-01-01," 1.5"\n"2020-01-02", 2e3 \n')
    assert read_prices(file)["S&P, 500"].tolist() == [1.5, 2000.0]


def test_another_date_format(tmp_path):
    file = write(tmp_path, "date,SPY\n03/04/2020,1\n06/04/2020,2\n")
    assert read_prices(file, date_format="%d/%m/%Y").index[0] == pd.Timestamp("2020-04-03")
    assert read_prices(file, date_format="%m/%d/%Y").index[0] == pd.Timestamp("2020-03-04")


def test_F047_old_dates_are_read(tmp_path):
    file = write(tmp_path, "date,SPY\n1500-01-01,1\n9999-12-31,2\n")
    assert read_prices(file).index.year.tolist() == [1500, 9999]


def test_a_century_of_days_in_less_than_a_second(tmp_path):
    index = pd.bdate_range("1926-01-01", periods=25_000)
    values = np.random.default_rng(1).lognormal(size=(25_000, 10))
    file = tmp_path / "long.csv"
    pd.DataFrame(values, index=index, columns=list("ABCDEFGHIJ")).to_csv(file)
    start = os.times().user
    assert read_prices(file).shape == (25_000, 10)
    assert os.times().user - start < 2.0  # 0.3 s on the machine it was written on


# --- round trips ---

FLOATS = st.floats(allow_nan=True, allow_infinity=False, width=64)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Any floats under any sensible names: the reader judges files, not prices."""
    names = draw(
        st.lists(
            st.sampled_from(["SPY", "NA", "TRUE", "null", "1", "S&P, 500", 'a"b', "é"]),
            unique=True,
            min_size=1,
        )
    )
    n_rows = draw(st.integers(1, 8))
    cells = [draw(st.lists(FLOATS, min_size=n_rows, max_size=n_rows)) for _ in names]
    index = pd.date_range("2020-01-01", periods=n_rows, name=draw(st.sampled_from([None, "date", "Datum"])))
    return pd.DataFrame(dict(zip(names, cells, strict=True)), index=index.as_unit("us"), dtype=np.float64)


def assert_same_bits(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compare labels, and values down to the sign of zero."""
    assert got.index.equals(expected.index)
    assert (got.index.dtype, got.index.name) == (expected.index.dtype, expected.index.name)
    assert got.columns.tolist() == expected.columns.tolist()
    assert (got.dtypes == np.float64).all()
    values, wanted = got.to_numpy(), expected.to_numpy()
    np.testing.assert_array_equal(values, wanted)
    np.testing.assert_array_equal(
        np.signbit(values[~np.isnan(values)]), np.signbit(wanted[~np.isnan(wanted)])
    )


@in_one_folder
@given(table=tables())
def test_csv_comes_back_bit_for_bit(tmp_path, table):
    table.to_csv(tmp_path / "prices.csv")
    assert_same_bits(read_prices(tmp_path / "prices.csv"), table)


@in_one_folder
@given(table=tables())
def test_parquet_comes_back_bit_for_bit(tmp_path, table):
    table.to_parquet(tmp_path / "prices.parquet")
    assert_same_bits(read_prices(tmp_path / "prices.parquet"), table)


@in_one_folder
@given(table=market_frames(rows=(12, 40)))
def test_what_was_read_makes_the_same_market(tmp_path, table):
    table.to_csv(tmp_path / "prices.csv")
    table.to_parquet(tmp_path / "prices.pq")
    expected = Market(table, 0.02)
    for name in ("prices.csv", "prices.pq"):
        market = Market(read_prices(tmp_path / name), 0.02)
        assert market.index.tolist() == expected.index.tolist()
        np.testing.assert_array_equal(market.levels, expected.levels)


# --- nothing leaks ---


@in_one_folder
@example(content=b'date,SPY\n2020-01-01,"1\n')
@example(content=b"date,SPY\n2020-01-01,1_000\n")
@example(content=b"date,SPY\n2020-01-01,infinity\n")
@example(content=b"date,SPY\n2020-01-01," + b"9" * 200_000 + b"\n")
@example(content=b"\xef\xbb\xbf")
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='date,SPY0123456789-./;\t"\r\n eE+', max_size=200).map(str.encode),
    )
)
def test_any_bytes_as_text_are_read_or_refused(tmp_path, content):
    read_or_refuse(write(tmp_path, content))


@in_one_folder
@example(content=b"PAR1PAR1")
@given(
    content=st.one_of(
        st.binary(max_size=200), st.binary(max_size=200).map(lambda body: b"PAR1" + body + b"PAR1")
    )
)
def test_any_bytes_as_parquet_are_read_or_refused(tmp_path, content):
    read_or_refuse(write(tmp_path, content, "prices.parquet"))


@in_one_folder
@given(data=st.data())
def test_damaged_parquet_is_read_or_refused(tmp_path, data):
    file = write_arrow(tmp_path, {"date": days(), "SPY": pa.array([1.0, 2.0, 3.0])})
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read_or_refuse(write(tmp_path, bytes(content), "damaged.parquet"))


def read_or_refuse(file: Path) -> None:
    """Read the file; anything raised but our own refusal fails the test."""
    try:
        prices = read_prices(file)
    except AllocatorError:
        return
    assert isinstance(prices.index, pd.DatetimeIndex)
    assert all(dtype.kind == "f" for dtype in prices.dtypes)


# --- the path ---


@pytest.mark.parametrize("given", [None, 3, b"prices.csv", ["prices.csv"]])
def test_F169_not_a_path(given):
    assert_says(refusal(given), "expected a path", type(given).__name__)


def test_F169_missing_path(tmp_path):
    assert_says(refusal(tmp_path / "none.csv"), "no such file", "check the path")
    assert_says(refusal("a\0b.csv"), "embedded null")


def test_F169_a_directory(tmp_path):
    (tmp_path / "prices.csv").mkdir()
    assert_says(refusal(tmp_path / "prices.csv"), "is a directory")


@pytest.mark.parametrize("name", ["prices.csv", "prices.pq"])
def test_F169_not_readable(tmp_path, monkeypatch, name):
    file = write(tmp_path, TABLE, name)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert_says(refusal(file), "permission denied")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO on this system")
def test_F172_special_files_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "prices.csv")  # opening it would wait for ever
    assert_says(refusal(tmp_path / "prices.csv"), "not a regular file")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    assert_says(refusal(tmp_path / "zero.csv"), "not a regular file")


@pytest.mark.parametrize("name", ["prices.csv", "prices.parquet"])
def test_F173_empty_file(tmp_path, name):
    assert_says(refusal(write(tmp_path, b"", name)), "is empty")


@pytest.mark.parametrize("content", ["date,SPY", "date,SPY\n", "date,SPY\r\n\r\n"])
def test_F173_header_only(tmp_path, content):
    assert_says(refusal(write(tmp_path, content)), "a header and no rows")


@pytest.mark.parametrize("content", ["\n\ndate,SPY\n", "\n", "\ufeff"])
def test_F173_no_header(tmp_path, content):
    assert_says(refusal(write(tmp_path, content)), "line 1: there is no header")


def test_F173_parquet_without_rows(tmp_path):
    assert_says(
        refusal(write_arrow(tmp_path, {"date": days(0), "SPY": pa.array([], pa.float64())})), "no rows"
    )


def test_F174_bigger_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_MOST_BYTES", 10)
    assert_says(refusal(write(tmp_path, TABLE)), f"has {len(TABLE)} bytes, more than 10")


def test_F175_parquet_with_too_many_cells(tmp_path, monkeypatch):
    file = write_arrow(tmp_path, {"date": days(), "SPY": pa.array([1.0, 2.0, 3.0])})
    monkeypatch.setattr(files, "_MOST_CELLS", 5)
    assert_says(refusal(file), "holds 6 cells, more than 5")


@pytest.mark.parametrize("suffix", [".gz", ".csv.gz", ".zip", ".bz2", ".xz", ".zst"])
def test_F175_compression_is_never_inferred(tmp_path, suffix):
    assert_says(refusal(write(tmp_path, TABLE, f"prices{suffix}")), "unpack it first")


def test_F185_a_pickle_is_never_opened(tmp_path):
    file = write(tmp_path, pickle.dumps(pd.DataFrame({"SPY": [1.0]})), "prices.pkl")
    assert_says(refusal(file), "'.pkl'", "can run code")


@pytest.mark.parametrize("name", ["prices.xlsx", "prices", "prices.feather"])
def test_unknown_suffix(tmp_path, name):
    assert_says(refusal(write(tmp_path, TABLE, name)), "suffix", ".csv, .txt, .parquet, .pq")


# --- the bytes ---


def test_F176_a_byte_order_mark_is_accepted(tmp_path):
    assert read_prices(write(tmp_path, b"\xef\xbb\xbf" + TABLE.encode())).index.name == "date"


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_F176_other_encodings(tmp_path, encoding):
    content = TABLE.replace("SPY", "Börse").encode(encoding)
    offset = 0 if encoding == "utf-16" else content.index(b"\xf6")
    assert_says(refusal(write(tmp_path, content)), f"not UTF-8: byte {offset} is 0x{content[offset]:02x}")


def test_F177_nul_bytes(tmp_path):
    assert_says(
        refusal(write(tmp_path, TABLE.replace("301.25", "301\0.25"))), f"NUL byte at {TABLE.index('.25')}"
    )
    assert_says(refusal(write(tmp_path, TABLE.encode("utf-16-le"))), "NUL byte at 1", "UTF-16")


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_F178_other_delimiters(tmp_path, mark):
    content = TABLE.replace(",", mark).replace(".", ",")
    words = f"separated by {mark!r}", "export it with commas", "decimal points"
    assert_says(refusal(write(tmp_path, content)), *words)


def test_only_dates(tmp_path):
    assert_says(refusal(write(tmp_path, "date\n2020-01-01\n")), "no column beside the dates")


# --- the rows ---


@pytest.mark.parametrize("row", ["2020-01-02,301.25", "2020-01-02,1,234.50,149", "", "2020-01-02"])
def test_F181_ragged_rows(tmp_path, row):
    content = TABLE.replace("2020-01-02,301.25,149", row)
    cells = len(row.split(",")) if row else 0
    assert_says(refusal(write(tmp_path, content)), f"line 3: {cells} cells, where the header has 3")


def test_F182_unclosed_quote(tmp_path):
    assert_says(refusal(write(tmp_path, TABLE.replace("301.25", '"301.25'))), "line 3: ")


def test_F182_quoted_line_break(tmp_path):
    content = TABLE.replace("301.25", '"301\n.25"')
    assert_says(refusal(write(tmp_path, content)), "line 3: a quoted cell runs over the end of the line")


def test_F182_text_after_a_quote(tmp_path):
    assert_says(refusal(write(tmp_path, TABLE.replace("301.25", '"301"25'))), "line 3: ")


# --- the header ---


@pytest.mark.parametrize("columns", [None, ["GLD"]])
def test_F014_duplicate_in_the_raw_header(tmp_path, columns):
    content = TABLE.replace("SPY", "GLD")
    assert_says(refusal(write(tmp_path, content), columns), "'GLD' twice", "rename or drop one", asset="GLD")


def test_F014_duplicate_in_parquet(tmp_path):
    file = tmp_path / "prices.parquet"
    pq.write_table(pa.Table.from_arrays([days(), days(), days()], ["date", "SPY", "SPY"]), file)
    assert_says(refusal(file), "'SPY' twice", asset="SPY")


def test_two_columns_of_dates(tmp_path):
    assert_says(refusal(write(tmp_path, TABLE.replace("SPY", "Date"))), "'date' and 'Date' both claim")


def test_a_column_without_a_name(tmp_path):
    file = write(tmp_path, ",date,SPY\n0,2020-01-01,1\n1,2020-01-02,2\n")  # reset_index().to_csv()
    assert_says(refusal(file), "column 1 has no name")
    assert read_prices(file, ["SPY"])["SPY"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("wanted", "meant"), [("spy", "SPY"), ("GLDD", "GLD"), ("SPY ", "SPY")])
def test_a_wanted_column_that_is_not_there(tmp_path, wanted, meant):
    words = f"no column {wanted!r}", f"did you mean {meant!r}?", "It has 'SPY', 'GLD'"
    assert_says(refusal(write(tmp_path, TABLE), [wanted]), *words, asset=wanted)


def test_a_wanted_column_like_no_other(tmp_path):
    error = refusal(write(tmp_path, TABLE), ["SPY", "bonds"])
    assert_says(error, "It has 'SPY', 'GLD'", asset="bonds")
    assert "did you mean" not in str(error)


@pytest.mark.parametrize("columns", ["SPY", [], ["SPY", "SPY"], [1], 5, [["SPY"]]])
def test_columns_that_are_no_list_of_names(tmp_path, columns):
    assert_says(refusal(write(tmp_path, TABLE), columns), repr(columns), argument="columns")


# --- the dates ---


def test_F007_ambiguous_dates(tmp_path):
    file = write(tmp_path, "date,SPY\n03/04/2020,1\n06/04/2020,2\n")
    fix = "pass date_format='%d/%m/%Y' or date_format='%m/%d/%Y'"
    words = "line 2: '03/04/2020'", "day and month could be confused", fix
    assert_says(refusal(file), *words)


def test_F007_a_format_that_fits_every_date_is_suggested(tmp_path):
    error = refusal(write(tmp_path, "date,SPY\n03/04/2020,1\n16/04/2020,2\n"))
    assert error.fix == "pass date_format='%d/%m/%Y'"


@pytest.mark.parametrize(
    "text",
    ["2020-13-01", "", "yesterday", "20200102", "2020-W01-1", "2020-01-02T00:00", "2020-02-30", "20-01-02"],
)
def test_an_unparseable_date_and_its_line(tmp_path, text):
    content = TABLE.replace("2020-01-02", text)
    assert_says(refusal(write(tmp_path, content)), f"line 3: {text!r} is not a date written as '%Y-%m-%d'")


@pytest.mark.parametrize("date_format", ["%Q", "%d/%m", "%Y-%m-%d %z", "%Y%Y", "", None, 5])
def test_a_date_format_that_is_none(tmp_path, date_format):
    error = refusal(write(tmp_path, TABLE), None, date_format)
    assert_says(error, repr(date_format), argument="date_format")


# --- the cells ---


@pytest.mark.parametrize(
    "raw",
    [
        '"1,234.50"',
        "12%",
        "$5",
        "1_000",
        "infinity",
        "inf",
        "0x1p3",
        "1e4e4",
        "--1",
        "TRUE",
        "٣",
        "1 000",
        "None",
    ],
)
def test_F179_F017_cells_that_are_no_numbers(tmp_path, raw):
    words = f"line 3: {raw.strip(chr(34))!r} on 2020-01-02 is not a number", "thousands separators"
    assert_says(refusal(write(tmp_path, TABLE.replace("301.25", raw))), *words, asset="SPY")


@pytest.mark.parametrize("raw", ["1e400", "-1e400", "9" * 400])
def test_F026_text_beyond_the_largest_float(tmp_path, raw):
    words = f"line 3: '{raw[:37]}", "on 2020-01-02 is beyond the largest float"
    assert_says(refusal(write(tmp_path, TABLE.replace("301.25", raw))), *words, asset="SPY")


def test_the_first_bad_line_of_a_column_is_named(tmp_path):
    assert_says(
        refusal(write(tmp_path, TABLE.replace("149", "x").replace("151", "y"))), "line 3: 'x'", asset="GLD"
    )


@pytest.mark.parametrize("mark", ["", "NA", "N/A", "n/a", "nan", "NaN", ".", "-", "null", " "])
def test_F180_missing_marks(tmp_path, mark):
    prices = read_prices(write(tmp_path, TABLE.replace("301.25", mark)))
    assert prices["SPY"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("name", ["NA", "TRUE", "nan", "null", "-"])
def test_F180_a_header_is_text(tmp_path, name):
    assert read_prices(write(tmp_path, TABLE.replace("SPY", name))).columns.tolist() == [name, "GLD"]


@pytest.mark.parametrize("mark", ["none", "NULL", "#N/A", "missing", "0/0"])
def test_F180_marks_outside_the_list(tmp_path, mark):
    assert_says(refusal(write(tmp_path, TABLE.replace("301.25", mark))), repr(mark), asset="SPY")


# --- Parquet ---


def test_F183_bad_magic(tmp_path):
    assert_says(
        refusal(write(tmp_path, TABLE, "prices.parquet")), "not readable as Parquet", "write it again"
    )


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_F183_cut_short(tmp_path, kept):
    whole = write_arrow(tmp_path, {"date": days(), "SPY": pa.array([1.0, 2.0, 3.0])}).read_bytes()
    file = write(tmp_path, whole[: int(len(whole) * kept)], "cut.parquet")
    assert_says(refusal(file), "not readable as Parquet", "cut short")


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array(["1", "2", "3"]), "string"),
        (pa.array([True, False, True]), "bool"),
        (pa.array([[1.0], [2.0], [3.0]]), "list<"),
        (pa.array([{"a": 1.0}] * 3), "struct<"),
        (pa.array([b"1", b"2", b"3"]), "binary"),
        (pa.array(["a", "b", "a"]).dictionary_encode(), "dictionary<"),
        (pa.array([1, 2, 3], pa.duration("s")), "duration"),
    ],
)
def test_F184_columns_that_are_no_numbers(tmp_path, column, kind):
    file = write_arrow(tmp_path, {"date": days(), "SPY": column, "GLD": pa.array([1.0, 2.0, 3.0])})
    assert_says(refusal(file), f"of type {kind}", "not a number", asset="SPY")
    assert read_prices(file, ["GLD"])["GLD"].tolist() == [1.0, 2.0, 3.0]


def test_F184_extension_types(tmp_path):
    file = tmp_path / "prices.parquet"
    months = pd.period_range("2020-01", periods=3, freq="M")
    pd.DataFrame({"SPY": months}, index=pd.date_range("2020-01-01", periods=3)).to_parquet(file)
    assert_says(refusal(file), "not a number", asset="SPY")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None, 3], pa.int64()),
        pa.array([1, None, 3], pa.uint8()),
        pa.array([1.0, None, 3.0], pa.float32()),
        pa.array([Decimal("1.00"), None, Decimal("3.00")]),
    ],
)
def test_F020_numbers_of_every_kind(tmp_path, column):
    prices = read_prices(write_arrow(tmp_path, {"date": days(), "SPY": column}))
    np.testing.assert_array_equal(prices["SPY"].to_numpy(), [1.0, np.nan, 3.0])


def test_F020_decimals_are_the_nearest_floats(tmp_path):
    column = pa.array([Decimal("0.10"), Decimal("100.30"), Decimal("7.07")])
    assert read_prices(write_arrow(tmp_path, {"date": days(), "SPY": column}))["SPY"].tolist() == [
        0.1,
        100.3,
        7.07,
    ]


def test_F021_float32_stays_so_that_the_market_can_say_so(tmp_path):
    file = write_arrow(tmp_path, {"date": days(), "SPY": pa.array([1.0, 2.0, 3.0], pa.float32())})
    assert Market(read_prices(file), 0.02).notes[0].startswith("float32 prices")


def test_F022_integers_beyond_exact_floats(tmp_path):
    file = write_arrow(tmp_path, {"date": days(), "SPY": pa.array([1, 2**53 + 1, 3])})
    assert_says(refusal(file), "beyond 2**53", str(2**53 + 1), asset="SPY")


@pytest.mark.parametrize(
    "kind", [pa.date32(), pa.date64(), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns")]
)
def test_dates_of_every_kind(tmp_path, kind):
    file = write_arrow(tmp_path, {"SPY": pa.array([1.0, 2.0, 3.0]), "when": days().cast(kind)})
    assert read_prices(file).index.tolist() == list(pd.date_range("2020-01-01", periods=3))


def test_parquet_dates_in_text(tmp_path):
    file = write_arrow(tmp_path, {"date": pa.array(["2020-01-01"] * 3), "SPY": pa.array([1.0, 2.0, 3.0])})
    assert_says(refusal(file), "type string", "pd.to_datetime", asset="date")


@pytest.mark.parametrize("n_dates", [0, 2])
def test_parquet_without_one_column_of_dates(tmp_path, n_dates):
    columns = {f"when{j}": days() for j in range(n_dates)} | {"SPY": pa.array([1.0, 2.0, 3.0])}
    assert_says(refusal(write_arrow(tmp_path, columns)), f"has {n_dates} columns of dates", "call one 'date'")


def test_F043_parquet_dates_in_a_time_zone(tmp_path):
    index = pd.date_range("2020-01-01", periods=3, tz="America/New_York")
    file = tmp_path / "prices.parquet"
    pd.DataFrame({"date": index, "SPY": [1.0, 2.0, 3.0]}).to_parquet(file)
    assert_says(refusal(file), "time zone America/New_York", "session dates", asset="date")


def test_F013_parquet_row_without_a_date(tmp_path):
    dates = pa.array([0, None, 86400], pa.timestamp("s"))
    assert_says(
        refusal(write_arrow(tmp_path, {"date": dates, "SPY": pa.array([1.0, 2.0, 3.0])})), "row 1 has no date"
    )


def test_F047_parquet_dates_that_cannot_be_printed(tmp_path):
    dates = pa.array([0, 1, 2**31 - 1], pa.date32())
    assert_says(refusal(write_arrow(tmp_path, {"date": dates, "SPY": pa.array([1.0, 2.0, 3.0])})), "row 2")


def test_pyarrow_is_imported_only_for_parquet():
    code = "import sys, allocator.market.files; sys.exit('pyarrow.parquet' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

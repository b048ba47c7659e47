"""Verifying: the same numbers, or what differs and why; and nothing but refusals for what is no manifest."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator as al
from allocator.__main__ import main
from allocator.papers import environment, verification


def altered(folder, change):
    """Rewrite a manifest after a change of what it holds."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return path


def test_the_same_study_is_identical(whole):
    folder, _ = whole
    found = al.verify(folder / "manifest.json")
    assert (found.verdict, found.differences, found.changes, found.largest) == ("identical", (), (), 0.0)
    assert found.n > 500
    assert repr(found).startswith("identical: ")


def test_a_rounding_is_equal_within_the_tolerance(little):
    def nudge(manifest):
        rows = manifest["results"]["performance"]["rows"]
        rows[0][1] = float(np.nextafter(rows[0][1], 1.0))

    found = al.verify(altered(little, nudge))
    assert found.verdict == "equal within tolerance"
    assert 0.0 < found.largest < 1e-15
    assert al.verify(little / "manifest.json", tolerance=0.0).verdict == "different"


def test_another_number_is_named_with_its_place(little):
    def lie(manifest):
        manifest["results"]["performance"]["rows"][1][3] += 0.001

    found = al.verify(altered(little, lie))
    assert found.verdict == "different"
    (line,) = found.differences
    assert line.startswith("performance, stocks, sharpe: was ")
    assert "nothing that the manifest records has changed" in repr(found)


def test_a_changed_parameter_is_named(little):
    path = little / "study.toml"
    path.write_text(path.read_text().replace("stocks = 1.0", "stocks = 0.9"))
    found = al.verify(little / "manifest.json")
    assert found.verdict == "different"
    note = """conventions of performance: now say "'stocks': weights: sum to 90%; the rest is cash\""""
    assert found.changes == ("parameters: strategies[1].mix.stocks was 1.0, is 0.9", note)
    assert "study.toml: the file was changed after it was written" in found.differences
    assert any(line.startswith("performance, stocks, cagr: ") for line in found.differences)


def test_changed_data_are_named_by_column(written, tmp_path):
    study = written().read_text().replace('history = "us_history"', 'file = "p.csv"\ncash = 0.02\n'
        'columns = { stocks = "A", bonds = "B" }')  # fmt: skip
    rows = [f"{1990 + k}-12-31,{1.07**k * (1 + k % 3 / 10)},{1.03**k}\n" for k in range(30)]
    (tmp_path / "p.csv").write_text("date,A,B\n" + "".join(rows))
    al.reproduce(written(study), tmp_path / "out")
    assert al.verify(tmp_path / "out" / "manifest.json").verdict == "identical"
    rows[9] = rows[9].replace("1999-12-31,1", "1999-12-31,2")
    (tmp_path / "p.csv").write_text("date,A,B\n" + "".join(rows))
    found = al.verify(tmp_path / "out" / "manifest.json")
    assert found.verdict == "different"
    assert found.changes == ("data: stocks: other dates or values",)
    (tmp_path / "p.csv").write_text("date,A,B\n" + "".join(rows[:-1]))
    assert "data: rows was 30, is 29" in al.verify(tmp_path / "out" / "manifest.json").changes
    (tmp_path / "p.csv").unlink()
    with pytest.raises(al.InputError, match="no such file"):
        al.verify(tmp_path / "out" / "manifest.json")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "p.csv").write_text("date,A,B\n" + "".join(rows))
    assert al.verify(tmp_path / "out" / "manifest.json", data=tmp_path / "elsewhere").n > 0


def test_versions_code_and_machine_are_told(little, monkeypatch):
    monkeypatch.setattr(verification, "versions", lambda: {"python": "CPython 9.9", "numpy": "9"})
    monkeypatch.setattr(verification, "code_digests", lambda: {"allocator": "x", "mine": "y"})
    found = al.verify(little / "manifest.json")
    assert found.verdict == "identical"
    assert any(line.endswith("is CPython 9.9") for line in found.changes)
    assert "code: the source of allocator was changed" in found.changes
    assert any(line.startswith("versions: pandas was") and "is not there" in line for line in found.changes)
    assert "changed since:" in repr(found)


def test_files_beside_the_manifest_are_looked_at(little):
    (little / "performance.csv").unlink()
    (little / "performance.tex").write_text("better")
    assert al.verify(little / "manifest.json").differences == (
        "performance.csv: the file is not there any more",
        "performance.tex: the file was changed after it was written",
    )


def test_tables_and_columns_that_come_and_go_are_told(little):
    def rewrite(manifest):
        table = manifest["results"].pop("performance")
        manifest["results"]["gone"] = table

    found = al.verify(altered(little, rewrite))
    assert "performance: the table was not there" in found.differences
    assert "gone: the table was there, and is no more" in found.differences


def test_conventions_that_are_worded_anew_are_told_and_no_difference(little):
    def reword(manifest):
        manifest["conventions"]["performance"].pop()

    found = al.verify(altered(little, reword))
    assert found.verdict == "identical"
    assert found.changes[0].startswith("conventions of performance: now say 'drawdown from")


def test_the_command_has_three_exit_codes(little, capsys):
    manifest = str(little / "manifest.json")
    assert main(["verify", manifest]) == 0
    assert capsys.readouterr().out.startswith("identical: ")
    (little / "performance.tex").unlink()
    assert main(["verify", manifest]) == 1
    (little / "study.toml").unlink()
    assert main(["verify", manifest]) == 2
    assert main(["verify", "nowhere.json"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert "keep the folder together" in errors[0]


@pytest.mark.parametrize("tolerance", [-1.0, 1.0, float("nan"), "1e-9", True])
def test_a_tolerance_that_is_none_is_refused(little, tolerance):
    with pytest.raises(al.InputError, match="is no relative difference"):
        al.verify(little / "manifest.json", tolerance=tolerance)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format="other"), "is no manifest of a study"),
        (lambda m: m.update(version=2), "is of version 2, this is version 1"),
        (lambda m: m.update(resluts={}), "resluts: is not known; did you mean 'results'"),
        (lambda m: m.pop("data"), r"manifest\.data: is missing"),
        (lambda m: m.update(results=[]), r"manifest\.results: is a list"),
        (lambda m: m["files"].update({"../../etc/passwd": ""}), "is no plain file name"),
        (lambda m: m["files"].update({"a": 3}), r"manifest\.files\.a: is a int"),
        (lambda m: m["study"].pop("folder"), r"manifest\.study\.folder"),
        (lambda m: m["data"].update(columns={"a": []}), r"manifest\.data\.columns"),
        (lambda m: m["results"].update(a={"columns": ["x"], "rows": [[1, 2]]}), "is no row of 1 values"),
        (lambda m: m["results"].update(a={"columns": ["x"], "rows": [[[]]]}), "is no row of 1 values"),
        (lambda m: m["results"].update(a={"columns": 3, "rows": []}), "is no list of names"),
        (lambda m: m["results"].update(a={"rows": []}), r"results\.a\.columns: is missing"),
    ],
)
def test_a_manifest_that_is_none_is_refused(little, change, message):
    with pytest.raises(al.InputError, match=message):
        al.verify(altered(little, change))


@pytest.mark.parametrize("text", ["", "[]", "{", "NaN", "[" * 100_000, "\ud800", '{"format": NaN}'])
def test_what_is_no_json_object_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(
        al.InputError, match=r"is no JSON|is no UTF-8 text|holds a list|is empty|nested too deeply|has NaN"
    ):
        al.verify(tmp_path / "manifest.json")


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_a_manifest_holds_only_refusals_come_out(whole, tmp_path_factory, data):
    folder, _ = whole
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    key = data.draw(st.sampled_from(sorted(set(manifest) - {"format", "version"})))
    manifest[key] = data.draw(ANYTHING)
    path = tmp_path_factory.mktemp("any") / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(al.InputError):  # the study is not beside it, if it gets so far
        al.verify(path)


def test_a_digest_of_code_sees_an_edit_and_no_line_ending(tmp_path):
    path = tmp_path / "inner" / "a.py"
    path.parent.mkdir()
    path.write_bytes(b"x = 1\ny = 2\n")
    first = environment._source_digest(tmp_path)
    path.write_bytes(b"x = 1\r\ny = 2\r\n")
    assert environment._source_digest(tmp_path) == first
    path.write_bytes(b"x = 1\ny = 3\n")
    assert environment._source_digest(tmp_path) != first
    path.write_bytes(b"x = 1\ny = 2\n")
    path.rename(tmp_path / "inner" / "b.py")
    assert environment._source_digest(tmp_path) != first

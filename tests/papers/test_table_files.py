"""Tables for papers: whatever a name holds, LaTeX, Markdown and CSV show it and do nothing else."""

import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import allocator as al
from allocator.report.latex import latex_text

MACROS = {
    r"\textbackslash{}": "\\",
    r"\textasciicircum{}": "^",
    r"\textasciitilde{}": "~",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\texttt{\char34}": '"',
    r"\textasciigrave{}": "`",
    **{f"\\{c}": c for c in "{}$&#%_"},
    **{f"{{{c}}}": c for c in "[]*-"},
}
NAMES = st.text("abZ09 \\{}$&#%_^~<>|\"'`[]*-=+@.,:;!?/()", max_size=30)
TABLE = pd.DataFrame(
    {"strategy": ["60/40", "=cmd()|A1"], "sharpe": [0.5, -0.25], "cagr": [0.091, np.nan], "n": [88, 7]}
)


def read_back(latex):
    """Return what LaTeX sets, or fail where a character would be an instruction."""
    said, rest = "", latex
    while rest:
        macro = next((m for m in sorted(MACROS, key=len, reverse=True) if rest.startswith(m)), None)
        if macro is None:
            assert rest[0] not in '\\{}$&#%_^~<>|"`[]*-', f"{rest[0]!r} is not escaped in {latex!r}"
        said += MACROS[macro] if macro else rest[0]
        rest = rest[len(macro or " ") :]
    return said


@given(NAMES)
def test_latex_sets_any_name_as_it_is_written(name):
    assert read_back(latex_text(name)) == " ".join(name.split())


@given(st.text(max_size=20))
def test_latex_has_balanced_braces_and_one_line_for_any_unicode(name):
    bare = re.sub(r"\\[{}]", "", latex_text(name))
    assert bare.count("{") == bare.count("}")
    assert len(latex_text(name).splitlines()) <= 1
    assert all(ord(c) < 0x180 for c in latex_text(name))  # what pdfLaTeX has


def test_a_character_without_a_glyph_is_written_as_its_code_point():
    assert latex_text("中") == r"\texttt{U+4E2D}"
    assert latex_text("ŉ\x00ą") == r"\texttt{U+0149}\texttt{U+0000}ą"


def test_a_latex_table_has_booktabs_rules_units_and_a_minus_sign():
    lines = al.to_latex(TABLE, "A & B", ["costs: 5 bp."], "tab:one").splitlines()
    assert r"\caption{A \& B}\label{tab:one}" in lines
    assert r"\begin{tabular}{@{}lrrr@{}}" in lines
    assert [lines.index(rf"\{rule}") for rule in ("toprule", "midrule", "bottomrule")] == sorted(
        lines.index(rf"\{rule}") for rule in ("toprule", "midrule", "bottomrule")
    )
    assert r"60/40 & 0.50 & 9.1 & 88 \\" in lines
    assert r"=cmd()\textbar{}A1 & $-$0.25 & -- & 7 \\" in lines
    assert r"CAGR\\(\%)" in al.to_latex(TABLE)
    assert "costs: 5 bp." in lines
    assert "|" not in "".join(lines)


def test_a_named_index_stands_first():
    head = al.to_markdown(TABLE.set_index(["strategy", "n"])).splitlines()[0]
    assert head == "| strategy | n | Sharpe | CAGR (%) |"


@pytest.mark.parametrize("label", ["a}b", "a b", "a\\b", 3])
def test_a_label_that_is_none_is_refused(label):
    with pytest.raises(al.InputError, match="is no label"):
        al.to_latex(TABLE, label=label)


@pytest.mark.parametrize("write", [al.to_latex, al.to_markdown, al.to_csv])
def test_what_is_no_table_is_refused(write):
    with pytest.raises(al.InputError, match="is a list; pass a DataFrame"):
        write([1])
    with pytest.raises(al.InputError, match="has no columns"):
        write(pd.DataFrame())


@given(st.lists(st.text(max_size=10), min_size=1, max_size=4))
def test_markdown_keeps_its_columns(names):
    table = pd.DataFrame({"name": names, "x|y": 1.5})
    for line in al.to_markdown(table).splitlines():
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3


def test_csv_keeps_every_digit_and_marks_formulas():
    table = TABLE.assign(x=[0.1 + 0.2, 1e-17]).rename(columns={"n": "=n"})
    text = al.to_csv(table)
    back = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["x"]) for row in back] == table["x"].tolist()
    assert [row["strategy"] for row in back] == ["60/40", "'=cmd()|A1"]
    assert [row["'=n"] for row in back] == ["88", "7"]
    assert back[1]["sharpe"] == "-0.25"

"""LaTeX of the tables: well-formed whatever the labels are and, where there is a pdflatex, compiled."""

import re
import shutil
import string
import subprocess

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.report.tables.escape import latex
from oracle.report.tables.paper import write_tables

ODD = '100% & $x_1$ #{a}\\ ~^ <b> |c| \N{LATIN SMALL LETTER E WITH ACUTE} \N{CJK UNIFIED IDEOGRAPH-4E2D} [x] *y* `z` "q"\n\tend'
BASELINES = ("[lr]_warm%", "*cos*", "a|b & c\\\\", "{", "")
FEW = 3.0  # points that a line may stick out


def published(label, cycle=3):
    return pd.DataFrame(
        [{"policy": label, "cycle": cycle, "weights_remaining": 51.2, "test": 91.0, "test_std": 0.5, "source": ODD}]
    )


@pytest.fixture(scope="module")
def document(make_finished, tmp_path_factory):
    """tables.tex of experiments with 3, 8 and 25 cycles, of 4, 20 and 107 layers, and of odd labels."""
    experiments = [
        make_finished(slug="short", cycles=3, layers=4, baselines=()),
        make_finished(slug="eight", label="ResNet-20, CIFAR-10 (JPEG q75)", cycles=8, layers=20),
        make_finished(slug="long", cycles=25, layers=107, published=published("SILO")),
        make_finished(slug="odd", label=ODD, cycles=5, seeds=1, baselines=BASELINES, published=published(ODD)),
        *(
            make_finished(slug=f"more{number}", cycles=2, layers=1) for number in range(8)
        ),  # more floats than LaTeX holds
    ]
    folder = tmp_path_factory.mktemp("latex")
    return write_tables(experiments, folder)[-1]


def test_the_document_is_well_formed_ascii(document):
    text = document.read_text()
    assert text.isascii()
    assert text.count("\\begin{document}") == text.count("\\end{document}") == 1
    left = re.sub(r"\\[\\{}&%$#_]", "", text)
    assert left.count("{") == left.count("}")
    assert left.count("$") % 2 == 0
    environments = []
    for kind, name in re.findall(r"\\(begin|end)\{([a-z*]+)\}", text):
        if kind == "begin":
            environments.append(name)
        else:
            assert environments.pop() == name
    assert environments == []


def test_every_row_has_all_columns_and_is_no_argument_of_the_row_before(document):
    tables = re.findall(
        r"\\makebox\[\\linewidth\]\{\\begin\{tabular\}\{([lr]+)\}(.*?)\\bottomrule", document.read_text(), re.S
    )
    assert len(tables) == 12 * 6 + 2  # 107 layers take three
    for columns, text in tables:
        for row in text.strip().splitlines():
            if row not in (r"\toprule", r"\midrule"):
                assert row.endswith(r" \\")
                assert not row.startswith(("[", "*"))
                assert len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1


def test_the_oracle_stands_below_a_rule(document):
    rules = re.findall(r"(.*)\n.*Oracle \(reference\)", document.read_text())
    assert len(rules) == 2 * 12
    assert set(rules) == {r"\midrule"}


@given(st.text())
def test_any_text_becomes_ascii_with_nothing_special_left(text):
    written = latex(text)
    assert written.isascii()
    assert written.isprintable()
    left = re.sub(r"\\[\\{}&%$#_]", "", written)
    assert left.count("{") == left.count("}")
    assert not set(left) & set("&%#_")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve", r"na\"{i}ve"),
        ("e\N{COMBINING ACUTE ACCENT}", r"\'{e}"),
        ("\N{LATIN SMALL LETTER SHARP S}", r"\ss{}"),
        ("\N{FULLWIDTH PERCENT SIGN}", r"\%"),
        ("\N{CJK UNIFIED IDEOGRAPH-4E2D}", "{[}U+4E2D]"),
        ("\N{GREEK SMALL LETTER BETA} = 5", r"$\beta$ = 5"),
        (string.ascii_letters + string.digits, string.ascii_letters + string.digits),
    ],
)
def test_what_latex_can_set_is_set(text, written):
    assert latex(text) == written


def compile_latex(path, tmp_path):
    """The log of pdflatex, and how many pages it made; fails on any error."""
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed: whether the tables compile is not checked")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"-output-directory={tmp_path}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / path.with_suffix(".pdf").name).stat().st_size > 0
    return done.stdout


def overfull(log):
    """Points by which boxes stick out."""
    return [float(points) for points in re.findall(r"Overfull \\[hv]box \(([0-9.]+)pt", log)]


def test_the_document_compiles_on_its_own_and_nothing_sticks_out(document, tmp_path):
    # a makebox is as wide as the line whatever stands in it, so LaTeX would not tell
    measured = tmp_path / "measured.tex"
    measured.write_text(document.read_text().replace(r"\makebox[\linewidth]", r"\mbox"))
    compile_latex(document, tmp_path)
    log = compile_latex(measured, tmp_path)
    assert max(overfull(log), default=0) <= FEW
    assert "Float too large" not in log


def test_a_single_table_compiles_within_a_paper_that_uses_booktabs(document, tmp_path):
    paper = tmp_path / "paper.tex"
    tables = [document.parent / f"{name}.tex" for name in ("long-accuracy", "odd-oracle", "short-cost")]
    texts = "\n".join(path.read_text() for path in tables)
    paper.write_text(
        f"\\documentclass[twocolumn]{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{texts}\\end{{document}}\n"
    )
    compile_latex(paper, tmp_path)

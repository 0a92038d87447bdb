"""What is said of the package elsewhere is what it says of itself."""

from pathlib import Path

import yaml

import silo

ROOT = Path(__file__).parents[1]


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == silo.__version__
    assert {"cff-version", "message", "title", "authors", "license"} <= citation.keys()
    assert citation["references"][0]["identifiers"][0]["value"] == "arXiv:2212.06144"

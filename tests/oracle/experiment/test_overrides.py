"""Overrides as they are pasted into a shell."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from oracle.experiment.overrides import set_option


@given(st.text())
def test_a_shell_reads_an_option_as_it_was_meant(override):
    assert shlex.split(set_option(override)) == ["--set", override]


def test_it_is_always_quoted():
    assert set_option("oracle.seeds=5") == "--set 'oracle.seeds=5'"

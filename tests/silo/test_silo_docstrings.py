"""The examples in docstrings give what they say."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["silo.run", "silo.schedule", "silo.shape", "silo.trajectory"])
def test_examples_in_docstrings(name):
    failed, tried = doctest.testmod(import_module(name))
    assert tried > 0 and failed == 0

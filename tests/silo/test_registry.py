"""Built-in parts by name: each is there, and imported only when it is looked up."""

import subprocess
import sys

import pytest

from silo.data import SOURCES, SPLITS
from silo.model import INITIALIZATIONS, MODELS
from silo.pruning_rule import CRITERIA
from silo.registry import Registry

REGISTRIES = [CRITERIA, INITIALIZATIONS, MODELS, SOURCES, SPLITS]


@pytest.mark.parametrize("registry", REGISTRIES)
def test_every_name_stands_for_something(registry):
    assert len(registry) == len({*registry.values()}) > 1
    assert all(callable(part) for part in registry.values())


def test_names_are_known_without_an_import():
    code = "import sys; from silo.registry import Registry as R; r = R({'a': 'zlib:crc32', 'b': 'no.such:part'}); "
    code += "assert [*r] == ['a', 'b'] and 'b' in r and 'c' not in r and len(r) == 2 and 'zlib' not in sys.modules; "
    code += "assert r['a'](b'') == 0 and 'zlib' in sys.modules"
    subprocess.run([sys.executable, "-S", "-c", code], check=True)


def test_a_name_that_is_not_there_is_a_key_error():
    with pytest.raises(KeyError, match="'no'"):
        Registry({})["no"]

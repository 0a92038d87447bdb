"""YAML as people write it."""

import re
from typing import Any

import yaml

from oracle.error import InputError


class _Loader(yaml.SafeLoader):
    """YAML, but 5e-4 is a number (PyYAML's own reader wants 5.0e-4) and a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        # as values, since 100 and 100.0 are one key; a merge key (<<) has none
        keys = [
            key.value if key.tag.endswith(":merge") else self.construct_object(key, deep=True) for key, _ in node.value
        ]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                where = node.value[place][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"{key} is given twice", where)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+0123456789.")
)


def parse_yaml(text: str, source: str) -> Any:
    """The value that a YAML text holds.

    Args:
        text: One YAML document.
        source: Where the text is from, which an error begins with: a file's path, or an option of the command line.

    Raises:
        InputError: The text isn't YAML.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{source}{line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    except (ValueError, TypeError) as error:  # PyYAML's own, for a date that isn't one, say
        raise InputError(f"{source}: not YAML that can be read: {error}") from error

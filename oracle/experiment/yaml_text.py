"""YAML as people write it."""

import re
from collections.abc import Hashable
from typing import Any

import yaml

from oracle.error import InputError

MAX_CHARACTERS = 2**20  # of a text, every alias counted as what it stands for
MAX_NODES = 50_000  # keys, values and lists, so counted: 10,000 seeds and 10,000 values of the grid fit
MAX_DEPTH = 50  # of lists and mappings in each other
MAX_DIGITS = 100  # of a number, with its sign, point and exponent

SURROGATE = re.compile("[\ud800-\udfff]")
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
# 010 is 8 to YAML 1.1 and 10 to YAML 1.2 and to most people, 1:30 is 90 or a text, so is 1_000. To read them as decimals would
# give a file that once meant 8 seeds another meaning without a word: they are refused.
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*|([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
NOT_FINITE = (".inf", ".nan")  # which is refused where it is used, by the field's name


class _Refused(Exception):
    """What a text must be, in words, and the number of the line where it is something else."""

    def __init__(self, text: str, event: yaml.Event) -> None:
        super().__init__(text)
        self.line = event.start_mark.line + 1


class _Limited(yaml.SafeLoader):
    """Composes a text's nodes, and refuses one that would be too much once its aliases stand for what they name."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth, self._sizes = 0, (0, 0)  # nodes and characters so far
        self._anchored: dict[str, tuple[int, int]] = {}  # those of each anchor

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        """Return the next node, counted."""
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in self.anchors and event.anchor not in self._anchored:
                raise _Refused("must be a tree, got a value that holds itself (a YAML anchor)", event)
            self._add(event, *self._anchored.get(event.anchor, (0, 0)))
            return super().compose_node(parent, index)
        before = self._sizes
        self._add(event, 1, len(getattr(event, "value", "")) + 1)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Refused(f"must be at most {MAX_DEPTH} lists and mappings deep, got more", event)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if event.anchor is not None:
            self._anchored[event.anchor] = tuple(now - then for now, then in zip(self._sizes, before, strict=True))
        if node.tag in NUMBERS and len(node.value) > MAX_DIGITS:
            given = f"one of {len(node.value)} characters"
            raise _Refused(f"must hold numbers of at most {MAX_DIGITS} digits, got {given}", event)
        if node.tag in NUMBERS and not (DECIMAL.fullmatch(node.value) or node.value.lower().endswith(NOT_FINITE)):
            raise _Refused(
                f"must hold numbers as plain decimals, such as 10 or 5e-4, got {node.value or 'none'} (a text in quotes)",
                event,
            )
        if isinstance(node, yaml.ScalarNode) and SURROGATE.search(node.value):
            raise _Refused("must be of Unicode characters, got half of a surrogate pair", event)
        return node

    def _add(self, event: yaml.Event, nodes: int, characters: int) -> None:
        self._sizes = self._sizes[0] + nodes, self._sizes[1] + characters
        if self._sizes[0] > MAX_NODES:
            raise _Refused(f"must hold at most {MAX_NODES} keys and values, got more", event)
        if self._sizes[1] > MAX_CHARACTERS:
            raise _Refused(f"must hold at most {MAX_CHARACTERS} characters, got more", event)


class _Loader(_Limited):
    """YAML, but 5e-4 is a number (PyYAML's own reader wants 5.0e-4) and a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        # as values, since 100 and 100.0 are one key; a merge key (<<) has none
        keys = set()
        for key_node, _ in node.value:
            merged = key_node.tag.endswith(":merge")
            key = key_node.value if merged else self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                break  # PyYAML's own error
            if key in keys:
                raise yaml.constructor.ConstructorError(None, None, f"{key} is given twice", key_node.start_mark)
            keys.add(key)
        return super().construct_mapping(node, deep)

    def construct_positive_zero(self, node: yaml.ScalarNode) -> float:
        """Return a number; -0.0 as 0.0, of which it would be another identity."""
        return self.construct_yaml_float(node) + 0.0


_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_positive_zero)

_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+0123456789."),
)


def parse_yaml(text: str, source: str) -> Any:
    """The value that a YAML text holds.

    Args:
        text: One YAML document.
        source: Where the text is from, which an error begins with: a file's path, or an option of the command line.

    Raises:
        InputError: The text isn't YAML, or more of it than an experiment needs.
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"{source}: must be a text of at most {MAX_CHARACTERS} characters, got {len(text)}")
    try:
        return yaml.load(text, _Loader)
    except _Refused as error:
        raise InputError(f"{source}, line {error.line}: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise InputError(f"{source}{line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    except (ValueError, TypeError) as error:  # PyYAML's own, for a date that isn't one, say
        raise InputError(f"{source}: not YAML that can be read: {error}") from error
    except (LookupError, AttributeError) as error:  # PyYAML's, for !!bool maybe or !!int ''
        raise InputError(f"{source}: not YAML that can be read: a value is none of its tag's") from error

"""Errors in one line: pydantic's by their type and context, our own and imported code's by how they begin."""

from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ErrorType

from oracle.experiment.component import Strict
from oracle.experiment.message import EXPECTED, InnerFieldError, explain, inner_error, sentence, shown


class Inner(Strict):
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5


class Outer(Strict):
    count: Annotated[int, Field(ge=1, le=9)] = 1
    lax: Annotated[int, Field(strict=False)] = 1
    flag: bool = False
    word: str = ""
    kind: Literal["silo", "oracle"] = "silo"
    numbers: tuple[float, ...] = ()
    pair: Annotated[list[int], Field(min_length=1, max_length=2, strict=False)] = [1]  # noqa: RUF012
    table: dict[str, Inner] = {}  # noqa: RUF012
    nothing: None = None
    inner: Inner = Inner()


def message(tree: Any, model: Any = Outer) -> str:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(model).validate_python(tree)
    return explain(raised.value, tree)


TYPES = {
    "bool_type": ({"flag": 1}, "flag must be true or false, got 1"),
    "dict_type": ({"table": 3}, "table must be a mapping, got 3"),
    "finite_number": ({"inner": {"share": float("nan")}}, "inner.share must be a finite number, got NaN"),
    "float_type": ({"inner": {"share": "x"}}, 'inner.share must be a number, got "x"'),
    "greater_than": ({"table": {"a": {"share": 0}}}, "table.a.share must be above 0, got 0"),
    "greater_than_equal": ({"count": 0}, "count must be at least 1, got 0"),
    "int_from_float": ({"lax": 2.5}, "lax must be a whole number, got 2.5"),
    "int_type": ({"count": "ten"}, 'count must be a whole number, got "ten"'),
    "less_than": ({"inner": {"share": 1}}, "inner.share must be below 1, got 1"),
    "less_than_equal": ({"count": 10}, "count must be at most 9, got 10"),
    "list_type": ({"pair": 3}, "pair must be a list, got 3"),
    "model_type": ({"inner": 3}, "inner must be a mapping, got 3"),
    "none_required": ({"nothing": 0}, "nothing must be null, got 0"),
    "string_type": ({"word": 5}, "word must be a string, got 5"),
    "too_long": ({"pair": [1, 2, 3]}, "pair must be of at most 2 values, got [1, 2, 3]"),
    "too_short": ({"pair": []}, "pair must be of at least 1 values, got []"),
    "tuple_type": ({"numbers": 3}, "numbers must be a list, got 3"),
}


def test_the_mapped_types_are_those_of_this_pydantic():
    """Pydantic 2.9 to 2.14 have all of them. Where this fails, pydantic dropped or renamed a type: so may the module."""
    assert set(TYPES) == set(EXPECTED)
    assert {*EXPECTED, "missing", "literal_error", "enum", "value_error"} <= set(get_args(ErrorType))


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_type_of_pydantics_says_what_the_field_must_be(kind):
    tree, line = TYPES[kind]
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate(tree)
    assert raised.value.errors()[0]["type"] == kind
    assert explain(raised.value, tree) == line


def made_up(kind: str, text: str, context: dict[str, Any] | None = None) -> Any:
    def refuse(value: Any) -> Any:
        raise PydanticCustomError(kind, text, context)

    class Model(BaseModel):
        field: Annotated[Any, BeforeValidator(refuse)] = None

    return Model


@pytest.mark.parametrize(
    ("kind", "context"),
    [
        ("a_type_of_another_version", {"limit": 3}),
        ("a_type_of_another_version", None),
        ("greater_than", None),  # known, but its context isn't
        ("greater_than", {"gt": "x"}),
        ("literal_error", {"choices": ["a"]}),
        ("literal_error", {"expected": 3}),
        ("enum", {"choices": ["a"]}),
        ("value_error", {"error": "no exception"}),
        ("value_error", None),
    ],
)
def test_what_another_pydantic_says_is_shown_as_it_is(kind, context):
    line = "field: Input should be greener, got 7"
    assert message({"field": 7}, made_up(kind, "Input should be greener", context)) == line


def raising(error: Exception) -> Any:
    def refuse(value: Any) -> Any:
        raise error

    class Model(Strict):
        part: Annotated[Any, BeforeValidator(refuse)] = None

    return Model


@pytest.mark.parametrize(
    ("error", "value", "line"),
    [
        (ValueError("must be even"), 7, "part must be even, got 7"),
        (ValueError("must be even, got 7.0"), 7, "part must be even, got 7.0"),
        (ValueError("must have a"), {"b": 1}, 'part must have a, got {"b": 1}'),
        (ValueError("only even ones"), 7, "part: only even ones, got 7"),
        (ValueError("only even ones"), {"b": 1}, "part: only even ones"),
        (ValueError("two\n lines"), "x", 'part: two lines, got "x"'),
        (ValueError(), 7, "part: ValueError, got 7"),
        (AssertionError("not so"), 7, "part: not so, got 7"),
        (InnerFieldError("b", "must be even"), {"b": 1}, "part.b must be even, got 1"),
        (InnerFieldError("b", "must be even, got 1.0"), {"b": 1}, "part.b must be even, got 1.0"),
        (InnerFieldError("b", "must be even"), {}, "part.b must be even"),
        (InnerFieldError("b", "is odd"), {"b": 1}, "part.b: is odd, got 1"),
    ],
)
def test_a_validators_own_words(error, value, line):
    assert message({"part": value}, raising(error)) == line


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("period must be at least 1ep, got 0ep", "period"),
        ("drops.3ep must be below 1, got 2", "drops.3ep"),
        ("period and low must be given together, got period alone", "period and low"),
        ("period: 0ep: at least 1ep is allowed", None),
        ("it must be even", None),
        ("must be even", None),
        ("low is odd", None),
        ("periods must be even", None),
        ("", None),
    ],
)
def test_a_constructors_message_is_about_an_option_where_it_begins_with_it(text, field):
    inner = inner_error(ValueError(text), ("low", "period", "drops"))
    assert (inner and inner.name) == field
    assert inner is None or str(inner) == text


def test_a_sentence_without_field_is_the_text():
    assert sentence("", "must be a mapping") == "must be a mapping"


@pytest.mark.parametrize("value", [["x" * 200], {"x" * 200: 1}, "x" * 200, list(range(10**4))])
def test_a_long_value_is_cut(value):
    assert len(shown(value)) == 80


@pytest.mark.parametrize("value", [{(1, 2): 3}, [{(1, 2): 3}], 16**5000], ids=["key", "inner key", "digits"])
def test_what_json_has_no_word_for_is_shown_by_its_type(value):
    assert shown(value) == f"a value of type {type(value).__name__}"

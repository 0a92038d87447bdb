"""A JSON schema of the experiment file, which editors complete and check it by: from the models that read it."""

import inspect
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, GetJsonSchemaHandler
from pydantic_core import to_jsonable_python

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import CoreSchema

    from oracle.experiment.component import Component

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PATH = {"type": "string", "pattern": r"^[^:\s]+:[^:\s]+$", "description": "Your own, as package.module:name."}
ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")  # a link of the docstring to a name


def json_schema(model: "type[BaseModel]") -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of what a file of this model may hold.

    It accepts all that the model does, and refuses unknown keys, names and types, and numbers out of bounds; what hangs on
    several fields at once, or on the code at an import path, only reading the file can tell.

    Args:
        model: Such as :class:`oracle.experiment.spec.Experiment`.
    """
    return {"$schema": DIALECT, **model.model_json_schema(schema_generator=_Untitled)}


class _Untitled(GenerateJsonSchema):
    """Titles that only repeat a field's name are left out; a default is written as JSON holds it, whatever its type."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def encode_default(self, dft: Any) -> Any:
        return to_jsonable_python(dft)


class Or:
    """An annotation: a field may be written in another form, too, which its model turns into the first.

    Args:
        form: The JSON schema of the other form.
    """

    def __init__(self, form: dict[str, Any]) -> None:
        self._form = form

    def __get_pydantic_json_schema__(self, core_schema: "CoreSchema", handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(core_schema), self._form]}


class Choice:
    """An annotation: one of several components, each by its name and options, or by its name alone.

    Args:
        tag: The key of the name.
        names: Of the components.
        model: Returns the model of one by its name.
        own: Whether an import path will do, too.
    """

    def __init__(self, tag: str, names: Iterable[str], model: "Callable[[str], type[Component]]", own: bool) -> None:
        self._tag, self._names, self._model, self._own = tag, names, model, own

    def __get_pydantic_json_schema__(self, core_schema: "CoreSchema", handler: GetJsonSchemaHandler) -> dict[str, Any]:
        models = {name: self._model(name) for name in self._names}
        alone = [name for name, model in models.items() if not _required(model)]
        forms = [self._mapping(model, handler) for model in models.values()]
        if alone:
            forms.append({"enum": alone})
        if self._own:
            forms += [{"type": "object", "properties": {self._tag: PATH}, "required": [self._tag]}, PATH]
        return {"anyOf": forms}

    def _mapping(self, model: "type[Component]", handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(model.__pydantic_core_schema__))
        describe(schema, *model.documented())
        del schema["properties"][self._tag]["default"]  # what a component is called, which is no option
        return schema | {"required": [self._tag, *schema.get("required", [])]}


def name_schema(names: Iterable[str]) -> dict[str, Any]:
    """Return the schema of one of these names or an import path."""
    return {"anyOf": [{"enum": list(names)}, PATH]}


def describe(schema: dict[str, Any], *documented: Any) -> None:
    """Give a model's schema, in place, the descriptions in docstrings: the first line, and of each field its own.

    Args:
        schema: Of a mapping.
        documented: Classes or functions with ``Args:``, the one that the first line is taken from first.
    """
    schema.pop("description", None)  # pydantic's: the whole docstring
    if summary := inspect.getdoc(documented[0]):
        schema["description"] = _plain(summary.split("\n\n")[0])
    for text in map(inspect.getdoc, documented):
        for name, description in _arguments(text or "").items():
            if name in schema.get("properties", {}):
                schema["properties"][name].setdefault("description", description)


def _required(model: "type[BaseModel]") -> list[str]:
    return [name for name, field in model.model_fields.items() if field.is_required()]


def _arguments(text: str) -> dict[str, str]:
    """What a docstring says of each argument."""
    section = re.search(r"^Args:\n((?:[ ]+.*\n?|\n)+)", text, re.MULTILINE)
    if section is None:
        return {}
    entries = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", section[1], re.MULTILINE)
    return {name: _plain(description) for name, description in entries}


def _plain(text: str) -> str:
    return " ".join(ROLE.sub(r"\1", text).replace("``", "").split())

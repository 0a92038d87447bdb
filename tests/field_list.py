"""The fields of an experiment file, as oracle/fields.md lists them, from the schema; run as a script it writes them there."""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from oracle.experiment.factors import KEY, file_schema

PAGE = Path(__file__).parents[1] / "oracle" / "fields.md"
BEGIN, END = "<!-- from the schema: python tests/field_list.py -->\n", "<!-- end -->\n"
WIDTH = 150
SEE = re.compile(
    r"[;,] see [A-Za-z]+(?=\.)|,? \(?(?:and those of|see) [A-Za-z.]*[A-Za-z]\)?(?=[\s.,]|$)"
)  # of the docstrings
Schema = dict[str, Any]


def field_list() -> str:
    """Return the sections of all fields but factors, which the page explains itself."""
    schema = file_schema()
    lines = _Lines(schema["$defs"])
    for name, field in schema["properties"].items():
        if name != KEY:
            lines.section(name, field, name in schema["required"])
    return "\n".join(lines.lines).lstrip("\n") + "\n"


def with_list(page: str) -> str:
    """Return a page with the list of today's schema in it."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + "\n" + field_list() + "\n" + END + rest.partition(END)[2]


class _Lines:
    """The lines of the list, as they are made: what was explained already is only referred to."""

    def __init__(self, definitions: Schema) -> None:
        self.lines: list[str] = []
        self._definitions, self._seen = definitions, dict[str, str]()

    def section(self, name: str, field: Schema, required: bool) -> None:
        field = self._resolved(field)
        text = f"{_description(field)} {_default(field, required)}"
        self.lines += ["", f"### {name}", "", *textwrap.wrap(text, WIDTH), ""]
        self._inside(name, field, "")

    def _item(self, path: str, field: Schema, required: bool, indent: str) -> None:
        field = self._resolved(field)
        names = next((form["enum"] for form in field.get("anyOf", []) if "enum" in form), None)
        one_of = f"One of {', '.join(names)}." if names and not any(map(_tag, self._forms(field))) else ""
        text = f"**{path.rpartition('.')[2]}**: {_description(field)} {one_of} {_default(field, required)}"
        self._add(text, indent)
        self._inside(path, field, indent + "  ")

    def _inside(self, path: str, field: Schema, indent: str) -> None:
        """The fields within a field, and those of each of its kinds."""
        forms = [form for form in self._forms(field) if form.get("properties") or form.get("additionalProperties")]
        key = json.dumps(forms, sort_keys=True)
        if forms and key in self._seen:
            self._add(f"as `{self._seen[key]}`", indent)
            return
        self._seen[key] = path
        tagged = [form for form in forms if _tag(form)]
        first = tagged[0]["properties"] if len(tagged) > 1 else {}
        shared = [name for name in first if all(form["properties"].get(name) == first[name] for form in tagged)]
        for name in shared:
            self._item(f"{path}.{name}", first[name], False, indent)
        for form in tagged:
            tag, required = _tag(form), form.get("required", [])
            self._add(f"*{tag}: {form['properties'][tag]['const']}*: {_description(form)}", indent)
            for name, one in form["properties"].items():
                if name not in shared and name != tag:
                    self._item(f"{path}.{name}", one, name in required, indent + "  ")
        for form in forms:
            if form not in tagged and not _is_path(form):
                for name, one in form.get("properties", {}).items():
                    self._item(f"{path}.{name}", one, name in form.get("required", []), indent)
            if isinstance(each := form.get("additionalProperties"), dict):
                for name, one in self._resolved(each).get("properties", {}).items():
                    self._item(f"{path}.NAME.{name}", one, False, indent)

    def _forms(self, field: Schema) -> list[Schema]:
        """In which a field may be written."""
        field = self._resolved(field)
        return [field, *(form for one in field.get("anyOf", []) for form in self._forms(one))]

    def _add(self, text: str, indent: str) -> None:
        self.lines += textwrap.wrap(
            " ".join(text.split()),
            WIDTH,
            initial_indent=f"{indent}- ",
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
        )

    def _resolved(self, field: Schema) -> Schema:
        if "$ref" not in field:
            return field
        return self._definitions[field["$ref"].rpartition("/")[2]] | {k: v for k, v in field.items() if k != "$ref"}


def _description(field: Schema) -> str:
    """As markdown shows it."""
    text = field.get("description", "").replace(", its options, and those of", ", and its options, and those of")
    text = SEE.sub("", text).replace("::", ".")
    return text.replace("*", r"\*").replace("__", r"\_\_")


def _default(field: Schema, required: bool) -> str:
    if required:
        return "Required."
    default = field.get("default")
    if isinstance(default, dict):
        return f"Default: `{default['kind']}`." if "kind" in default else ""
    return f"Default: `{json.dumps(default)}`."


def _tag(form: Schema) -> str | None:
    """The key that holds a kind's name."""
    return next((name for name, one in form.get("properties", {}).items() if "const" in one), None)


def _is_path(form: Schema) -> bool:
    """Whether it is an import path in place of a kind, which may be anywhere."""
    return all(":" in one.get("pattern", "") for one in form.get("properties", {}).values())


if __name__ == "__main__":
    PAGE.write_text(with_list(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

"""Turn silo's registries into strict pydantic models: a component's options are its constructor's parameters."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator

from silo.duration import ALLOWED, Duration


def nearest(name: object, allowed: Iterable[str]) -> str:
    """ "did you mean ...?" where something near is allowed, and the list of what is allowed."""
    allowed = list(allowed)
    near = difflib.get_close_matches(str(name), allowed, 1)
    return (f"did you mean {near[0]}? " if near else "") + f"allowed: {', '.join(allowed)}"


class Strict(BaseModel):
    """No unknown keys, no silent conversions, no NaN or infinity, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            for key in value:
                if key not in cls.model_fields:
                    raise ValueError(f"unknown key {key}; {nearest(key, cls.model_fields)}")
        return value


class Component(Strict):
    """A constructor's options, validated; ``make`` calls it."""

    constructor: ClassVar[Callable]
    options: ClassVar[tuple[str, ...]]

    def make(self, *context: Any) -> Any:
        """silo's object, from the arguments that are no options (a model's channels, size, classes) and the options."""
        return self.constructor(*context, **{name: getattr(self, name) for name in self.options})


class Checked(Component):
    """A component that is made once when it is validated, so that a value its constructor refuses is refused early."""

    @model_validator(mode="after")
    def _makes(self) -> "Checked":
        self.make()
        return self


def component(
    constructor: Callable, base: type[Component] = Checked, context: int = 0, **fields: Any
) -> type[Component]:
    """The pydantic model of a constructor's options; its first ``context`` parameters are none."""
    parameters = list(inspect.signature(constructor).parameters.values())[context:]
    options = {p.name: (_field_type(p.annotation), _default(p.default)) for p in parameters}
    model = create_model(constructor.__name__, __base__=base, **fields, **options)
    model.constructor, model.options = staticmethod(constructor), tuple(options)
    return model


def one_of(tag: str, registry: Mapping[str, Callable], base: type[Component] = Checked, context: int = 0) -> Any:
    """A pydantic type for ``{tag: name, option: value, ...}`` over the registry, or just ``name``."""
    models = [
        component(constructor, base, context, **{tag: (Literal[name], name)}) for name, constructor in registry.items()
    ]

    def choose(value: Any) -> Any:
        if isinstance(value, str):
            value = {tag: value}
        if not isinstance(value, Mapping) or tag not in value:
            raise ValueError(f"{tag} is missing; allowed: {', '.join(registry)}")
        if value[tag] not in list(registry):
            raise ValueError(f"{tag} {value[tag]} is unknown; {nearest(value[tag], registry)}")
        return value

    return Annotated[Union[tuple(models)], Field(discriminator=tag), BeforeValidator(choose)]  # noqa: UP007


def name_of(registry: Iterable[str]) -> Any:
    """A pydantic type for one of the registry's names."""

    def known(name: str) -> str:
        if name not in registry:
            raise ValueError(nearest(name, registry))
        return name

    return Annotated[str, AfterValidator(known)]


def _default(default: Any) -> Any:
    if default is inspect.Parameter.empty:
        return ...
    # a dataclass field with a default_factory shows no default in its signature but this marker
    return Field(default_factory=dict) if repr(default) == "<factory>" else default


def _duration(value: Any) -> Duration:
    try:
        return Duration(value)
    except ValueError:
        raise ValueError(f"allowed: {ALLOWED}") from None


def _field_type(annotation: Any) -> Any:
    if annotation is Duration:
        return Annotated[Any, BeforeValidator(_duration)]
    if get_origin(annotation) is dict:
        return dict[tuple(_field_type(part) for part in get_args(annotation))]
    return annotation

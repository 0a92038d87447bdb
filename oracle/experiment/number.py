"""Kinds of numbers that an experiment file has."""

from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, SerializeAsAny, Tag, WithJsonSchema


def number(
    kind: type[int] | type[float],
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> Any:
    """A pydantic type for a number within bounds; its error states all of them, whichever the number violates.

    Args:
        kind: int or float.
        above: What the number is greater than; None: no such bound. So for the others.
        at_least: The least number.
        below: What the number is less than.
        at_most: The greatest number.
    """
    bounds = {"above": above, "at least": at_least, "below": below, "at most": at_most}
    text = " and ".join(f"{word} {bound}" for word, bound in bounds.items() if bound is not None)

    def within(value: float) -> float:
        low = (above is None or value > above) and (at_least is None or value >= at_least)
        high = (below is None or value < below) and (at_most is None or value <= at_most)
        if not (low and high):
            raise ValueError(f"must be {text}")
        return value

    words = {"above": "exclusiveMinimum", "at least": "minimum", "below": "exclusiveMaximum", "at most": "maximum"}
    schema = {words[word]: bound for word, bound in bounds.items() if bound is not None}
    types = {int: "integer", float: "number"}
    return Annotated[kind, AfterValidator(within), WithJsonSchema({"type": types[kind], **schema})]


NotNegative = number(float, at_least=0)
Share = number(float, above=0, below=1)
# written out as any value is: the choice, called back from pydantic's own code, would swallow a Ctrl-C there
Shares = SerializeAsAny[
    Annotated[
        Annotated[Share, Tag("one")] | Annotated[tuple[Share, ...], Tag("each")],
        Discriminator(lambda value: "each" if isinstance(value, list | tuple) else "one"),
    ]
]
LEAST_MAX_LR, GREATEST_MAX_LR = 1e-30, 10**9  # beyond which axes and differences of logs overflow
MaxLr = number(float, at_least=LEAST_MAX_LR, at_most=GREATEST_MAX_LR)
Growth = number(float, at_least=0, at_most=GREATEST_MAX_LR)
Steepness = number(float, above=0, at_most=10**9)
Norm = number(float, above=0, at_most=10**9)
Decay = number(float, at_least=0, at_most=10**9)
Points = number(float, at_least=0, at_most=100)
PerSecond = number(float, at_least=1e-6, at_most=10**12)
Epochs = number(int, at_least=1, at_most=10**5)
Count = number(int, at_least=1, at_most=10**6)
NotNegativeCount = number(int, at_least=0, at_most=10**9)
Seed = number(int, at_least=0, at_most=10**18)  # which a table's 64 bits hold

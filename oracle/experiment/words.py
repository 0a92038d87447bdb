"""Kinds of texts that an experiment file has."""

from typing import Annotated, Any

from pydantic import AfterValidator


def words(at_most: int) -> Any:
    """A pydantic type for a text of at most so many characters: titles, tables and messages show all of it."""

    def within(text: str) -> str:
        if len(text) > at_most:
            raise ValueError(f"must have at most {at_most} characters, got {len(text)}")
        return text

    return Annotated[str, AfterValidator(within)]


LONGEST_NAME = 100  # characters: of a run folder, to whose name others add theirs, and of a policy
LONGEST_LABEL = 300
Label = words(LONGEST_LABEL)
Remark = words(1000)

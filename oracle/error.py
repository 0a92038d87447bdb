"""The errors that are shown as one line."""

from oracle.plain_text import one_line, shortened


class _OneLineError(Exception):
    """An error whose text is one line, whatever words of others are in it."""

    def __str__(self) -> str:
        return shortened(one_line(super().__str__()))


class InputError(_OneLineError):
    """What the user can mend, with exit code 2.

    One line says where it is, what must be there and what was given, such as
    ``exp.yaml: prune.rate must be above 0 and below 1, got 1.2`` or ``--set must be FIELD=VALUE, ..., got seeds``.
    """


class FieldError(InputError):
    """A field of the experiment file whose value only a look at the data or the machine could refuse.

    The line begins with the field's path, such as ``data.path must be an existing folder, got 'x'``; whoever knows the
    file puts its name before it.
    """


class SweepError(_OneLineError):
    """Why a sweep can't go on, with exit code 1."""

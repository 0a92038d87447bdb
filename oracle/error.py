"""The errors that are shown as one line."""


class InputError(Exception):
    """What the user can mend, with exit code 2.

    One line says where it is, what must be there and what was given, such as
    ``exp.yaml: prune.rate must be above 0 and below 1, got 1.2`` or ``--set must be FIELD=VALUE, ..., got seeds``.
    """


class FieldError(InputError):
    """A field of the experiment file whose value only a look at the data or the machine could refuse.

    The line begins with the field's path, such as ``data.path must be an existing folder, got 'x'``; whoever knows the
    file puts its name before it.
    """


class SweepError(Exception):
    """Why a sweep can't go on, with exit code 1."""

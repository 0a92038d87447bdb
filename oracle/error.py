"""What is shown as one line."""


class InputError(Exception):
    """What the user can mend, with exit code 2: what is wrong, where, and what is allowed."""


class FieldError(InputError):
    """A field whose value only a look at the data or the machine could refuse; begins with the field's path."""


class SweepError(Exception):
    """Why a sweep can't go on, with exit code 1."""

"""What the user can mend: shown as one line, with exit code 2."""


class InputError(Exception):
    """One line with what is wrong, where, and what is allowed."""


class FieldError(InputError):
    """A field whose value only a look at the data or the machine could refuse; begins with the field's path."""

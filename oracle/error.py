"""What the user can mend: shown as one line, with exit code 2."""


class InputError(Exception):
    """One line with what is wrong, where, and what is allowed."""

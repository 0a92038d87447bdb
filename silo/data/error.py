"""The one error that every data source raises."""


class DataError(ValueError):
    """Data that can't be read or used.

    The message is one line that begins with the field of an experiment's ``data`` that it is about, such as ``path must ...``.
    """

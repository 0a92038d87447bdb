"""The one error that every data source raises."""


class DataError(ValueError):
    """Data that can't be read: one line with what, where, and what is allowed."""

"""Text from the operating system as UTF-8, whatever the locale."""


def as_utf8(text: str) -> str:
    """Return a text that UTF-8 can hold.

    Args:
        text: A path or an argument, in which Python keeps bytes that the locale's encoding can't decode as surrogates
            (PEP 383).

    Returns:
        The text with these bytes read as UTF-8, or as U+FFFD where they are none.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

"""What a private Ray writes, its sockets, logs and token, lies in a folder of its own, which goes with it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oracle.run.ray import private_gcs
from oracle.run.scratch import scratch_folder

TOKEN = "token"  # the file's name


@contextmanager
def own_folder() -> Iterator[None]:
    """Say by environment variables, for a while, that a private Ray has such a folder, and a token that nobody else reads.

    Raises:
        InputError: No folder for temporary files suits.
    """
    with scratch_folder() as folder:
        ours = {"RAY_TMPDIR": str(folder), "RAY_AUTH_TOKEN_PATH": str(_new_token(folder)), "RAY_AUTH_TOKEN": None}
        before = {name: os.environ.get(name) for name in ours}
        try:
            _set(ours)
            private_gcs.forget_token()
            yield
        finally:
            _set(before)
            private_gcs.forget_token()


def _new_token(folder: Path) -> Path:
    file = folder / TOKEN
    file.touch(mode=0o600)
    file.write_text(secrets.token_hex(32), encoding="utf-8")
    return file


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value

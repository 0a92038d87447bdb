"""Ray's private client of a cluster's head (its global control service, GCS): asks for nodes without joining the cluster.

``ray.init`` at an address where no Ray answers takes minutes, and says several lines; this says it in seconds. No public call
does. Another version of Ray may have moved what is used here: then PrivateApiMissing is raised, and the caller goes without.
tests/oracle/run/test_ray_private.py says when this module can be deleted.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class PrivateApiMissing(Exception):
    """This version of Ray hasn't got what this module uses."""


class TokenRefused(Exception):
    """The cluster's authentication token is missing or wrong."""


def resolve(address: str) -> str | None:
    """Return HOST:PORT of the head for an address of ``ray.init``; None where it would start a Ray of its own.

    Raises:
        ValueError: It is no address.
        OSError: It is ``auto`` and no Ray runs on this machine.
        PrivateApiMissing: See above.
    """
    with _private_api():
        from ray._private.services import canonicalize_bootstrap_address

        return canonicalize_bootstrap_address(address)


def live_nodes(head: str) -> dict[str, dict[str, float]]:
    """Return what each node that is alive has (CPU, GPU, ...), by the node's id; head: its HOST:PORT.

    Raises:
        TokenRefused: This machine's token isn't the cluster's.
        RayError: No Ray answers.
        PrivateApiMissing: See above.
    """
    with _private_api():
        from ray._private.authentication.authentication_token_setup import ensure_token_if_auth_enabled
        from ray._raylet import GcsClient
        from ray.exceptions import AuthenticationError

        try:
            ensure_token_if_auth_enabled(create_token_if_missing=False)
            with _nothing_on_stderr():
                nodes = GcsClient(address=head).get_all_node_info(timeout=10)
        except AuthenticationError as error:
            raise TokenRefused from error
        return {key.hex(): dict(node.resources_total) for key, node in nodes.items() if node.state == node.ALIVE}


def nodes_on_this_machine() -> set[str]:
    """Return the ids of the nodes that run here, of whichever cluster. Raises PrivateApiMissing."""
    with _private_api():
        from ray._private.services import find_node_ids

        return set(find_node_ids())


def forget_token() -> None:
    """Make Ray read the token that authenticates this process anew: it keeps the first that it reads."""
    with suppress(PrivateApiMissing), _private_api():
        from ray._raylet import AuthenticationTokenLoader

        AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def _private_api() -> Iterator[None]:
    try:
        yield
    except (ImportError, AttributeError, TypeError) as error:
        raise PrivateApiMissing(str(error)) from error


@contextmanager
def _nothing_on_stderr() -> Iterator[None]:
    """Close stderr for a while: Ray's core writes there whatever its level of logging."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)

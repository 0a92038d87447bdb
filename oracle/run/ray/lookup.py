"""The cluster at an address, looked at before the run joins it, so that what is wrong is one line within seconds."""

import socket

from oracle.error import InputError
from oracle.run.ray import private_gcs
from oracle.run.ray.environment import CLUSTER_DRIVER, set_environment

Node = dict[str, float]  # all that a node has, by Ray's names: CPU, GPU, ...


def nodes_at(address: str) -> list[Node] | None:
    """Return what the live nodes of the cluster at an address (HOST:PORT or auto) have; None where this Ray can't tell.

    Raises:
        InputError: It is no address; or no cluster answers there, or not to this machine's token; or this machine is no node
            of that cluster.
    """
    set_environment(CLUSTER_DRIVER)
    from ray.exceptions import RayError

    try:
        _check_form(address)
        return _nodes(address)
    except ValueError as error:
        raise InputError(f"--address must be HOST:PORT of a running Ray cluster, or auto, got {address!r}") from error
    except private_gcs.TokenRefused as error:
        fix = "RAY_AUTH_TOKEN, or the file RAY_AUTH_TOKEN_PATH (~/.ray/auth_token), must hold the cluster's"
        raise InputError(
            f"--address must be of a cluster that accepts this machine's token, got {address!r}: the authentication token is "
            f"missing or wrong; {fix}"
        ) from error
    except (OSError, RayError) as error:
        fix = "no Ray cluster answers there; `ray start --head` starts one"
        raise InputError(f"--address must be of a running Ray cluster, got {address!r}: {fix}") from error


def _check_form(address: str) -> None:
    """Raise ValueError where an address is neither HOST:PORT nor auto: a Ray client's could not share the run folder."""
    host, _, port = address.rpartition(":")
    if address != "auto" and (not host or not port.isdecimal() or "://" in address):
        raise ValueError(address)


def _nodes(address: str) -> list[Node] | None:
    try:
        head = private_gcs.resolve(address)
        if head is None:
            raise ValueError(address)
        check_reachable(head)
        nodes = private_gcs.live_nodes(head)
        is_here = bool(private_gcs.nodes_on_this_machine() & nodes.keys())
    except private_gcs.PrivateApiMissing:
        if address != "auto":
            check_reachable(address)
        return None
    if not is_here:
        fix = f"`ray start --address={address}` makes it one"
        raise InputError(f"--address must be of a cluster that this machine is a node of, got {address!r}; {fix}")
    return list(nodes.values())


def check_reachable(address: str) -> None:
    """Open and close a connection to HOST:PORT; raises OSError where nothing listens there."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()

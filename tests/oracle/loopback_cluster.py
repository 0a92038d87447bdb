"""A Ray cluster of three nodes on loopback, in a process of its own: prints where it is, and ends with its stdin."""

import json
import sys

from ray.cluster_utils import Cluster


def raylet(node):
    return node.all_processes["raylet"][0].process.pid


small = {"num_cpus": 1, "object_store_memory": 10**8}
cluster = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
nodes = [cluster.add_node(**small) for _ in range(2)]
print(json.dumps({"address": cluster.address, "raylets": [raylet(node) for node in nodes]}), flush=True)
sys.stdin.read()
cluster.shutdown()

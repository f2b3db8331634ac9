from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.support.ray_nodes import Node, RayNodes


@pytest.fixture(scope="session")
def nodes() -> Iterator[RayNodes]:
    """A head with one CPU."""
    if sys.platform != "linux":
        pytest.skip("Ray joins several nodes on one machine under Linux alone")
    cluster = RayNodes()
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def victim(nodes: RayNodes) -> Iterator[Node]:
    """A second node, with one CPU too."""
    node = nodes.add()
    yield node
    node.kill()

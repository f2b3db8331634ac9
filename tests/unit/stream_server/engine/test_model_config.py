"""Triton's messages with and without its client."""

from __future__ import annotations

import subprocess
import sys

import pytest

CLIENT = "import tritonclient.grpc as client"
ALONE = "from stream_server.engine.model_config import model_config_pb2; own = model_config_pb2()"


@pytest.mark.parametrize("order", [(CLIENT, ALONE), (ALONE, CLIENT)])
def test_whoever_comes_first_both_have_the_same(order: tuple[str, str]) -> None:
    program = "; ".join((*order, "assert client.model_config_pb2 is own; own.ModelConfig()"))
    subprocess.run([sys.executable, "-c", program], check=True)

"""``fakelight models list``, ``check`` and ``swap``."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from stream_server.engine import ModelRepository, TensorInfo
from stream_server.engine.check import check_repository
from stream_server.engine.rates import told
from stream_server.server.token_file import load_token
from stream_server.settings import Settings

_SWAP_SECONDS = 300  # large models take long to load and to check


def list_models(path: Path) -> int:
    """Print every model and ensemble of the repository, one a line; the exit status."""
    repository = ModelRepository.load(path)
    for model in repository.models.values():
        inputs = ", ".join(_tensor(tensor) for tensor in model.inputs)
        outputs = ", ".join(_tensor(tensor) for tensor in model.outputs)
        sys.stdout.write(f"{model.name:28} {model.kind:9} {inputs} -> {outputs}\n")
    rates = repository.rates
    members = [
        f"{name} ({told(rates[name])})" if name in rates else name for name in repository.members
    ]
    sys.stdout.write(f"members: {', '.join(members)}\n")
    if repository.untrained:
        sys.stdout.write(f"UNTRAINED: {repository.untrained}\n")
    return 0


def check_models(path: Path) -> int:
    """Hold every model against its config and print what is wrong; 1 if anything is."""
    findings = check_repository(path)
    for finding in findings:
        sys.stderr.write(f"{finding}\n")
    if findings:
        return 1
    count = len(ModelRepository.load(path).models)
    sys.stdout.write(f"{path}: {count} models and ensembles, all as their configs say\n")
    return 0


def swap_models(settings: Settings, folder: Path, triton_url: str) -> int:
    """Have the server that ``settings`` describe go over to the models in ``folder``; the exit
    status. Raises ``OSError`` where there is no server."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    shown = f"[{host}]" if ":" in host else host
    body = {"path": str(folder.resolve()), "triton_url": triton_url}
    request = urllib.request.Request(
        f"http://{shown}:{settings.port}/v1/models",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {load_token(settings)}",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=_SWAP_SECONDS) as answer:
            members = json.load(answer)["models"]
    except urllib.error.HTTPError as error:
        sys.stderr.write(f"{json.load(error)['detail']}\n")
        return 1
    except urllib.error.URLError as error:
        raise OSError(f"no server answers on {shown}:{settings.port}: {error.reason}") from None
    sys.stdout.write(f"the server has gone over to {folder}: {', '.join(members)}\n")
    return 0


def _tensor(tensor: TensorInfo) -> str:
    shape = ",".join("N" if axis < 0 else str(axis) for axis in tensor.shape)
    return f"{tensor.name} {tensor.dtype}[{shape}]"

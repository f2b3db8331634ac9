"""Triton's messages for ``config.pbtxt``, which ``tritonclient`` ships.

They are loaded without that package around them: with gRPC it takes a short command 25 ms.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_NAME = "tritonclient.grpc.model_config_pb2"


def model_config_pb2() -> ModuleType:
    """The module of that name, the same one that ``tritonclient.grpc`` has, before or after.

    Raises ``ImportError`` where ``tritonclient`` is missing.
    """
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    package = importlib.util.find_spec("tritonclient")
    for folder in (package and package.submodule_search_locations) or ():
        place = Path(folder, "grpc", "model_config_pb2.py")
        spec = importlib.util.spec_from_file_location(_NAME, place)
        if place.is_file() and spec is not None and spec.loader is not None:
            module = sys.modules[_NAME] = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[_NAME]  # half a module must not be taken for one
                raise
            return module
    raise ImportError("tritonclient is not installed", name="tritonclient")

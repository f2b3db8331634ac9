"""A test-only ONNX Runtime backend for the tritonserver of the PyPI wheel, which has none.

Triton loads it as a Python-based backend of that name, so a model repository made for
production's real backend runs unchanged on a CPU. It does what that backend does for a plain
model: opens ``default_model_filename`` and runs each request. It is copied to
``.venv-triton/triton-backends/onnxruntime/model.py`` by ``scripts/triton_env.sh``.

For tests of faults, a model's parameter ``test_fault_file`` names a JSON file that is read at
every execution while it exists: ``delay_s`` holds the answer back, ``nan`` spoils it.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils

# Under numpy 2 Triton's Python stub (pybind11 2.10) returns garbage without a word.
if int(np.__version__.split(".")[0]) >= 2:
    raise RuntimeError(f"numpy {np.__version__}: this backend needs numpy < 2")


class TritonPythonModel:
    """One instance of one model."""

    def initialize(self, args: dict[str, str]) -> None:
        """Open the model file that the config names."""
        config = json.loads(args["model_config"])
        name = config.get("default_model_filename") or "model.onnx"
        path = Path(args["model_repository"]) / args["model_version"] / name
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self.inputs = [tensor["name"] for tensor in config["input"]]
        self.outputs = [tensor["name"] for tensor in config["output"]]
        self.batched = config["max_batch_size"] > 0
        fault = config.get("parameters", {}).get("test_fault_file")
        self.fault_file = Path(fault["string_value"]) if fault else None

    def execute(self, requests: list[Any]) -> list[Any]:
        """Run the requests that Triton's batcher put together as one batch."""
        self.fault = {}
        if self.fault_file is not None and self.fault_file.exists():
            self.fault = json.loads(self.fault_file.read_text())
            time.sleep(self.fault.get("delay_s", 0))
        get = pb_utils.get_input_tensor_by_name
        feeds = [{n: get(request, n).as_numpy() for n in self.inputs} for request in requests]
        # Alone, a request needs no joining: its arrays are Triton's own memory, and stay so.
        if len(feeds) == 1 or not self.batched:
            return [self._answer(feed) for feed in feeds]
        joined = {n: np.concatenate([feed[n] for feed in feeds]) for n in self.inputs}
        try:
            values = self.session.run(self.outputs, joined)
        except Exception as error:
            return [self._failed(error) for _ in requests]
        ends = np.cumsum([len(feed[self.inputs[0]]) for feed in feeds])[:-1]
        rows = zip(*(np.split(value, ends) for value in values), strict=True)
        return [self._response(row) for row in rows]

    def _answer(self, feed: dict[str, Any]) -> object:
        try:
            return self._response(self.session.run(self.outputs, feed))
        except Exception as error:
            return self._failed(error)

    def _response(self, values: list[Any] | tuple[Any, ...]) -> object:
        if self.fault.get("nan"):
            values = [np.full_like(value, np.nan) for value in values]
        # Contiguous, as Triton needs them: fresh from ONNX Runtime, or rows of such an array.
        tensors = map(pb_utils.Tensor, self.outputs, values)
        return pb_utils.InferenceResponse(list(tensors))

    @staticmethod
    def _failed(error: Exception) -> object:
        return pb_utils.InferenceResponse([], pb_utils.TritonError(str(error)))

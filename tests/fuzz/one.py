"""One target under Atheris, in a process that ends with it: ``python -m tests.fuzz.one TARGET
CORPUS... [-libfuzzer_option=...]``. Arguments are libFuzzer's
(https://llvm.org/docs/LibFuzzer.html#options)."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import atheris

with atheris.instrument_imports(include=["stream_server", "python_multipart"]):
    from tests.fuzz.targets import TARGETS

if __name__ == "__main__":
    name = sys.argv[1]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[name])
    atheris.Fuzz()

"""Freed memory stays with the process that trains, where the C library can do that."""

import ctypes
import platform
import subprocess
import sys

import pytest

from training.fit.memory import keep_freed_memory

# Pages that are faulted in while 64 MB are allocated, touched and freed twenty times.
FAULTS = """
import resource, sys
import numpy as np
from training.fit.memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
np.ones(8_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(8_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_memory_that_is_kept_is_not_faulted_in_again() -> None:
    def faults(how: str) -> int:
        command = [sys.executable, "-c", FAULTS, how]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    given_back, kept = faults("given back"), faults("kept")
    assert given_back > 20 * 16 and kept < given_back / 10  # 16: numpy may take 4 MB pages


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert keep_freed_memory() is False

#!/usr/bin/env bash
# Makes .venv-triton: the real tritonserver 2.51.0 (container release 24.10, the last for a V100)
# out of the PyPI wheel, with a test-only ONNX Runtime backend. Safe to run again: what is
# already there is kept. For development and tests; production runs the container.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="${TRITON_VENV:-$root/.venv-triton}"
python="${PYTHON:-python3.11}"
wheel_version="0.7.0"
runtime_version="1.19.2"
stamp="$venv/.fakelight-triton-$wheel_version-$runtime_version"

if [ ! -e "$stamp" ]; then
    "$python" -c 'import sys; assert sys.version_info[:2] == (3, 11), f"the Triton wheel needs Python 3.11, this is {sys.version}"'
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    # --no-deps: the wheel's own requirements pull in a second client and numpy 2.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        "nvidia-pytriton==$wheel_version"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        'numpy<2' "onnxruntime==$runtime_version"
fi

server="$("$venv/bin/python" -c 'import importlib.util as u; print(u.find_spec("pytriton").submodule_search_locations[0])')/tritonserver"
backends="$venv/triton-backends"

# Copies, not links: Triton refuses a backend that "escapes backend directory".
mkdir -p "$backends/python" "$backends/onnxruntime"
copy() { cmp --silent "$1" "$2" || cp "$1" "$2"; }
copy "$server/backends/python/libtriton_python.so" "$backends/python/libtriton_python.so"
copy "$server/backends/python/triton_python_backend_utils.py" \
    "$backends/python/triton_python_backend_utils.py"
stub="$server/python_backend_stubs/3.11/triton_python_backend_stub"
[ -e "$stub" ] || stub="$server/backends/python/triton_python_backend_stub"
copy "$stub" "$backends/python/triton_python_backend_stub"
chmod +x "$backends/python/triton_python_backend_stub"
copy "$root/scripts/triton_onnxruntime_backend.py" "$backends/onnxruntime/model.py"

touch "$stamp"
echo "$venv"

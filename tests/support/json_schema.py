"""Files by a schema that check-jsonschema brings along."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def valid_by(schema: str, *files: Path) -> tuple[list[Path], str]:
    """Which of ``files`` are valid, and all that was said of the others."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    command += ["--verbose", "--output-format", "json", *map(str, files)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(ran.stdout)
    assert ran.returncode == (0 if told["status"] == "ok" else 1), ran.stderr
    return [Path(one) for one in told["successes"]], ran.stdout

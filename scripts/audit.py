"""Whether anything that is installed is known to be vulnerable: ``make audit``.

pip-audit asks the OSV database (https://osv.dev) about each distribution of this environment, or of
a list of exact requirements. Exit status: 0 nothing known, 1 something, 2 it could not be asked; a
check that could not be made is never a good one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

OSV = "https://api.osv.dev/v1/query"
_PATIENCE = 20  # seconds for each answer


def asked(requirements: Path | None, url: str) -> subprocess.CompletedProcess[str]:
    """What pip-audit says, as JSON; its log goes to its standard error."""
    what = ["--local", "--skip-editable"]
    if requirements is not None:
        what = ["--requirement", str(requirements), "--no-deps", "--disable-pip"]
    how = ["--vulnerability-service=osv", f"--osv-url={url}", f"--timeout={_PATIENCE}"]
    shown = ["--format=json", "--progress-spinner=off"]
    command = [sys.executable, "-m", "pip_audit", *what, *how, *shown]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def report(found: dict[str, Any]) -> tuple[list[str], int]:
    """A line for each vulnerability and each distribution that was passed over, and how many
    distributions were asked about."""
    lines, count = [], 0
    for one in found["dependencies"]:
        if "skip_reason" in one:
            lines.append(f"{one['name']}: not asked about: {one['skip_reason']}")
            continue
        count += 1
        for known in one["vulns"]:
            mended = ", ".join(known["fix_versions"]) or "no version yet"
            says = known["description"].split("\n")[0][:100]
            lines.append(
                f"{one['name']} {one['version']}: {known['id']}, mended in {mended}: {says}"
            )
    return lines, count


def main() -> int:
    """Ask, and say what is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requirement", type=Path, help="a list of NAME==VERSION instead")
    parser.add_argument("--osv-url", default=OSV, help="another database of the same interface")
    options = parser.parse_args()
    done = asked(options.requirement, options.osv_url)
    try:
        lines, count = report(json.loads(done.stdout))
    except ValueError:
        why = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        print(f"nothing was checked: {options.osv_url} gave no answer ({why[0][:300]})")
        return 2
    for line in lines:
        print(line)
    vulnerable = done.returncode != 0
    print(f"{count} distributions, " + ("VULNERABLE" if vulnerable else "nothing known"))
    return 1 if vulnerable else 0


if __name__ == "__main__":
    raise SystemExit(main())

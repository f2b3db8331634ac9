"""What is new in a version, as ``CHANGELOG.md`` tells it: ``make release-notes``.

    python -m scripts.release_notes [VERSION]      this version unless named; or Unreleased

The file keeps to https://keepachangelog.com: a heading ``## [1.2.3] - 2026-01-31`` for each.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from scripts.version import ROOT, version

CHANGELOG = ROOT / "CHANGELOG.md"
_HEADING = re.compile(r"^## \[([^\]]+)\].*$", re.M)


def notes(wanted: str, page: Path = CHANGELOG) -> str:
    """The part of one version, without its heading. Raises ``ValueError`` where there is none."""
    text = page.read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading[1] == wanted:
            part = text[heading.end() : following.start() if following else None]
            return part.strip() + "\n"
    known = ", ".join(heading[1] for heading in headings)
    raise ValueError(f"{page.name} says nothing of {wanted}; it has {known}")


if __name__ == "__main__":
    try:
        sys.stdout.write(notes(sys.argv[1] if len(sys.argv) > 1 else version()))
    except ValueError as error:
        raise SystemExit(str(error)) from None

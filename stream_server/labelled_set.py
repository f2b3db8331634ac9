"""What people say was judged wrong, as a data set that ``training`` reads.

A ZIP with an ``index.csv`` and what it lists, in the layout ``clips`` of ``training.data.layouts``.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Literal

_COLUMNS = (
    "file",
    "label",
    "method",
    "source",
    "half",
    "source_ids",
    "split",
    "incident",
    "mistake",
    "note",
)
_IN_MEMORY = 16 * 1024 * 1024
# A spreadsheet takes what begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Example:
    """One clip or still, ``data``, that goes into the ZIP as ``file``.

    ``method`` says by what a fake was made, as far as that is known. No split puts examples of one
    ``source_id`` on both sides. ``incident`` or ``mistake`` is the id of what it comes from, and
    ``note`` what the person said of it.
    """

    file: str
    data: bytes
    label: Literal["real", "fake"]
    source: str
    source_id: str
    method: str = ""
    incident: str = ""
    mistake: str = ""
    note: str = ""


def labelled_set(examples: Iterable[Example], more: Iterable[tuple[str, str]] = ()) -> IO[bytes]:
    """The ZIP, to be read from its start; the caller closes it. ``more`` are further texts, each
    with its name in the ZIP."""
    # A spool keeps a large set off the memory.
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - handed to the caller
    listing = io.StringIO(newline="")
    rows = csv.DictWriter(listing, _COLUMNS)
    rows.writeheader()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for one in examples:
            archive.writestr(one.file, one.data)
            rows.writerow(
                {
                    "file": one.file,
                    "label": one.label,
                    "method": one.method,
                    "source": one.source,
                    "half": "full",
                    "source_ids": one.source_id,
                    "split": "",
                    "incident": one.incident,
                    "mistake": one.mistake,
                    "note": f"'{one.note}" if one.note.startswith(_FORMULA) else one.note,
                }
            )
        archive.writestr("index.csv", listing.getvalue())
        for name, text in more:
            archive.writestr(name, text)
    file.seek(0)
    return file

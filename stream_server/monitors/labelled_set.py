"""The incidents that people marked wrong, as a data set that ``training`` reads: real clips.

A ZIP with an ``index.csv`` and its clips, in the layout ``clips`` of ``training.data.layouts``.
What came from one monitor has one source id, so that no split puts the same person on both sides.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from typing import IO

from stream_server.monitors.store.incidents import IncidentTable

_COLUMNS = ("file", "label", "method", "source", "half", "source_ids", "split", "incident")
_IN_MEMORY = 16 * 1024 * 1024


def labelled_set(table: IncidentTable) -> IO[bytes]:
    """The ZIP, to be read from its start; the caller closes it. Incidents without a clip, of
    monitors that asked for no evidence, are left out."""
    # A person's label counts where the clip shows it; a spool keeps a large set off the memory.
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - handed to the caller
    listing = io.StringIO(newline="")
    rows = csv.DictWriter(listing, _COLUMNS)
    rows.writeheader()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for incident in table.find(state="wrong", limit=1_000_000):
            clip = table.picture(incident.id, "clip")
            if clip is None:
                continue
            name = f"clips/{incident.id}.mp4"
            archive.writestr(name, clip[1])
            rows.writerow(
                {
                    "file": name,
                    "label": "real",
                    "method": "",
                    "source": "monitors",
                    "half": "full",
                    "source_ids": incident.monitor,
                    "split": "",
                    "incident": incident.id,
                }
            )
        archive.writestr("index.csv", listing.getvalue())
    file.seek(0)
    return file

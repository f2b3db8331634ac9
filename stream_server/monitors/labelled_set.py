"""The incidents that people marked wrong, as a labelled set: real clips.

What came from one monitor has one source id, so that no split puts the same person on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator

from stream_server.labelled_set import Example
from stream_server.monitors.store.incidents import IncidentTable


def examples(table: IncidentTable) -> Iterator[Example]:
    """Their clips. Incidents without one, of monitors that asked for no evidence, are left out."""
    for incident in table.find(state="wrong", limit=1_000_000):
        clip = table.picture(incident.id, "clip")
        if clip is not None:
            # A person's label counts where the clip shows it.
            yield Example(
                f"clips/{incident.id}.mp4",
                clip[1],
                "real",
                "monitors",
                incident.monitor,
                incident=incident.id,
                note=incident.note,
            )

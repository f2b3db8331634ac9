"""The swapped clips of a trained run: each person's clips with the other's face."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from training.gan.clips import (
    METHOD,
    Made,
    Origin,
    Recording,
    frames,
    swap_clip,
    write_clip,
    write_index,
)
from training.gan.faces import Person
from training.gan.nets import PEOPLE, Swapper
from training.gan.swap import Paste, Tone
from training.gan.warp import middle_of


def make_clips(
    maker: Swapper,
    people: Mapping[str, Person],
    clips: Mapping[str, Sequence[Path]],
    folder: Path,
    crf: int = 16,
) -> list[Made]:
    """Write every clip twice into ``folder``: swapped, and as it was through the same encoder.

    The second is listed as real: otherwise a detector could learn the encoder instead of the swap.
    Raises ``ValueError`` where the people's clips are of different splits, as a swap shows both.
    """
    origins = {path: Origin.of(path) for person in PEOPLE for path in clips[person]}
    splits = {origin.split for origin in origins.values()}
    if len(splits) > 1:
        raise ValueError(
            f"the clips are of the splits {', '.join(sorted(splits))}; a swap shows both people, "
            "so all must be of one"
        )
    size = maker.shape.size
    tones = {person: Tone.of_all(middle_of(people[person].part(False)[0], size))
             for person in PEOPLE}  # fmt: skip
    paste = Paste()
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Made] = []
    for person, other in (PEOPLE, PEOPLE[::-1]):
        donor = origins[clips[other][0]]
        for clip in clips[person]:
            sys.stderr.write(f"\rswapping {clip.name}\033[K")
            origin, recording = origins[clip], Recording.of(clip)
            row = {"split": origin.split, "source": origin.source, "pair": f"gan-{clip.stem}"}
            real = {**row, "label": "real", "method": "", "source_ids": origin.ids}
            fake = {**row, "label": "fake", "method": METHOD,
                    "source_ids": "+".join(dict.fromkeys((origin.ids, donor.ids)))}  # fmt: skip
            plain = (image for image, _ in frames(clip))
            rows.append(write_clip(folder, f"gan-real-{clip.stem}", plain, recording, real, crf))
            swapped = swap_clip(maker, recording, other, tones[other], paste)
            name = f"gan-fake-{clip.stem}-as-{clips[other][0].stem}"
            rows.append(write_clip(folder, name, swapped, recording, fake, crf))
    sys.stderr.write("\n")
    write_index(folder, rows)
    return rows

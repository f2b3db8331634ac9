"""All the videos that a file holds: every stream of every recording."""

from __future__ import annotations

from pathlib import Path

from stream_server.ingest.files.container import is_cover, opened, shown_first
from stream_server.ingest.files.file_range import Place, size_of
from stream_server.ingest.files.joined import Joined
from stream_server.ingest.files.media import Contents, Media, Part, Unread, within
from stream_server.ingest.files.recordings import MOST, recordings
from stream_server.ingest.files.survey import FileSurvey, survey
from stream_server.ingest.files.unusable import UnusableError
from stream_server.ingest.files.video import VideoFile
from stream_server.languages import worded
from stream_server.picture_limits import MAX_VIDEO_PIXELS

_STREAMED = ("flv", "mpegts", "mpeg", "swf")
"""Formats in which nothing follows the last packet, so that what does was not understood."""

_MUCH_BEHIND = 0.05  # of the file
_LEAST_BEHIND = 4096  # bytes: tables and padding may follow the last picture


def video_contents(
    path: Path, name: str, max_pixels: int = MAX_VIDEO_PIXELS, threads: int = 1
) -> Contents:
    """Every video stream of a file, the one that players show first, and what cannot be read.
    Recordings that were joined byte by byte follow one another.

    Raises ``UnusableError`` where there is nothing to look at.
    """
    pieces = recordings(path)
    unread: list[Unread] = []
    left = path.stat().st_size - pieces[-1].end
    if left > _MUCH_BEHIND * path.stat().st_size:
        reason = worded(
            "the file breaks off in the header of a fragment, {count} bytes before its end",
            count=left,
        )
        unread.append(Unread(worded("the end of the file"), "damaged", reason, pictures=1))
    if len(pieces) == 1:
        found = recording_contents(pieces[0] if left else path, name, max_pixels, threads)
        return Contents(found.parts, (*found.unread, *unread))
    shown: list[Media] = []
    others: list[Part] = []
    refusal: UnusableError | None = None
    for number, piece in enumerate(pieces[:MOST], 1):
        label = worded("recording {number} of {count}", number=number, count=len(pieces))
        try:
            found = recording_contents(piece, name, max_pixels, threads)
        except UnusableError as error:
            refusal = refusal or error
            sound = error.code == "no_video"
            unread.append(Unread(label, error.code, error.detail, pictures=not sound))
            continue
        shown.append(found.parts[0].media)
        others += [Part(one.media, within(label, one.label)) for one in found.parts[1:]]
        unread += [_of(label, one) for one in found.unread]
    if len(pieces) > MOST:
        reason = worded("only the first {count} recordings of a file are looked at", count=MOST)
        unread.append(Unread(worded("the rest of the file"), "too_many_pages", reason, pictures=1))
    if not shown:
        assert refusal is not None
        raise refusal
    return Contents((Part(Joined(shown)), *others), tuple(unread))


def recording_contents(
    place: Place, name: str, max_pixels: int = MAX_VIDEO_PIXELS, threads: int = 1
) -> Contents:
    """As ``video_contents``, of the one recording that lies at ``place``."""
    with opened(place, name) as container:
        first = shown_first(container, name)
        others = [s.index for s in container.streams.video if s.index != first.index]
        covers = {s.index for s in container.streams.video if is_cover(s)}
        numbers = [first.index, *others]
        surveyed = survey(container)
        streamed = container.format.name in _STREAMED
    parts: list[Part] = []
    unread: list[Unread] = []
    if reason := _left_behind(place, surveyed, streamed):
        unread.append(Unread(worded("the end of the file"), "damaged", reason, pictures=1))
    refusal: UnusableError | None = None
    for nth, number in enumerate(numbers, 1):
        label = ""
        if len(numbers) > 1:
            label = worded("video stream {number} of {count}", number=nth, count=len(numbers))
        own = surveyed.streams.get(number)
        if own is None and len(numbers) > 1:
            unread.append(Unread(label, "empty", worded("it holds no pictures")))
            continue
        try:
            video = VideoFile(place, name, max_pixels, threads, number, surveyed)
        except UnusableError as error:
            refusal = refusal or error
            seconds = own.timeline(0, 0.0).end if own else 0.0
            unread.append(Unread(label, error.code, error.detail, seconds, number in covers))
            continue
        parts.append(Part(video, worded("the cover picture") if number in covers else label))
    if not parts:
        raise refusal or UnusableError(
            "no_video", worded("{file}: no video stream of it holds a picture", file=name)
        )
    return Contents(tuple(parts), tuple(unread))


def _left_behind(place: Place, surveyed: FileSurvey, streamed: bool) -> str:
    """Why more of the file may be video than was read, empty where nothing speaks for it."""
    behind = size_of(place) - surveyed.read_bytes if surveyed.read_bytes else 0
    much = behind > max(_MUCH_BEHIND * size_of(place), _LEAST_BEHIND)
    if much and (streamed or surveyed.stopped):
        return worded(
            "{count} bytes follow the last picture that can be read, as of another recording",
            count=behind,
        )
    if surveyed.stopped and not surveyed.read_bytes:
        return worded("what follows the last picture that can be read is of another kind")
    return ""


def _of(label: str, one: Unread) -> Unread:
    return Unread(within(label, one.what), one.code, one.reason, one.seconds, one.pictures)

"""The process that reads one live source: ``python -m stream_server.ingest.urls.reader``.

Whatever a stream does to its demuxer and decoder, it does to this process alone, which has limits
on its memory and its files and can be killed at any time. It hands pictures over when asked, always
the newest; see ``messages`` for how.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO

import av
import cv2

from stream_server.addresses import AllowedHosts
from stream_server.ingest.files.rgb import upright_rgb
from stream_server.ingest.urls.conditions import REASONS, PictureWatch, SoundWatch
from stream_server.ingest.urls.decoding import DecodeChoice
from stream_server.ingest.urls.limits import ReaderLimits
from stream_server.ingest.urls.messages import ReaderJob
from stream_server.ingest.urls.opening import Opened, SourceRequest, open_source
from stream_server.ingest.urls.outbox import Outbox
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from stream_server.ingest.urls.timing import Backlog, Pace, Timeline
from stream_server.redaction import redact
from stream_server.rhythm import Rhythm

_BEAT = 1.0  # seconds between two signs of life
_WAIT = 0.25  # seconds: a source that let us wait this long had nothing more
_GAP = 2.0  # seconds: what is missing in a stream this long is not waited for
# Decoders that a stranger's stream may choose.
_CODECS = {
    "h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "libvpx", "libvpx-vp9", "mpeg1video",
    "mpeg2video", "mpeg4", "h263", "flv", "theora", "mjpeg", "vvc", "vc1", "prores",
}  # fmt: skip


class Reader:
    """Reads one source until it ends; ``outbox`` is told all there is to say."""

    def __init__(self, job: ReaderJob, outbox: Outbox) -> None:
        self._job = job
        self._outbox = outbox
        self._limits = ReaderLimits(job.max_pixels, job.side)
        self._picture = PictureWatch()
        self._sound = SoundWatch()
        self._rhythm = Rhythm(job.sample_hz)
        self._kind = ""
        self._beat = 0.0

    def run(self) -> None:
        """Raises nothing: how it ended is the last thing that is said."""
        kind, reason = "gone", "the source ended"
        try:
            with ExitStack() as stack:
                opened = open_source(_request(self._job), stack)
                self._play(opened)
                if opened.ended():
                    kind, reason = "ended", "the source has come to its end"
        except RefusedSourceError as error:
            kind, reason = "failed", str(error)
        except SourceGoneError as error:
            reason = str(error)
        except MemoryError:
            limit = self._limits.memory
            reason = f"reading it takes more memory than the limit of {limit} bytes"
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = f"it cannot be read: {_words(error)}"
        self._say(kind, reason)

    def _play(self, opened: Opened) -> None:
        video, audio = self._streams(opened.container)
        rate = float(video.average_rate or video.guessed_rate or 0)
        player = _Player(opened, DecodeChoice(self._job.sample_hz, rate), rate)
        try:
            for packet, waited in _packets(opened.container, video, audio):
                if packet.stream is video:
                    self._live()
                    for frame, at in player.frames(packet, waited, self._rhythm):
                        self._saw(frame, at)
                elif player.timeline.now >= 0:
                    self._heard(packet, player.timeline.now)
        except (av.FFmpegError, OSError):
            problem = opened.problem()
            if problem is None:
                raise
            raise problem from None
        problem = opened.problem()
        if isinstance(problem, RefusedSourceError) or (problem and not opened.ended()):
            raise problem

    def _streams(self, container: Any) -> tuple[Any, Any]:
        if not container.streams.video:
            sound = "only sound" if container.streams.audio else "no video"
            raise SourceGoneError(f"the stream holds {sound}; there is nothing to look at")
        video = max(container.streams.video, key=lambda one: (one.width or 0) * (one.height or 0))
        context = video.codec_context
        if context is None or context.codec.name not in _CODECS:
            name = "unknown" if context is None else context.codec.name
            raise RefusedSourceError(f"the stream's video codec, {name}, is not watched")
        self._check(context.width or 0, context.height or 0)
        context.options = {"max_pixels": str(self._job.max_pixels)}
        context.thread_count = 1
        audio = container.streams.audio[0] if container.streams.audio else None
        return video, audio

    def _check(self, width: int, height: int) -> None:
        if width * height > self._job.max_pixels:
            raise RefusedSourceError(
                f"the stream has {width}x{height} pixels; the limit is"
                f" {self._job.max_pixels} in all"
            )

    def _saw(self, frame: Any, at: float) -> None:
        self._check(frame.width, frame.height)
        image = upright_rgb(frame, self._job.side)
        kind = self._picture.saw(image, at) or ("silent" if self._sound.silent(at) else "playing")
        self._say(kind, REASONS.get(kind, ""))
        if kind in ("black", "frozen"):
            self._outbox.drop()
        else:
            self._outbox.offer(image, media_time=at, captured_at=time.time())

    def _heard(self, packet: Any, at: float) -> None:
        with suppress(av.FFmpegError, OSError, ValueError):
            for frame in packet.decode():
                self._sound.heard(frame, at)

    def _say(self, kind: str, reason: str) -> None:
        if kind != self._kind:
            self._kind = kind
            self._outbox.say(type="state", kind=kind, reason=redact(reason, self._job.url))

    def _live(self) -> None:
        now = time.monotonic()
        if now - self._beat >= _BEAT:
            self._beat = now
            self._outbox.say(type="beat")


class _Player:
    """From packets of video to the frames that are due, when they are due."""

    def __init__(self, opened: Opened, choice: DecodeChoice, rate: float) -> None:
        self.timeline = Timeline(1 / rate if rate > 0 else 0.04)
        self._choice = choice
        self._pace = None if opened.speed is None else Pace(opened.speed)
        self._backlog = Backlog()
        self._behind = False

    def frames(self, packet: Any, waited: float, rhythm: Rhythm) -> Iterator[tuple[Any, float]]:
        """The frames that are to be looked at, each with its media time in seconds."""
        stamp = None if packet.pts is None else float(packet.pts * packet.time_base)
        about = None if stamp is None else self.timeline.peek(stamp)
        if about is not None:
            self._watch(about, waited)
        self._choice.before(packet, about, self._behind, packet.stream.codec_context)
        try:
            decoded = packet.decode()
        except (av.FFmpegError, OSError):
            return
        for frame in decoded:
            before = self.timeline.now
            at = self.timeline.place(None if frame.pts is None else float(frame.time))
            if at is None or frame.is_corrupt:
                continue
            if before >= 0:
                self._choice.decoded(before, at)
            if rhythm.due(at):
                self._wait_for(at)
                yield frame, at

    def _watch(self, about: float, waited: float) -> None:
        now = time.monotonic()
        if self._pace is None:
            self._backlog.took(waited, about, now)
            self._behind = self._backlog.behind
            return
        if waited >= _WAIT and self._pace.wait(about, now) < 0:
            self._pace.waited(about, now)
        self._behind = self._pace.behind(about, now)

    def _wait_for(self, at: float) -> None:
        if self._pace is None:
            return
        now = time.monotonic()
        delay = self._pace.wait(at, now)
        if delay > _GAP:
            self._pace.waited(at, now)
        elif delay > 0:
            time.sleep(delay)


def _packets(container: Any, video: Any, audio: Any) -> Iterator[tuple[Any, float]]:
    """Each packet, and the seconds that it was waited for."""
    packets = container.demux(*filter(None, (video, audio)))
    while True:
        began = time.monotonic()
        packet = next(packets, None)
        if packet is None:
            return
        yield packet, time.monotonic() - began


def _request(job: ReaderJob) -> SourceRequest:
    files = Path(job.files) if job.files else None
    return SourceRequest(job.url, AllowedHosts.parse(job.hosts), job.side, files)


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _limit(limits: ReaderLimits) -> None:
    """Take away from this process what reading does not need; Windows has no such limits."""
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (limits.memory, limits.memory))
        resource.setrlimit(resource.RLIMIT_NOFILE, (limits.files, limits.files))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _obey(file: BinaryIO, outbox: Outbox) -> None:
    while file.read(1):
        outbox.want()
    os._exit(0)  # whoever started this is gone, or has had enough


def main() -> int:
    """Read the source that stdin names; pictures and states go to stdout."""
    job = ReaderJob.parse(sys.stdin.buffer.readline())
    _limit(ReaderLimits(job.max_pixels, job.side))
    av.logging.set_level(None)
    cv2.setNumThreads(1)
    outbox = Outbox(sys.stdout.buffer)
    obeying = threading.Thread(target=_obey, args=(sys.stdin.buffer, outbox), daemon=True)
    obeying.start()
    Reader(job, outbox).run()
    outbox.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

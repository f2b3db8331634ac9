"""Live media for tests, made by PyAV: a picture that moves, with a tone, in any live form."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from stream_server.vision.types import Image

RATE = 25
_SOUND = 48000
_TONE = 1024  # samples of one frame of sound


def moving(time: float, size: tuple[int, int] = (320, 180)) -> Image:
    """A bright bar that crosses a grey picture in two seconds."""
    width, height = size
    picture = np.full((height, width, 3), 90, np.uint8)
    left = int((time % 2.0) / 2.0 * (width - 40))
    picture[:, left : left + 40] = (230, 180, 60)
    return picture


def write_live(
    target: Path | BinaryIO,
    form: str,
    seconds: float = 6.0,
    *,
    size: tuple[int, int] = (320, 180),
    picture: Any = None,
    codec: str = "libx264",
    sound: bool = False,
    loud: float = 0.3,
    key_every: int = RATE,
    bframes: int = 0,
    start: float = 0.0,
    options: dict[str, str] | None = None,
) -> None:
    """Encode ``seconds`` of ``picture(time)`` into ``target``, in FFmpeg's format ``form``.

    ``start`` is the time stamp of the first frame; ``loud`` the tone's height, 0 to 1; every
    ``key_every`` frames there is a key frame.
    """
    shown = picture or (lambda time: moving(time, size))
    to = str(target) if isinstance(target, Path) else target
    with av.open(to, "w", format=form, options=options or {}) as output:
        video: Any = output.add_stream(codec, rate=RATE)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.thread_count = 1  # those of libvpx spin while they wait
        video.gop_size = key_every
        fast = {"preset": "ultrafast", "sc_threshold": "0", "bf": str(bframes)}
        video.options = fast if codec == "libx264" else {"deadline": "realtime", "cpu-used": "8"}
        audio: Any = output.add_stream("aac", rate=_SOUND, layout="mono") if sound else None
        heard = 0
        for number in range(round(seconds * RATE)):
            frame: Any = av.VideoFrame.from_ndarray(shown(number / RATE), format="rgb24")
            frame.pts, frame.time_base = round(number + start * RATE), Fraction(1, RATE)
            output.mux(video.encode(frame))
            while audio is not None and heard / _SOUND <= number / RATE:
                output.mux(audio.encode(_tone(heard, loud, start)))
                heard += _TONE
        output.mux(video.encode())
        if audio is not None:
            output.mux(audio.encode())


def live_bytes(form: str, seconds: float = 6.0, **chosen: Any) -> bytes:
    """The same as bytes."""
    file = io.BytesIO()
    write_live(file, form, seconds, **chosen)
    return file.getvalue()


def write_hls(folder: Path, seconds: float = 6.0, **chosen: Any) -> Path:
    """An HLS playlist with segments of two seconds, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {"hls_time": "2", "hls_list_size": "0", **chosen.pop("options", {})}
    write_live(folder / "live.m3u8", "hls", seconds, key_every=50, options=options, **chosen)
    return folder / "live.m3u8"


def write_dash(folder: Path, seconds: float = 6.0, **chosen: Any) -> Path:
    """A DASH manifest with segments of two seconds, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {"seg_duration": "2", **chosen.pop("options", {})}
    write_live(folder / "live.mpd", "dash", seconds, key_every=50, options=options, **chosen)
    return folder / "live.mpd"


def _tone(sample: int, loud: float, start: float) -> Any:
    times = np.arange(sample, sample + _TONE) / _SOUND
    wave = (loud * np.sin(2 * np.pi * 440 * times)).astype(np.float32)[None]
    frame: Any = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
    frame.sample_rate, frame.time_base = _SOUND, Fraction(1, _SOUND)
    frame.pts = sample + round(start * _SOUND)
    return frame

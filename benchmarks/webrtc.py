"""How long a verdict takes over WebRTC: N sources at 640x360 and 2 Mbit/s, 30 frames a second.

    python benchmarks/webrtc.py [--streams 1] [--seconds 20] [--models DIR] [--json PATH|-]

A server process of its own gets the sample clip over WHIP from this one. The clip is encoded once,
before the measurement, so that the encoders of four sources do not take the cores of the server
under test. The lag is from a frame's first packet leaving to its verdict on the data channel, both
on this machine's clock; it leaves out capture and encoding (about 5 ms a frame here).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx2 as httpx
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from stream_server import __version__, resources
from stream_server.bench.server import ServerProcess, own_server
from stream_server.ingest.files.video import VideoFile

RATE = 30
BITS = 2_000_000
WARM_UP = 5.0


def encoded_clip(path: Path, bits: int = BITS) -> list[bytes]:
    """The clip as VP8 at 640x360, one key frame at its start, as a live encoder makes it."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.bit_rate, encoder.gop_size = bits, 3000
    encoder.time_base = Fraction(1, RATE)
    encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    packets: list[bytes] = []
    for number, frame in enumerate(VideoFile(path, str(path)).every_frame()):
        picture = av.VideoFrame.from_ndarray(frame.image, format="rgb24")
        small = picture.reformat(640, 360, "yuv420p")
        small.pts, small.time_base = number, Fraction(1, RATE)
        packets += [bytes(packet) for packet in encoder.encode(small)]
    return packets


class Loop(MediaStreamTrack):
    """The encoded clip again and again in real time."""

    kind = "video"

    def __init__(self, packets: list[bytes]) -> None:
        super().__init__()
        self.packets = packets
        self.count = 0
        self.begun = time.monotonic()

    async def recv(self) -> Any:
        due = self.begun + self.count / RATE
        await asyncio.sleep(max(due - time.monotonic(), 0))
        packet = av.Packet(self.packets[self.count % len(self.packets)])
        packet.pts, packet.time_base = self.count, Fraction(1, RATE)
        self.count += 1
        return packet


class Source:
    """One WHIP source and what it saw."""

    def __init__(self) -> None:
        self.sent: dict[int, float] = {}
        self.lags: list[float] = []
        self.scored = 0
        self.measuring = False
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def publish(self, server: ServerProcess, packets: list[bytes]) -> None:
        channel = self.peer.createDataChannel("verdicts")
        channel.on("message", self.hear)
        self.peer.addTransceiver(Loop(packets), direction="sendonly")
        vp8 = [
            codec
            for codec in self.peer.getSenders()[0].getCapabilities("video").codecs
            if codec.mimeType == "video/VP8"
        ]
        self.peer.getTransceivers()[0].setCodecPreferences(vp8)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        async with httpx.AsyncClient(timeout=30) as http:
            answer = await http.post(
                f"http://127.0.0.1:{server.port}/whip",
                content=self.peer.localDescription.sdp,
                headers={
                    "Authorization": f"Bearer {server.token}",
                    "Content-Type": "application/sdp",
                },
            )
        if answer.status_code != 201:
            raise RuntimeError(f"the server answered {answer.status_code}: {answer.text}")
        await self.peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        transport = self.peer.getSenders()[0].transport
        send = transport._send_rtp

        async def note(data: bytes) -> None:
            if not 64 <= data[1] & 0x7F <= 95:  # RTP, not RTCP (RFC 5761)
                self.sent.setdefault(int.from_bytes(data[4:8], "big"), time.monotonic())
            await send(data)

        transport._send_rtp = note

    def hear(self, text: str) -> None:
        message = json.loads(text)
        if message["type"] != "verdict" or not self.measuring:
            return
        sent = self.sent.get(message["frame_id"])
        if sent is not None:
            self.lags.append((time.monotonic() - sent) * 1000)
        self.scored += any(face["probability"] is not None for face in message["faces"])


async def measure(server: ServerProcess, streams: int, seconds: float) -> dict[str, Any]:
    packets = encoded_clip(resources.sample_clip())
    sources = [Source() for _ in range(streams)]
    for source in sources:
        await source.publish(server, packets)
    await asyncio.sleep(WARM_UP)
    begun, cpu, memory = time.monotonic(), server.cpu_seconds(), server.memory_mb()
    for source in sources:
        source.measuring = True
    await asyncio.sleep(seconds)
    elapsed = time.monotonic() - begun
    cpu_after, memory_after = server.cpu_seconds(), server.memory_mb()
    for source in sources:
        source.measuring = False
        await source.peer.close()
    lags = sorted(lag for source in sources for lag in source.lags)
    bits = sum(map(len, packets)) * 8 * RATE / len(packets)
    return {
        "version": __version__,
        "machine": f"{os.cpu_count()} x {platform.machine()}",
        "load_average": round(os.getloadavg()[0], 2),
        "streams": streams,
        "seconds": round(elapsed, 1),
        "mbit_per_s_each": round(bits / 1e6, 2),
        "verdicts_per_s_slowest": round(min(len(s.lags) for s in sources) / elapsed, 2),
        "with_probability": sum(source.scored for source in sources),
        "lag_p50_ms": percentile(lags, 0.5),
        "lag_p95_ms": percentile(lags, 0.95),
        "lag_p99_ms": percentile(lags, 0.99),
        "server_cores": None if cpu is None else round((cpu_after - cpu) / elapsed, 2),
        "memory_mb_before": memory and round(memory),
        "memory_mb_after": memory_after and round(memory_after),
    }


def percentile(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1) if ordered else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--models", help="a model repository")
    parser.add_argument("--json", help="a path, or - for stdout")
    options = parser.parse_args()
    more = ["--models", options.models] if options.models else []
    with own_server(*more) as server:
        figures = asyncio.run(measure(server, options.streams, options.seconds))
    text = json.dumps(figures, indent=2)
    if options.json and options.json != "-":
        Path(options.json).write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

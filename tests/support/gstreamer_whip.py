"""A WHIP source of another make, GStreamer's webrtcbin: a program for the system's Python.

    python3 gstreamer_whip.py URL TOKEN vp8|h264 PICTURE.png SECONDS

Publishes the picture and prints the session's Location on one line.
"""

from __future__ import annotations

import sys
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ENCODERS = {
    "vp8": "vp8enc deadline=1 target-bitrate=2000000 keyframe-max-dist=60 ! rtpvp8pay",
    "h264": "x264enc tune=zerolatency bitrate=2000 key-int-max=60 speed-preset=ultrafast"
    " ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1"
    " aggregate-mode=zero-latency",
}
NAMES = {"vp8": "VP8", "h264": "H264"}


class Source:
    def __init__(self, url: str, token: str, codec: str, picture: str) -> None:
        self.url, self.token, self.location = url, token, ""
        self.loop = GLib.MainLoop()
        self.status = 0
        self.pipeline = Gst.parse_launch(
            f"webrtcbin name=out bundle-policy=max-bundle"
            f" filesrc location={picture} ! pngdec ! imagefreeze is-live=true"
            f" ! video/x-raw,framerate=30/1 ! videoconvert ! video/x-raw,format=I420"
            f" ! {ENCODERS[codec]} pt=96 ! application/x-rtp,media=video,"
            f"encoding-name={NAMES[codec]},payload=96,clock-rate=90000 ! out."
        )
        self.out = self.pipeline.get_by_name("out")
        self.out.connect("on-negotiation-needed", self.begin)
        self.out.connect("notify::ice-gathering-state", self.gathered)
        self.posted = False

    def begin(self, _: Any) -> None:
        self.out.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))

    def offered(self, promise: Any) -> None:
        reply = promise.get_reply()  # kept, for the offer lives in it
        offer = reply.get_value("offer")
        self.out.emit("set-local-description", offer, Gst.Promise.new())

    def gathered(self, *_: Any) -> None:
        state = self.out.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.posted:
            self.posted = True
            GLib.idle_add(self.post)

    def post(self) -> bool:
        sdp = self.out.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(self.url, sdp.encode(), self.headers("application/sdp"))
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.location = answer.headers["Location"]
            text = answer.read()
        print(self.location, flush=True)
        _, parsed = GstSdp.SDPMessage.new_from_text(text.decode())
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        described = GstWebRTC.WebRTCSessionDescription.new(kind, parsed)
        self.out.emit("set-remote-description", described, Gst.Promise.new())
        return False

    def headers(self, kind: str) -> dict[str, str]:
        return {"Content-Type": kind, "Authorization": f"Bearer {self.token}"}

    def run(self, seconds: float) -> int:
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.failed)
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add(int(seconds * 1000), self.loop.quit)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        return self.status

    def failed(self, _: Any, message: Any) -> None:
        print(message.parse_error(), file=sys.stderr)
        self.status = 1
        self.loop.quit()


if __name__ == "__main__":
    Gst.init(None)
    url, token, codec, picture, seconds = sys.argv[1:6]
    sys.exit(Source(url, token, codec, picture).run(float(seconds)))

#!/usr/bin/env bash
# Everything that `make test` needs beside the Python environment: a browser, Node.js for the
# extension's tests and type check, GStreamer and nginx for WebRTC, and the real Triton. Safe to run
# again.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
command -v chromium > /dev/null || scripts/system_packages.sh chromium fonts-dejavu-core
# Debian keeps Chromium's own languages apart; the extension speaks the browser's.
! command -v apt-get > /dev/null || scripts/system_packages.sh chromium-l10n
# An independent WHIP source, a TLS proxy, live sources of other makes, and what sees every
# connection a process makes; their tests say why they skip where these are missing.
if command -v apt-get > /dev/null; then
    command -v firefox > /dev/null || command -v firefox-esr > /dev/null || scripts/system_packages.sh firefox-esr
    scripts/system_packages.sh python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice \
        gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly nginx-light caddy strace \
        ffmpeg libnginx-mod-rtmp gir1.2-gst-rtsp-server-1.0 postgresql prometheus systemd iproute2
fi
if ! command -v kubectl > /dev/null && command -v apt-get > /dev/null; then
    scripts/system_packages.sh kubernetes-client
fi
scripts/npm.sh --version > /dev/null
scripts/triton_env.sh > /dev/null

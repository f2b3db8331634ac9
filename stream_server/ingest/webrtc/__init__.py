"""The WebRTC transport: WHIP (RFC 9725) in, a data channel or server-sent events out."""

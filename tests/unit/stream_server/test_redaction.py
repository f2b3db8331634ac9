from __future__ import annotations

import pytest

from stream_server.redaction import (
    redact,
    secrets_of,
    without_credentials,
    without_secrets,
)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://cdn.example/live/a.m3u8", "https://cdn.example/live/a.m3u8"),
        ("rtsp://cam:hunter22@10.0.0.5:554/main", "rtsp://***@10.0.0.5:554/main"),
        ("rtsp://cam%3Ahunter22%4010.0.0.5/main", "rtsp://***@10.0.0.5/main"),
        ("rtsp://cam:hun/ter22@10.0.0.5/main", "rtsp://***@10.0.0.5/main"),
        ("https://h/a?token=abcdef&b=1", "https://h/a?token=***&b=***"),
        ("https://h/a?abcdef", "https://h/a?***"),
        ("https://h/a#access_token=abcdef", "https://h/a"),
        ("https://h/hdntl=exp=1~hmac=abcdef/a.m3u8", "https://h/***/a.m3u8"),
        ("https://h/8f14e45fceea167a5a36dedd4bea2543/a.m3u8", "https://h/***/a.m3u8"),
        ("srt://h:9000?passphrase=abcdefgh&streamid=x", "srt://h:9000?passphrase=***&streamid=***"),
        ("https%3A%2F%2Fcam%3Ahunter22%40h%2Fa", "https://***@h/a"),
        ("data:text/plain,secret", "data:***"),
        ("no address", "no address"),
        ("mailto:desk@example.org?body=secret", "mailto:desk@example.org"),
        ("https://cam.example/live.m3u8", "https://cam.example/live.m3u8"),
        ("rtsp://me:pass@cam.lan:554/1", "rtsp://***@cam.lan:554/1"),
        ("rtsp://me:p@ss@cam.lan/1", "rtsp://***@cam.lan/1"),
        ("https://x/y?token=secret&n=1#secret", "https://x/y?token=***&n=***"),
        ("https://x/y?secret&&a=b=c", "https://x/y?***&a=***"),
        ("srt://[::1]:9000?passphrase=secret", "srt://[::1]:9000?passphrase=***"),
        ("http://[secret/", "***"),
        ("/a/file.ts", "/a/file.ts"),
    ],
)
def test_what_opens_doors_is_not_shown(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


SECRET = "hunter22"


@pytest.mark.parametrize(
    "text",
    [
        "cannot open rtsp://cam:hunter22@10.0.0.5/main now",
        "401 for 'https://cam:hunter22@h/a?sig=hunter22'",
        "redirected to https%3a%2f%2fcam%3ahunter22%40h%2Fa",
        'Digest username="cam", realm="x", hunter22',
        "https://other.example/?key=hunter22",
    ],
)
def test_nothing_secret_is_left_in_a_text(text: str) -> None:
    url = "rtsp://cam:hunter22@10.0.0.5/main"
    assert SECRET not in redact(text, url)
    assert "cam:hunter22" not in redact(text)


def test_encoded_secrets_are_found_decoded_too() -> None:
    url = "https://u:p%40ssw%C3%B6rd@h/?token=a%2Fb%2Fc%2Fd"
    assert {"p@sswörd", "p%40ssw%C3%B6rd", "a/b/c/d", "a%2Fb%2Fc%2Fd"} <= secrets_of(url)
    shown = redact("no: p@sswörd a/b/c/d p%40ssw%C3%B6rd", url)
    assert shown == "no: *** *** ***"


def test_credentials_are_taken_out() -> None:
    assert without_credentials("https://u:p%40s@h:8/a?b=c@d") == (
        "https://h:8/a?b=c@d",
        ("u", "p@s"),
    )
    assert without_credentials("https://h/a") == ("https://h/a", None)

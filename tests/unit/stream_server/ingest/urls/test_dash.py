from __future__ import annotations

from pathlib import Path

import pytest

from stream_server.ingest.urls.dash import DashTranslator, is_manifest
from stream_server.ingest.urls.limits import MAX_SEGMENTS
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from tests.support.live_media import write_dash

URL = "https://cdn.example/live/a.mpd"
NOW = 1_000_000.0  # seconds since 1970: 1970-01-12T13:46:40


def manifest(inside: str, head: str = "", kind: str = "dynamic") -> bytes:
    return (
        f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="{kind}"'
        f' xmlns:xlink="http://www.w3.org/1999/xlink" availabilityStartTime="1970-01-12T13:46:00Z"'
        f' mediaPresentationDuration="PT9S">{head}<Period id="1" start="PT0S">'
        f'<AdaptationSet mimeType="video/mp4">{inside}</AdaptationSet></Period></MPD>'
    ).encode()


def one(template: str, attributes: str = 'id="v1" bandwidth="7" width="1280" height="720"') -> str:
    return f"<Representation {attributes}>{template}</Representation>"


def translated(data: bytes, translator: DashTranslator | None = None) -> list[str]:
    translator = translator or DashTranslator(960, lambda: NOW)
    return translator(data, URL).decode().splitlines()


NUMBERS = (
    '<SegmentTemplate timescale="1000" duration="2000" startNumber="5"'
    ' initialization="$RepresentationID$/i.mp4" media="$RepresentationID$/$Number%04d$.m4s"/>'
)


def test_numbered_segments_are_counted_by_the_clock() -> None:
    lines = translated(manifest(one(NUMBERS)))
    assert '#EXT-X-MAP:URI="https://cdn.example/live/v1/i.mp4"' in lines
    addresses = [line for line in lines if not line.startswith("#")]
    # 40 s after the beginning 20 are whole, of which the last is left to slower clocks.
    assert addresses[-1] == "https://cdn.example/live/v1/0023.m4s" and len(addresses) == 6
    assert "#EXT-X-MEDIA-SEQUENCE:18" in lines and "#EXT-X-ENDLIST" not in lines


def timeline(first: int, count: int) -> bytes:
    return manifest(
        one(
            '<SegmentTemplate timescale="10" media="t$Time$.m4s" initialization="i.mp4">'
            f'<SegmentTimeline><S t="{first}" d="20" r="{count - 1}"/></SegmentTimeline>'
            "</SegmentTemplate>"
        )
    )


def test_segments_that_are_named_by_time_keep_their_numbers_from_list_to_list() -> None:
    translator = DashTranslator(960, lambda: NOW)
    before = translated(timeline(100, 4), translator)
    after = translated(timeline(140, 4), translator)
    assert before[-1].endswith("t160.m4s") and after[-1].endswith("t200.m4s")

    def numbered(lines: list[str]) -> dict[str, int]:
        first = next(int(line.split(":")[1]) for line in lines if "SEQUENCE" in line)
        return {line: first + i for i, line in enumerate(x for x in lines if x[0] != "#")}

    shared = numbered(before).keys() & numbered(after).keys()
    assert len(shared) == 2
    assert all(numbered(before)[name] == numbered(after)[name] for name in shared)
    apart = translated(timeline(9000, 2), translator)
    assert min(numbered(apart).values()) > max(numbered(after).values())


def test_an_open_end_goes_on_until_now_and_a_closed_one_until_the_next_entry() -> None:
    open_end = timeline(0, 1).replace(b'r="0"', b'r="-1"')
    assert translated(open_end)[-1].endswith("t380.m4s")
    closed = timeline(0, 1).replace(b'r="0"/>', b'r="-1"/><S t="60" d="20"/>')
    assert [x[-8:] for x in translated(closed) if x[0] != "#"] == [
        "e/t0.m4s", "/t20.m4s", "/t40.m4s", "/t60.m4s"
    ]  # fmt: skip


def test_a_stream_that_has_begun_may_have_no_segment_yet() -> None:
    empty = manifest(one("<SegmentTemplate><SegmentTimeline/></SegmentTemplate>"))
    with pytest.raises(SourceGoneError, match="no segment yet"):
        translated(empty)


def test_lists_and_single_files_have_an_end() -> None:
    listed = manifest(
        one(
            '<SegmentList duration="3"><Initialization sourceURL="i.mp4"/>'
            '<SegmentURL media="1.m4s"/><SegmentURL media="2.m4s"/></SegmentList>'
        ),
        kind="static",
    )
    assert translated(listed)[-2:] == ["https://cdn.example/live/2.m4s", "#EXT-X-ENDLIST"]
    single = manifest(one("<BaseURL>all.mp4</BaseURL><SegmentBase/>"), kind="static")
    assert "https://cdn.example/live/all.mp4" in translated(single)
    counted = manifest(one(NUMBERS), kind="static")
    assert sum(not line.startswith("#") for line in translated(counted)) == 5


def test_addresses_build_on_one_another() -> None:
    head = "<BaseURL>https://other.example/x/</BaseURL><Location>../b.mpd?s=1</Location>"
    translator = DashTranslator(960, lambda: NOW)
    lines = translated(manifest(one("<BaseURL>y/</BaseURL>" + NUMBERS), head), translator)
    assert lines[-1].startswith("https://other.example/x/y/v1/")
    assert translator.location == "https://cdn.example/b.mpd?s=1"


def test_the_smallest_that_loses_nothing_is_chosen() -> None:
    sizes = [(320, 180, 1), (1280, 720, 2), (1920, 1080, 3)]
    inside = "".join(
        one(NUMBERS, f'id="w{w}" bandwidth="{b}" width="{w}" height="{h}"') for w, h, b in sizes
    )
    assert "/w1280/" in translated(manifest(inside))[-1]


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "concat:a|b", "data:,a", "ftp://h/", "subfile,,start,0,end,9,,:/etc/x"],
)
@pytest.mark.parametrize(
    "place",
    [
        "<BaseURL>{}</BaseURL>",
        "<Location>{}</Location>",
        '<SegmentTemplate media="{}"/>',
        '<SegmentTemplate initialization="{}"/>',
        '<SegmentList><SegmentURL media="{}"/></SegmentList>',
        '<SegmentBase><Initialization sourceURL="{}"/></SegmentBase>',
    ],
)
def test_other_schemes_are_refused_wherever_they_stand(place: str, address: str) -> None:
    with pytest.raises(RefusedSourceError, match="only http and https"):
        translated(manifest(one(NUMBERS), place.format(address)))


def test_a_scheme_that_a_template_puts_together_is_not_opened_either() -> None:
    """What comes out is a playlist, and is checked as one."""
    smuggled = manifest(
        one('<SegmentTemplate duration="2" media="$RepresentationID$"/>', 'id="file:///etc/passwd"')
    )
    from stream_server.ingest.urls.playlists import checked_playlist

    with pytest.raises(RefusedSourceError):
        checked_playlist("\n".join(translated(smuggled)).encode(), URL, 960)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (manifest(one(NUMBERS), '<Period xlink:href="http://h/p"/>'), "xlink"),
        (manifest(one(NUMBERS + "<ContentProtection/>")), "encrypted"),
        (manifest(one('<SegmentTemplate media="a$Number$"/>')), "no duration"),
        (timeline(0, 10_000), f"10000 segments; the limit is {MAX_SEGMENTS}"),
        (timeline(0, 999_999_999_999), "999999999999 segments"),
        (manifest(one(NUMBERS) * 101), "101 representations"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]>' + manifest(""), "document type"),
        (manifest(one(NUMBERS)).replace(b'"2000"', b'"2.0"'), "duration is '2.0', no whole number"),
        (timeline(0, 1).replace(b'"20"', b'"' + b"9" * 5000 + b'"'), "d is '9999"),
        (b"<MPD", "not XML"),
        ('<?xml version="1.0" encoding="utf-16"?><MPD/>'.encode("utf-16"), "not XML in UTF-8"),
        (manifest(one(NUMBERS, 'id="//["')), "only http and https"),
        (manifest(one(NUMBERS, 'id="//a\u2100b"')), "only http and https"),
    ],
)
def test_what_is_hostile_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(RefusedSourceError, match=why):
        translated(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<MPD/>",
        manifest("").replace(b"video/mp4", b"audio/mp4"),
        manifest(one(NUMBERS)).replace(b"13:46:00", b"13:46:39"),
    ],
)
def test_what_is_not_there_yet_may_come(data: bytes) -> None:
    with pytest.raises(SourceGoneError):
        translated(data)


def test_the_next_period_is_opened_anew() -> None:
    translator = DashTranslator(960, lambda: NOW)
    two = manifest(one(NUMBERS))
    translated(two, translator)
    later = two.replace(b"</MPD>", two[two.index(b"<Period") :]).replace(
        b'<Period id="1" start="PT0S">', b'<Period id="2" start="PT10S">', 2
    )
    with pytest.raises(SourceGoneError, match="next period"):
        translated(later, translator)


def test_a_manifest_of_ffmpegs_is_understood(tmp_path: Path) -> None:
    path = write_dash(tmp_path, 6.0)
    data = path.read_bytes()
    assert is_manifest(data[:2048])
    lines = translated(data)
    names = {line.rpartition("/")[2] for line in lines if not line.startswith("#")}
    assert names and all((tmp_path / name).is_file() for name in names)

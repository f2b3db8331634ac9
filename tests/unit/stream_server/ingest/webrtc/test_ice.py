from __future__ import annotations

from stream_server.ingest.webrtc import ice
from stream_server.settings import load


def test_ice_servers_come_from_the_settings_alone() -> None:
    assert ice.ice_servers(load()) == []
    assert ice.link_headers(load()) == []
    settings = load(stun_url="stun:a:1", turn_url="turns:b", turn_username="u", turn_credential="c")
    assert [server.urls for server in ice.ice_servers(settings)] == ["stun:a:1", "turns:b"]
    assert ice.link_headers(settings)[1].startswith('<turns:b>; rel="ice-server"; username="u"')

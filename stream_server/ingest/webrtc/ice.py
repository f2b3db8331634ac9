"""ICE connections: their servers and addresses from the settings, and what they say."""

from __future__ import annotations

from aioice import Connection
from aiortc import RTCIceServer
from aiortc.rtcicetransport import connection_kwargs

from stream_server.ingest.webrtc.aiortc_private import offer_only
from stream_server.ingest.webrtc.sdp import Fragment
from stream_server.settings import Settings


def ice_servers(settings: Settings) -> list[RTCIceServer]:
    """The STUN and TURN servers; empty by default, so that no third party hears of a stream."""
    servers = []
    if settings.stun_url:
        servers.append(RTCIceServer(settings.stun_url))
    if settings.turn_url:
        servers.append(
            RTCIceServer(settings.turn_url, settings.turn_username, settings.turn_credential)
        )
    return servers


def link_headers(settings: Settings) -> list[str]:
    """The same servers for the client, as WHIP's ``Link`` headers (RFC 9725, 4.6)."""
    links = []
    if settings.stun_url:
        links.append(f'<{settings.stun_url}>; rel="ice-server"')
    if settings.turn_url:
        links.append(
            f'<{settings.turn_url}>; rel="ice-server"; username="{settings.turn_username}";'
            f' credential="{settings.turn_credential}"; credential-type="password"'
        )
    return links


def new_connection(settings: Settings) -> Connection:
    """A connection for an ICE restart, with credentials of its own."""
    more = connection_kwargs(ice_servers(settings))
    connection = Connection(ice_controlling=False, **more)
    use_addresses(connection, settings)
    return connection


def use_addresses(connection: Connection, settings: Settings) -> None:
    """Offer only the addresses of ``webrtc_addresses``, where that is set."""
    chosen = [one.strip() for one in settings.webrtc_addresses.split(",") if one.strip()]
    if chosen:
        offer_only(connection, chosen)


def fragment_of(connection: Connection) -> Fragment:
    """Credentials and candidates of a ``connection`` that has gathered them."""
    candidates = (f"candidate:{one.to_sdp()}" for one in connection.local_candidates)
    return Fragment(connection.local_username, connection.local_password, tuple(candidates))

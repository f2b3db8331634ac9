"""A client of the Fakelight protocol, version 1, written from the document alone."""

import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator, Iterable
from io import BytesIO
from typing import Any, Self

from PIL import Image
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Message = dict[str, Any]
SUBPROTOCOL = Subprotocol("fakelight.v1")
LAST_ANSWER_S = 5.0


class FakelightError(Exception):
    """The stream ended before its time; `code` is the close code of the WebSocket."""

    def __init__(self, closed: ConnectionClosed) -> None:
        """Take code and reason from the server's close frame; 1006 says that there was none."""
        self.code = closed.rcvd.code if closed.rcvd else 1006
        self.reason = closed.rcvd.reason if closed.rcvd else "the connection was lost"
        super().__init__(f"{self.code}: {self.reason}")


def encode_jpeg(picture: Image.Image, longer_side: int = 960) -> tuple[bytes, int, int]:
    """Make a JPEG no larger than the server needs; returns its bytes, width and height."""
    small = picture.convert("RGB")
    small.thumbnail((longer_side, longer_side))
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=90)
    return buffer.getvalue(), small.width, small.height


class Fakelight:
    """One stream to a server: `async with await Fakelight.connect(url, token) as stream`."""

    def __init__(self, socket: ClientConnection, welcome: Message) -> None:
        """Take a socket on which the server has said welcome; `connect` makes one."""
        self.socket, self.welcome, self._next_id = socket, welcome, 0

    @classmethod
    async def connect(
        cls, url: str, token: str, *, source: Message | None = None, window: int | None = None
    ) -> Self:
        """Open the socket, say hello, and wait for the welcome."""
        asked = {"source": source, "window": window}
        hello = {"type": "hello", "protocol": 1, "token": token}
        hello |= {name: value for name, value in asked.items() if value is not None}
        socket = await connect(url, subprotocols=[SUBPROTOCOL], compression=None, proxy=None)
        try:
            await socket.send(json.dumps(hello))
            return cls(socket, json.loads(await socket.recv()))
        except BaseException as error:
            await socket.close()
            if isinstance(error, ConnectionClosed):
                raise FakelightError(error) from error
            raise

    async def __aenter__(self) -> Self:
        """Return the open stream itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the socket if it is still open."""
        await self.socket.close()

    async def send_frame(self, media_time: float, picture: bytes, width: int, height: int) -> int:
        """Send one picture of the video and return the number that it was given."""
        frame = {"frame_id": self._next_id, "media_time": media_time, "width": width}
        frame |= {"height": height, "captured_at": time.time() * 1000}
        header = json.dumps(frame, allow_nan=False).encode()
        self._next_id += 1
        await self._send(struct.pack("<I", len(header)) + header + picture)
        return self._next_id - 1

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Yield each message of the server until the stream ends."""
        try:
            async for message in self.socket:  # ends by itself at close code 1000
                yield json.loads(message)
        except ConnectionClosed as error:
            raise FakelightError(error) from error

    async def seek(self) -> None:
        """Say that the video jumped: the next frame may have any media time."""
        await self._send('{"type":"seek"}')

    async def pause(self) -> None:
        """Say that the video stands still."""
        await self._send('{"type":"pause"}')

    async def resume(self) -> None:
        """Say that the video plays on."""
        await self._send('{"type":"resume"}')

    async def bye(self) -> None:
        """End the stream; the server closes the socket."""
        await self._send('{"type":"bye"}')

    async def _send(self, data: str | bytes) -> None:
        """Send one message, or say in the server's own words why that is no longer possible."""
        try:
            await self.socket.send(data)
        except ConnectionClosed as error:
            raise FakelightError(error) from error


async def watch(
    url: str, token: str, pictures: Iterable[tuple[float, bytes, int, int]]
) -> list[Message]:
    """Stream (media time, JPEG, width, height) at their real pace; return the verdicts."""
    async with await Fakelight.connect(url, token, source={"kind": "file"}) as stream:
        verdicts: list[Message] = []
        answers: asyncio.Queue[int] = asyncio.Queue()

        async def read() -> None:
            async for message in stream:
                if message["type"] == "verdict":
                    verdicts.append(message)
                answers.put_nowait(message.get("frame_id", -1))

        async def answer_to(frame_id: int) -> None:
            while await answers.get() < frame_id:
                pass

        reader = asyncio.create_task(read())
        try:
            began, last = None, -1
            for media_time, picture, width, height in pictures:
                began = time.monotonic() - media_time if began is None else began
                await asyncio.sleep(began + media_time - time.monotonic())
                last = await stream.send_frame(media_time, picture, width, height)
            answered = asyncio.create_task(answer_to(last))  # nothing newer overtakes this frame
            limit = LAST_ANSWER_S if last >= 0 else 0.0
            await asyncio.wait({answered, reader}, timeout=limit, return_when="FIRST_COMPLETED")
            answered.cancel()
            await stream.bye()
            await asyncio.wait_for(asyncio.shield(reader), LAST_ANSWER_S)
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
    return verdicts

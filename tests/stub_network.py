"""A network that costs next to nothing: `python -m tests.stub_network PORT LATENCY_MS`.

For measuring the engine on the same machine without measuring a simulator. It answers a post to a Page's feed after the
latency and counts posts by Page; GET /counts tells, and nothing else is served.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

posts: Counter[str] = Counter()


class Connection(asyncio.Protocol):
    """One kept connection; requests come one after another."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].decode("latin-1")
            length = 0
            for line in head.split("\r\n")[1:]:
                name, _colon, value = line.partition(":")
                if name.lower() == "content-length":
                    length = int(value)
            if len(self.received) < end + 4 + length:
                return
            self.received = self.received[end + 4 + length :]
            method, path, _version = head.split("\r\n")[0].split(" ")
            if self.latency and method == "POST":
                asyncio.get_running_loop().call_later(self.latency, self.answer, method, path)
            else:
                self.answer(method, path)

    def answer(self, method: str, path: str) -> None:
        status, body = "200 OK", {}
        parts = path.partition("?")[0].strip("/").split("/")
        if method == "POST" and len(parts) == 3 and parts[2] == "feed":
            posts[parts[1]] += 1
            post_id = f"{parts[1]}_{posts[parts[1]]}"
            body = {"id": post_id, "permalink_url": f"https://stub.example/{post_id}"}
        elif path == "/counts":
            body = dict(posts)
        else:
            status = "404 Not Found"
        content = json.dumps(body).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self.transport.write(head.encode() + content)


async def serve(port: int, latency_ms: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(latency_ms / 1000), "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))

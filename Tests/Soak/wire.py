# HTTP/1.1 as the soak's clients speak it: over bare sockets, so that every byte that is wrong is seen.

import asyncio
import json


class Refused(Exception):
    """The connection ended before any byte of an answer: the call may be sent again."""


class Broken(Exception):
    """The answer is not one: a client could not make sense of it."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Broken(f"HTTP {self.status} with a body that is not JSON: {self.body[:200]!r}") from None

    def events(self):
        """The data of a stream's events; the last one must be `[DONE]`."""
        text = self.body.decode()
        if not text.endswith("\n\n"):
            raise Broken(f"the stream ends within an event: {text[-200:]!r}")
        lines = [line for line in text.split("\n") if line.startswith("data: ")]
        if not lines or lines[-1] != "data: [DONE]":
            raise Broken(f"the stream has no end: {text[-200:]!r}")
        return [json.loads(line[6:]) for line in lines[:-1]]


class Connection:
    """One connection to the gateway."""

    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def open(self):
        try:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError as error:
            raise Refused(f"no connection: {error}") from None

    def send(self, method, path, body=None, close=True):
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\n"
        if body is not None:
            head += f"content-type: application/json\r\ncontent-length: {len(data)}\r\n"
        if close:
            head += "connection: close\r\n"
        self.writer.write(head.encode() + b"\r\n" + data)

    async def call(self, method, path, body=None, close=True):
        if self.writer is None:
            await self.open()
        begun = False
        try:
            self.send(method, path, body, close)
            await self.writer.drain()
            line = await self.reader.readuntil(b"\r\n")
            begun = True
            status = int(line.split(b" ")[1])
            headers = {}
            while (line := await self.reader.readuntil(b"\r\n")) != b"\r\n":
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            answer = Answer(status, headers, await self.body(headers))
        except (OSError, asyncio.IncompleteReadError) as error:
            self.abort()
            partial = getattr(error, "partial", b"")
            if begun or partial:
                raise Broken(f"the answer is cut: {error!r}") from None
            raise Refused(f"closed before the answer: {error!r}") from None
        except (ValueError, IndexError, asyncio.LimitOverrunError) as error:
            self.abort()
            raise Broken(f"not HTTP: {error!r}") from None
        if close or headers.get("connection", "").lower() == "close":
            self.abort()
        return answer

    async def body(self, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
            return body
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        return await self.reader.read()

    def abort(self):
        """Vanishes, whatever was under way."""
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None

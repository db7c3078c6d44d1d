"""Clients of the routing simulator: streamed calls at their times, as many at once as it takes, on kept connections."""

import asyncio
import gc
import json
import time
from dataclasses import dataclass


@dataclass
class Call:
    """One call: its times in seconds and whether it was answered to its end."""

    sent: float
    first: float = 0.0
    ended: float = 0.0
    prompt_bytes: int = 0
    problem: str = ""


class Connection(asyncio.Protocol):
    """One kept connection with one call at a time."""

    def __init__(self):
        self.transport = None
        self.received = bytearray()
        self.call = None
        self.done = None

    def connection_made(self, transport):
        self.transport = transport

    def begin(self, request, call):
        self.received.clear()
        self.call = call
        self.done = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.done

    def data_received(self, data):
        if self.call is None:
            return
        self.received += data
        if not self.call.first and b'"content":"t=' in self.received:
            self.call.first = time.monotonic()
        if not self.received.startswith(b"HTTP/1.1 200"):
            self.end(bytes(self.received[:200]).decode(errors="replace"))
        elif self.received.endswith(b"0\r\n\r\n"):
            self.end("" if b"data: [DONE]" in self.received else "no end mark")

    def connection_lost(self, error):
        self.end("the connection ended")

    def end(self, problem):
        if self.call is None:
            return
        self.call.ended = time.monotonic()
        self.call.problem = problem
        self.call = None
        if problem:
            self.transport.close()
        self.done.set_result(not problem)


class Clients:
    """Runs the sessions of one workload against one port."""

    def __init__(self, port):
        self.port = port
        self.idle = []
        self.calls = []

    async def run(self, sessions):
        self.started = time.monotonic() + 0.05
        await asyncio.gather(*(self.session(one) for one in sessions))

    async def session(self, session):
        # Written by hand, so that a conversation's messages begin with the very bytes of the shorter one.
        messages = json.dumps({"role": "system", "content": session.system})
        for number, (pause, question) in enumerate(session.turns):
            wait = pause if number else self.started + session.start - time.monotonic()
            await asyncio.sleep(max(0.0, wait))
            messages += "," + json.dumps({"role": "user", "content": question})
            if not await self.ask(messages):
                return
            messages += "," + json.dumps({"role": "assistant", "content": "ok, next " * 27})

    async def ask(self, messages):
        body = f'{{"model":"mock","stream":true,"messages":[{messages}]}}'.encode()
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        call = Call(sent=time.monotonic(), prompt_bytes=len(messages))
        self.calls.append(call)
        connection = self.idle.pop() if self.idle else None
        if connection is None or connection.transport.is_closing():
            try:
                _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self.port)
            except OSError as error:
                call.problem = str(error)
                return False
        is_whole = await connection.begin(head.encode() + body, call)
        if is_whole:
            self.idle.append(connection)
        return is_whole


def ask_all(port, sessions, limit=60.0):
    """The calls of all sessions, in the order in which they were sent."""
    clients = Clients(port)
    gc.disable()
    try:
        asyncio.run(asyncio.wait_for(clients.run(sessions), limit))
    except asyncio.TimeoutError:
        for call in clients.calls:
            if not call.ended and not call.problem:
                call.problem = f"no end within {limit:.0f} s"
    finally:
        gc.enable()
    return clients.calls

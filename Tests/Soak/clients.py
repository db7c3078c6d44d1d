# Who calls the gateway in the soak: clients of several kinds, each in a loop until the time is over.

import asyncio
import random
import time
from collections import Counter

from wire import Broken, Connection, Refused

# A call that was refused is sent again until it is answered; one that takes longer than this was not answered.
PATIENCE = 120


class Record:
    """What came of the calls."""

    def __init__(self):
        self.answered = Counter()
        self.statuses = Counter()
        self.refused = Counter()
        self.vanished = 0
        self.failures = []
        self.seconds = []

    def fail(self, kind, text):
        self.failures.append(f"{kind}: {text}")


class Crowd:
    """A thousand clients of one gateway."""

    def __init__(self, port, record):
        self.port, self.record = port, record
        self.is_over = False
        self.is_busy = True
        # Whether nobody is left to answer.
        self.is_dead = False

    async def run(self, count):
        shares = [
            (self.local, 2),
            (self.ghost, count * 5 // 100),
            (self.vanishing, count * 5 // 100),
            (self.inventor, count * 10 // 100),
            (self.streamer, count * 15 // 100),
            (self.holder, count * 20 // 100),
        ]
        clients = [kind for kind, share in shares for _ in range(share)]
        clients += [self.caller] * (count - len(clients))
        await asyncio.gather(*(self.client(kind, index) for index, kind in enumerate(clients)))
        self.is_busy = False

    async def client(self, kind, index):
        await asyncio.sleep(random.random() * 2)
        while not self.is_over:
            try:
                await kind(index)
            except Broken as error:
                self.record.fail(kind.__name__, error)
            await asyncio.sleep(0 if kind == self.local else random.expovariate(0.5))

    async def ask(self, kind, path, body, expected, connection=None, close=True):
        """Sends one call until it is answered, and checks that the answer is one."""
        begin = time.monotonic()
        pause = 0.05
        while True:
            left = begin + PATIENCE - time.monotonic()
            current = connection or Connection(self.port)
            try:
                async with asyncio.timeout(left):
                    answer = await current.call("POST", path, body, close)
            except Refused:
                self.record.refused[kind] += 1
                answer = None
            except TimeoutError:
                current.abort()
                return self.record.fail(kind, f"no answer within {PATIENCE} s")
            if answer is not None:
                self.record.statuses[answer.status] += 1
                self.check(answer, body)
                if answer.status in expected:
                    self.record.answered[kind] += 1
                    self.record.seconds.append(time.monotonic() - begin)
                    return answer
                if answer.status not in (429, 503):
                    return self.record.fail(kind, f"HTTP {answer.status}: {answer.body[:300]!r}")
                self.record.refused[kind] += 1
            if self.is_dead:
                return self.record.fail(kind, "the gateway died before it answered")
            await asyncio.sleep(pause * (0.5 + random.random()))
            pause = min(pause * 2, 2)

    def check(self, answer, body):
        if answer.status != 200:
            error = answer.json().get("error")
            if not isinstance(error, dict) or not error.get("message"):
                raise Broken(f"HTTP {answer.status} without an error: {answer.body[:200]!r}")
            if answer.status in (429, 503) and "retry-after" not in answer.headers:
                raise Broken(f"HTTP {answer.status} without Retry-After: {answer.body[:200]!r}")
        elif body.get("stream"):
            events = answer.events()
            text = "".join(c["delta"].get("content") or "" for e in events for c in e.get("choices", []))
            if not text or any("error" in event for event in events):
                raise Broken(f"a stream without its text: {answer.body[-300:]!r}")
        elif "input" in body:
            if not answer.json()["data"][0]["embedding"]:
                raise Broken("no embedding")
        elif not answer.json()["choices"][0]["message"]["content"]:
            raise Broken("an answer without text")

    def chat(self, model, **more):
        prompt = f"Say something about the number {random.randrange(10**6)}."
        return {"model": model, "messages": [{"role": "user", "content": prompt}], **more}

    # Kinds of clients: each method is one visit.

    async def caller(self, index):
        if index % 4 == 0:
            body = {"model": "shared", "input": "text"}
            return await self.ask("embedding", "/v1/embeddings", body, {200})
        if index % 4 == 1:
            # Its only worker may be gone.
            body = self.chat(f"only-{2 + random.randrange(4)}")
            return await self.ask("changing model", "/v1/chat/completions", body, {200, 404, 503})
        await self.ask("call", "/v1/chat/completions", self.chat(random.choice(["shared", "fixed"])), {200})

    async def holder(self, index):
        """Keeps its connection between calls."""
        connection = Connection(self.port)
        for _ in range(5):
            await self.ask("kept connection", "/v1/chat/completions", self.chat("fixed"), {200}, connection, close=False)
            if self.is_over:
                break
            await asyncio.sleep(random.random())
        connection.abort()

    async def streamer(self, index):
        body = self.chat(random.choice(["shared", "fixed"]), stream=True)
        await self.ask("stream", "/v1/chat/completions", body, {200})

    async def local(self, index):
        body = self.chat("small", stream=index % 2 == 0, max_tokens=24)
        await self.ask("local model", "/v1/chat/completions", body, {200})

    async def inventor(self, index):
        body = self.chat(f"made-up-{random.randrange(10**9)}")
        await self.ask("made-up model", "/v1/chat/completions", body, {404})

    async def vanishing(self, index):
        """Asks for a stream and leaves in the middle of it."""
        connection = Connection(self.port)
        try:
            await connection.open()
            connection.send("POST", "/v1/chat/completions", self.chat("shared", stream=True))
            async with asyncio.timeout(random.random() * 2):
                await connection.reader.readuntil(b"word")
        except (Refused, OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        connection.abort()
        self.record.vanished += 1

    async def ghost(self, index):
        """Connects and says nothing, or half of something."""
        connection = Connection(self.port)
        try:
            await connection.open()
            if index % 2:
                connection.writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-le")
            await asyncio.sleep(random.random() * 5)
        except (Refused, OSError):
            pass
        connection.abort()
        self.record.vanished += 1

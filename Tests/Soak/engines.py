# The model servers behind the gateway: one process with several, each on a port of its own.

import asyncio
import json
import random
import sys


# Connections that are not used are closed soon, so that those that are left open for no reason show.
KEEP_ALIVE = "keep-alive: timeout=10"


class Engine:
    """Answers chats and embeddings; a few calls it refuses with 503, and some it lets wait."""

    def __init__(self, models):
        self.models = models

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                method, path, _ = lines[0].split(" ")
                fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                await self.answer(writer, method, path, body)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(self, writer, method, path, body):
        if method == "GET" and path == "/v1/models":
            models = [{"id": name, "object": "model", "created": 1700000000, "owned_by": "soak"} for name in self.models]
            return self.whole(writer, 200, {"object": "list", "data": models})
        if method == "GET" and path == "/health":
            return self.whole(writer, 200, {})
        if method != "POST":
            return self.error(writer, 404, "not found")
        request = json.loads(body)
        model = request.get("model")
        if model not in self.models:
            return self.error(writer, 404, f"no model {model}")
        if random.random() < 0.02:
            return self.error(writer, 503, "overloaded")
        await asyncio.sleep(random.expovariate(20))
        usage = {"prompt_tokens": 5, "completion_tokens": 20, "total_tokens": 25}
        if path == "/v1/embeddings":
            data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
            return self.whole(writer, 200, {"object": "list", "data": data, "model": model, "usage": usage})
        common = {"id": "chatcmpl-1", "created": 1700000000, "model": model}
        if not request.get("stream"):
            message = {"role": "assistant", "content": "word " * 20}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return self.whole(
                writer, 200, {**common, "object": "chat.completion", "choices": [choice], "usage": usage}
            )
        await self.stream(writer, {**common, "object": "chat.completion.chunk"}, request, usage)

    async def stream(self, writer, common, request, usage):
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n{KEEP_ALIVE}\r\n\r\n"
        writer.write(head.encode())
        for index in range(20):
            delta = {"content": "word "}
            self.event(writer, json.dumps({**common, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}))
            await writer.drain()
            await asyncio.sleep(0.03)
        self.event(writer, json.dumps({**common, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        if request.get("stream_options", {}).get("include_usage"):
            self.event(writer, json.dumps({**common, "choices": [], "usage": usage}))
        self.event(writer, "[DONE]")
        writer.write(b"0\r\n\r\n")

    def event(self, writer, data):
        text = f"data: {data}\n\n".encode()
        writer.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")

    def whole(self, writer, status, value):
        body = json.dumps(value).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{KEEP_ALIVE}\r\n\r\n"
        writer.write(head.encode() + body)

    def error(self, writer, status, message):
        self.whole(writer, status, {"error": {"message": message, "type": "soak", "param": None, "code": None}})


async def main(count):
    ports = []
    for index in range(count):
        engine = Engine(["shared", f"only-{index}"])
        server = await asyncio.start_server(engine.serve, "127.0.0.1", 0, backlog=1024)
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    # For as long as the soak keeps the other end of the pipe open.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

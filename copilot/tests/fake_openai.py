"""OpenAI's HTTP API as a local server: chat completions and embeddings, and faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FakeOpenAI:
    """`answers` are given one a chat call, the last one again and again; `status` other than 200 refuses."""

    answers: list[Any] = field(default_factory=list)
    status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def chat(self) -> dict[str, Any]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        message = {"role": "assistant", "content": None, **answer} if isinstance(answer, dict) and "tool_calls" in answer else {
            "role": "assistant", "content": answer if isinstance(answer, str) else json.dumps(answer)}  # fmt: skip
        return {
            "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [
                {"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
        }  # fmt: skip

    def embeddings(self, texts: list[str]) -> dict[str, Any]:
        rows = [
            {"object": "embedding", "index": at, "embedding": vector(each)} for at, each in enumerate(texts)
        ]
        usage = {"prompt_tokens": len(texts) * 10, "total_tokens": len(texts) * 10}
        return {"object": "list", "model": "text-embedding-3-small", "data": rows, "usage": usage}


def vector(text: str) -> list[float]:
    """Texts that share words are near each other."""
    made = [0.0] * 64
    for word in text.lower().split():
        made[int(hashlib.sha256(word.strip(".,:?").encode()).hexdigest(), 16) % 64] += 1.0
    return made


@contextmanager
def fake_openai() -> Iterator[FakeOpenAI]:
    fake = FakeOpenAI()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.asked.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
            answer: Any = {"error": {"message": "no", "type": "x", "code": "x"}}
            if fake.status == 200:
                answer = fake.chat() if "chat" in self.path else fake.embeddings(body["input"])
            sent = json.dumps(answer).encode()
            self.send_response(fake.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()

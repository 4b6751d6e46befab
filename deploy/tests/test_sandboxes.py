"""Each platform has its own sandbox at its own address, and keeps what it was given."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from deploy import sandboxes
from governance.platforms import Platform
from trafficking.platforms.sandbox_base import serve


def test_ports_follow_the_sorted_keys(settings: Any) -> None:
    settings.SANDBOX_HOST, settings.SANDBOX_PORT = "127.0.0.1", 9800
    assert [sandboxes.sandbox_url(key) for key in ("google_ads", "meta", "tiktok")] == [
        "http://127.0.0.1:9800",
        "http://127.0.0.1:9801",
        "http://127.0.0.1:9802",
    ]


def test_an_unknown_platform_is_named_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"myspace.*google_ads, meta, tiktok"):
        sandboxes.sandbox_port("myspace")


@pytest.mark.parametrize("key", Platform.values)
def test_every_platform_has_a_sandbox_that_answers(key: str, settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    server = serve(sandboxes.open_sandbox(key), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{server.server_port}/_sandbox/health", timeout=5
        ) as answer:
            assert json.load(answer) == {"platform": key}
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_objects_outlive_the_process(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    first = sandboxes.open_sandbox("meta")
    made = first.store.add("campaign", "1", "", "A name", {"name": "A name"}, str)
    assert sandboxes.open_sandbox("meta").store.get("campaign", made["id"]) is not None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"platform": "myspace"}, "no platform 'myspace'"),
        ({"port": 9999}, "--port belongs to one --platform"),
    ],
)
def test_the_command_says_what_is_wrong(options: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("sandbox", **options)


def test_a_taken_port_is_told(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    server = serve(sandboxes.open_sandbox("tiktok"), "127.0.0.1", 0)
    try:
        with pytest.raises(CommandError, match=f"Port {server.server_port} is taken"):
            call_command("sandbox", platform="tiktok", port=server.server_port)
    finally:
        server.server_close()

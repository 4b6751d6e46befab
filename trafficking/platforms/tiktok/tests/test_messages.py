"""Every finding has words, and no words are left over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from trafficking.platforms.tiktok import PLATFORM
from trafficking.platforms.tiktok.messages import MESSAGES


def raised() -> Iterator[tuple[str, set[str]]]:
    """(code, parameters) of every finding that the folder makes."""
    for path in Path(__file__).parents[1].glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call):
                yield from raised_by(call, path.name)


def raised_by(call: ast.Call, file: str) -> Iterator[tuple[str, set[str]]]:
    """By `notes.block(…)`, `notes.warn(…)`, preflight's `_found(…)`, or a Finding that is written out."""
    called = getattr(call.func, "attr", "") or getattr(call.func, "id", "")
    prefix = {"block": "tiktok.", "warn": "tiktok.", "_found": "preflight.tiktok.", "Finding": ""}.get(called)
    if prefix is None or (called == "Finding" and not isinstance(call.args[0], ast.Constant)):
        return
    code = call.args[0]
    assert isinstance(code, ast.Constant), f"{file}:{call.lineno}: a code is written out"
    given = {each.arg or "" for each in call.keywords}
    for keyword in call.keywords:
        if called == "Finding" and keyword.arg == "params" and isinstance(keyword.value, ast.Dict):
            given |= {key.value for key in keyword.value.keys if isinstance(key, ast.Constant)}
    yield f"{prefix}{code.value}", given


def test_every_code_has_its_message_and_every_message_its_code():
    assert {code for code, _ in raised()} == MESSAGES.keys()
    assert PLATFORM.messages is MESSAGES


def test_messages_say_what_to_do():
    for code, message in MESSAGES.items():
        assert message.text.endswith("."), code
        assert message.remedy.endswith("."), code


def test_messages_use_only_parameters_that_are_given():
    for code, given in raised():
        message = MESSAGES[code]
        named = set(re.findall(r"\{(\w+)", message.text + message.remedy))
        assert named <= given, (code, named - given)

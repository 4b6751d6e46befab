"""All sandboxes at once: one process per platform, under one parent."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any

import django

from deploy.sandboxes import sandbox_keys, sandbox_port, serve_sandbox

_PR_SET_PDEATHSIG = 1


class SandboxEnded(RuntimeError):
    """One of them stopped by itself; the others were stopped with it."""


def serve_family(host: str) -> None:
    """Play every platform until SIGTERM or Ctrl-C. Raises SandboxEnded when one of them ends by itself."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # a fork shares the loaded code and starts at once; macOS can't fork safely
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    parent = os.getpid()
    family: dict[str, BaseProcess] = {
        key: context.Process(target=_play, args=(key, host, parent), name=key, daemon=True)
        for key in sandbox_keys()
    }
    for process in family.values():
        process.start()
    try:
        connection.wait([process.sentinel for process in family.values()])
    except KeyboardInterrupt:
        return
    finally:
        for process in family.values():
            process.terminate()
        for process in family.values():
            process.join(timeout=5)
    ended = ", ".join(key for key, process in family.items() if process.exitcode not in (0, -signal.SIGTERM))
    raise SandboxEnded(ended or "all")


def _play(key: str, host: str, parent: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this one
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)  # prctl(2): the parent was killed
        if os.getppid() != parent:
            return
    django.setup()
    port = sandbox_port(key)
    sys.stdout.write(f"{key}: http://{host}:{port}\n")  # in one piece: three of them write at once
    sys.stdout.flush()
    try:
        serve_sandbox(key, host, port)
    except OSError as error:
        sys.exit(
            f"{key} sandbox can't listen on {host}:{port}: {error.strerror}. Set SANDBOX_PORT to a free range."
        )

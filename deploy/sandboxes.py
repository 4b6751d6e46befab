"""Where the sandbox of each platform listens, and how it is served.

A sandbox keeps its objects in `VAR_DIR/sandbox/<key>.sqlite3`, so that what was deployed yesterday is still there today.
"""

from __future__ import annotations

import importlib
import inspect

from django.conf import settings

from governance.platforms import Platform
from trafficking.platforms.sandbox_base import Sandbox, Store, serve


def sandbox_keys() -> list[str]:
    """The platform keys in the order of their ports."""
    return sorted(Platform.values)


def sandbox_port(key: str) -> int:
    """The port of `key`'s sandbox: SANDBOX_PORT plus its place among the sorted keys. KeyError if unknown."""
    keys = sandbox_keys()
    if key not in keys:
        raise KeyError(f"no platform {key!r}; there are {', '.join(keys)}")
    return int(settings.SANDBOX_PORT) + keys.index(key)


def sandbox_url(key: str) -> str:
    """The base URL of `key`'s sandbox, without a slash at its end."""
    return f"http://{settings.SANDBOX_HOST}:{sandbox_port(key)}"


def sandbox_class(key: str) -> type[Sandbox]:
    """The `Sandbox` that plays `key`; LookupError where its module defines none."""
    module = importlib.import_module(f"trafficking.platforms.{key}.sandbox")
    for _name, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, Sandbox) and not inspect.isabstract(found) and found.key == key:
            return found
    raise LookupError(f"{module.__name__} defines no Sandbox with key {key!r}")


def open_sandbox(key: str) -> Sandbox:
    """`key`'s sandbox over its kept objects."""
    folder = settings.VAR_DIR / "sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    return sandbox_class(key)(Store(str(folder / f"{key}.sqlite3")))


def serve_sandbox(key: str, host: str, port: int) -> None:
    """Play `key` on host:port until the process is told to stop. OSError where the port is taken."""
    server = serve(open_sandbox(key), host, port)
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()

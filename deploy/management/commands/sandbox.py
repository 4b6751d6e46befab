"""`manage.py sandbox`: the platforms, played on this machine."""

from __future__ import annotations

import errno
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from deploy.sandbox_family import SandboxEnded, serve_family
from deploy.sandboxes import sandbox_keys, sandbox_port, serve_sandbox
from governance.platforms import platform_key


class Command(BaseCommand):
    help = "Serves the sandbox of one platform, or of all, each in its own process, until it is stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--platform", metavar="KEY", help=f"one of {', '.join(sandbox_keys())}; default: all"
        )
        parser.add_argument("--host", default=settings.SANDBOX_HOST)
        parser.add_argument(
            "--port", type=int, help="of one platform; default: SANDBOX_PORT plus its place by key"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["platform"] is None:
            self._serve_all(options["host"], options["port"])
            return
        key = platform_key(options["platform"])
        if key is None:
            raise CommandError(
                f"There is no platform {options['platform']!r}. Use {', '.join(sandbox_keys())}."
            )
        self._serve_one(key, options["host"], options["port"] or sandbox_port(key))

    def _serve_one(self, key: str, host: str, port: int) -> None:
        self.stdout.write(f"{key} sandbox: http://{host}:{port}")
        try:
            serve_sandbox(key, host, port)
        except KeyboardInterrupt:
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise CommandError(
                f"Port {port} is taken. Stop what listens there, or choose another --port."
            ) from error

    def _serve_all(self, host: str, port: int | None) -> None:
        if port is not None:
            raise CommandError("--port belongs to one --platform; all of them follow SANDBOX_PORT.")
        try:
            serve_family(host)
        except SandboxEnded as error:
            raise CommandError(f"The sandbox of {error} ended; the others were stopped.") from error

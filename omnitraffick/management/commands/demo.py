"""`manage.py demo`: the sample plan through import, QA, approval and deployment."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from omnitraffick.demo.board import logins_table
from omnitraffick.demo.people import ensure_people
from omnitraffick.demo.show import run_demo
from omnitraffick.terminal import console_for


class Command(BaseCommand):
    help = "Takes the sample plan through import, QA, approval and deployment. Needs a worker and the sandboxes (make run)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=180.0, help="how long it may take (default 180)")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(
                "The demo makes people and campaigns; it does not run in a PRODUCTION installation."
            )
        console = console_for(self.stdout)
        logins = ensure_people()
        deployed = run_demo(console, seconds=options["seconds"])
        console.print(logins_table(logins))
        if not deployed:
            raise CommandError("The demo did not deploy every line; what is missing stands above.")

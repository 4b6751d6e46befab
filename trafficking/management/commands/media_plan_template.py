"""manage.py media_plan_template [FILE]"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trafficking.imports.templates import plan_template


class Command(BaseCommand):
    help = "Write a template of the media plan: FILE.csv or FILE.xlsx; without FILE, CSV on the screen."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["file"]) if options["file"] else None
        if path is None:
            sys.stdout.write(plan_template("csv").decode().removeprefix("\ufeff"))
            return
        if path.suffix not in (".csv", ".xlsx"):
            raise CommandError("The file's name must end in .csv or .xlsx.")
        path.write_bytes(plan_template(path.suffix[1:]))
        self.stdout.write(f"Written to {path}.")

"""manage.py creative_sheet_template [FILE]"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.models import MediaPlanLine
from trafficking.imports.templates import creative_template


class Command(BaseCommand):
    help = "Write a template of the creative sheet: FILE.csv or FILE.xlsx; without FILE, CSV on the screen."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", default="")
        parser.add_argument(
            "--plan", default="", metavar="ID", help="One row for each line of this imported plan."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lines = list(
            MediaPlanLine.objects.filter(plan__plan_key=options["plan"]).values_list("line_key", flat=True)
        )
        if options["plan"] and not lines:
            raise CommandError(f"There is no plan {options['plan']} with lines.")
        path = Path(options["file"]) if options["file"] else None
        if path is None:
            sys.stdout.write(creative_template("csv", lines).decode().removeprefix("\ufeff"))
            return
        if path.suffix not in (".csv", ".xlsx"):
            raise CommandError("The file's name must end in .csv or .xlsx.")
        path.write_bytes(creative_template(path.suffix[1:], lines))
        self.stdout.write(f"Written to {path}.")

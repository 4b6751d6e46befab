"""manage.py import_governance FILE"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from governance.findings import blocking
from governance.imports import GovernanceResult, check_governance, import_governance
from governance.reports import print_findings, print_json
from governance.tables import Refused, Source


class Command(BaseCommand):
    help = "Import markets, brands, channels, ad accounts, aliases, audiences and rates from CSV, XLSX or JSON (docs/import.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--dry-run", action="store_true", help="Check everything, write nothing.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        run = check_governance if options["dry_run"] else import_governance
        try:
            result = run(source=Source.from_path(options["file"]))
        except Refused as refused:
            result = GovernanceResult(findings=refused.findings)
        if options["json"]:
            print_json(result.as_dict(), self.stdout)
        else:
            self._print(result, options["dry_run"])
        if result.refused:
            sys.exit(1)

    def _print(self, result: GovernanceResult, dry_run: bool) -> None:
        print_findings("Errors: nothing was written", blocking(result.findings), self.stdout)
        print_findings("Warnings", [each for each in result.findings if not each.blocking], self.stdout)
        if result.refused:
            return
        verb = "would be" if dry_run else "are"
        for word in ("created", "updated", "unchanged"):
            counts = getattr(result, word)
            if counts:
                told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
                self.stdout.write(f"{told} {verb} {word}.")

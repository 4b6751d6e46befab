"""manage.py import_media_plan FILE"""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.table import Table as RichTable
from rich.text import Text

from governance.findings import blocking
from governance.reports import console, print_findings, print_json
from governance.tables import Refused, Source
from trafficking.imports.results import ImportResult, TicketResult
from trafficking.imports.service import check_media_plan, import_media_plan, person_named


class Command(BaseCommand):
    help = "Import a media plan: Open Media Plan JSON (2.0, 3.0), CSV or XLSX (docs/import.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument(
            "--start-on",
            metavar="DATE",
            help="Move all flights so that the earliest begins on this day (2027-03-01).",
        )
        parser.add_argument(
            "--creatives", metavar="FILE", help="The creative sheet that completes the lines (CSV or XLSX)."
        )
        parser.add_argument(
            "--market", default="", metavar="CODE", help="The market of lines that don't say theirs."
        )
        parser.add_argument(
            "--user",
            default="",
            metavar="NAME",
            help="Import as this person, within their brands and markets.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Check everything, write nothing.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        start_on = _day(options["start_on"])
        run = check_media_plan if options["dry_run"] else import_media_plan
        try:
            result = run(
                source=Source.from_path(options["file"]),
                creatives=Source.from_path(options["creatives"]) if options["creatives"] else None,
                user=person_named(options["user"]) if options["user"] else None,
                market=options["market"],
                start_on=start_on,
            )
        except Refused as refused:
            result = ImportResult(findings=refused.findings)
        if options["json"]:
            print_json(result.as_dict(), self.stdout)
        else:
            self._print(result, options["dry_run"])
        if result.refused:
            sys.exit(1)

    def _print(self, result: ImportResult, dry_run: bool) -> None:
        print_findings("Errors: nothing was written", result.errors, self.stdout)
        print_findings("Warnings", result.warnings, self.stdout)
        if result.refused:
            return
        told = ", ".join(f"{count} {name}" for name, count in result.counts.items() if count)
        self.stdout.write(
            f"Plan {result.plan_key}: {told or 'no lines'}." + (" Nothing was written." if dry_run else "")
        )
        if result.shift_days:
            self.stdout.write(f"All flights were moved by {result.shift_days} days.")
        if any(result.ads.values()):
            self.stdout.write(
                "Ads: " + ", ".join(f"{count} {name}" for name, count in result.ads.items() if count) + "."
            )
        self._print_lines(result)
        for ticket in result.tickets:
            self._print_ticket(ticket)

    def _print_lines(self, result: ImportResult) -> None:
        table = RichTable("line", "campaign", "channel", "outcome", "plan", "budget", "rate")
        for line in result.lines[:200]:
            rate = f"{line.rate} ({line.rate_source})" if line.rate else line.note
            cells = (line.line, line.campaign, line.channel, line.outcome, line.original, line.budget, rate)
            table.add_row(*(Text(cell) for cell in cells))
        console(self.stdout).print(table)
        if len(result.lines) > 200:
            self.stdout.write(f"… and {len(result.lines) - 200} more lines.")

    def _print_ticket(self, ticket: TicketResult) -> None:
        if not ticket.checked:
            return
        blocked = blocking(ticket.findings)
        state = "passes QA" if not blocked else f"{len(blocked)} to mend before it can be deployed"
        print_findings(f"Ticket {ticket.pk} {ticket.name}: {state}", ticket.findings, self.stdout)
        if not ticket.findings:
            self.stdout.write(f"Ticket {ticket.pk} {ticket.name}: {state}.")


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--start-on {text}: write the day as 2027-03-01.") from None

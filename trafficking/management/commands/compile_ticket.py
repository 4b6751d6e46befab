from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trafficking import qa
from trafficking.selectors import find_ticket


class Command(BaseCommand):
    help = "Print what a ticket would send: its operations in order, and its findings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ticket", help="number or public id of the ticket")
        parser.add_argument("--json", action="store_true", help="the plan as JSON on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        ticket = find_ticket(options["ticket"])
        if ticket is None:
            raise CommandError(f"There is no ticket {options['ticket']}.")
        report = qa.check_ticket(ticket)
        if options["json"]:
            self.stdout.write(json.dumps(_plan(ticket, report), ensure_ascii=False, indent=2))
        else:
            self._tell(ticket, report)
        if not report.passed:
            raise CommandError("The ticket has blocking findings; it can't be deployed as it is.")

    def _tell(self, ticket: Any, report: qa.Report) -> None:
        self.stdout.write(f"{report.snapshot.name}  ({ticket.channel.platform}, digest {report.digest[:12]})")
        for operation in report.operations:
            self.stdout.write(f"\n{operation.action} {operation.ref}  {operation.method} {operation.path}")
            self.stdout.write(json.dumps(operation.body, ensure_ascii=False, indent=2))
        for finding in report.findings:
            self.stdout.write(
                f"\n{finding.severity.upper()} {finding.field or 'ticket'}: {finding.message} {finding.remedy}"
            )


def _plan(ticket: Any, report: qa.Report) -> dict[str, Any]:
    return {
        "ticket": str(ticket.public_id),
        "platform": report.snapshot.platform,
        "digest": report.digest,
        "operations": [operation.as_dict() for operation in report.operations],
        "findings": [finding.as_report() for finding in report.findings],
    }

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy import drift
from deploy.management.accounts import find_account
from deploy.models import Drift
from deploy.reading import Unreadable


class Command(BaseCommand):
    help = "Look now for what was changed on the platform behind the tickets' back, in one account or in all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", nargs="?", help="public id, or meta:1000000001; none: every account")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = [find_account(options["account"])] if options["account"] else drift.accounts_with_trees()
        unread = [account for account in accounts if not self._look(account)]
        rows = Drift.objects.filter(state=Drift.State.OPEN, held__ad_account__in=accounts)
        for row in rows.select_related("held"):
            shown = f"applied {row.applied!r}, wanted {row.wanted!r}, live {row.live!r}"
            self.stdout.write(f"{row.held.name or row.held}: {row.field or 'archived'}: {shown}")
        self.stdout.write(f"{rows.count()} open")
        if unread:
            raise CommandError(f"Not read to the end: {', '.join(map(str, unread))}.")

    def _look(self, account: Any) -> bool:
        try:
            for ticket in drift.trees_of(account):
                drift.look_at_tree(ticket)
        except Unreadable as unread:
            self.stderr.write(f"{account}: {unread.reason}")
            return False
        return True

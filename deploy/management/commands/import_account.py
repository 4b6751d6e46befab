from __future__ import annotations

import time
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy import inventory
from deploy.management.accounts import find_account
from deploy.models import ExistingObject
from governance.models import User


class Command(BaseCommand):
    help = (
        "Read everything that an ad account already has, and hold its names against the convention in force."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", help="public id, or platform and account id such as meta:1000000001")
        parser.add_argument("--user", required=True, help="who asks for it: a username with the right to")
        parser.add_argument("--here", action="store_true", help="read it in this process, without a worker")
        parser.add_argument("--wait", type=float, default=600, help="with --here: most seconds to take (600)")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['user']}.")
        try:
            inventory.import_account(account=account, by=user)
        except PermissionDenied:
            raise CommandError(f"{user.username} may not import this account.") from None
        if not options["here"]:
            self.stdout.write("It is queued; the worker reads it.")
            return
        self._read(account, time.monotonic() + options["wait"])
        self._tell(account)

    def _read(self, account: Any, until: float) -> None:
        while time.monotonic() < until:
            after = inventory.read_step(account) if inventory.claim(account) else 1.0
            account.watch.refresh_from_db()
            if account.watch.inventory_due_at is None:
                return
            time.sleep(min(after or 0.0, max(0.0, until - time.monotonic())))
        raise CommandError(f"It is not finished; the worker goes on. {account.watch.problem}".strip())

    def _tell(self, account: Any) -> None:
        for score in inventory.compliance(account):
            share = "–" if score.share is None else f"{score.share:.0%}"
            self.stdout.write(
                f"{score.level:9} {score.legal} of {score.total} names are legal ({share});"
                f" of those active {score.active_legal} of {score.active}"
            )
        illegal = ExistingObject.objects.filter(
            ad_account=account, legal=False, object_type__in=inventory.LEVELS
        )
        for row in illegal.exclude(status=inventory.ARCHIVED).order_by("pk"):
            self.stdout.write(f"  {row.object_type:9} {row.name} -> {row.proposed_name or '(no proposal)'}")

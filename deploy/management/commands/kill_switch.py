"""`manage.py kill_switch`: stop and release from a terminal, also while the web or the workers are down."""

from __future__ import annotations

import time
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy import halting, stops
from deploy.models import AccountStop, KillSwitch
from governance.models import AdAccount, Brand, User
from governance.platforms import platform_key

DONE = (KillSwitch.State.STOPPED, KillSwitch.State.RELEASED)


class Command(BaseCommand):
    help = "Stop what runs (engage), let it run again (release), or show what stands (list). It is carried out here."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        engage = acts.add_parser("engage", help="pause what runs and hold up what is queued")
        scope = engage.add_mutually_exclusive_group(required=True)
        scope.add_argument("--account", help="one ad account: its id on the platform")
        scope.add_argument("--brand", help="one brand: its code")
        scope.add_argument("--platform", help="one platform: meta, tiktok or google")
        scope.add_argument("--all", action="store_true", help="everything")
        engage.add_argument("--reason", required=True, help="shown to everyone whose work stands still")
        release = acts.add_parser("release", help="start exactly what it paused")
        release.add_argument("number", type=int, help="as `list` shows it")
        release.add_argument("--comment", required=True, help="why it may run again")
        for each in (engage, release):
            each.add_argument("--by", required=True, help="who does it: a username with the right to")
            each.add_argument(
                "--seconds", type=float, default=120, help="how long to stay at it (default 120)"
            )
        acts.add_parser("list", help="the stops that stand")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "list":
            self._list()
            return
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError(f"There is no active user {options['by']}.")
        try:
            stop = self._engage(by, options) if options["act"] == "engage" else self._release(by, options)
        except PermissionDenied as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self._carry_out(stop, time.monotonic() + options["seconds"])

    def _engage(self, by: User, options: dict[str, Any]) -> KillSwitch:
        scope: dict[str, Any] = {"scope": KillSwitch.Scope.ALL}
        if options["account"]:
            scope = {"scope": KillSwitch.Scope.ACCOUNT, "ad_account": _account(options["account"])}
        elif options["brand"]:
            scope = {"scope": KillSwitch.Scope.BRAND, "brand": _brand(options["brand"])}
        elif options["platform"]:
            key = platform_key(options["platform"])
            if key is None:
                raise CommandError(f"There is no platform {options['platform']}.")
            scope = {"scope": KillSwitch.Scope.PLATFORM, "platform": key}
        return stops.engage(**scope, by=by, reason=options["reason"])

    def _release(self, by: User, options: dict[str, Any]) -> KillSwitch:
        stop = KillSwitch.objects.filter(pk=options["number"]).first()
        if stop is None:
            raise CommandError(f"There is no stop {options['number']}.")
        return stops.release(stop=stop, by=by, comment=options["comment"])

    def _carry_out(self, stop: KillSwitch, until: float) -> None:
        """Here, beside any worker that does the same: an account is in one pair of hands at a time."""
        self.stdout.write(f"{stop.pk}  {stop}")
        halting.begin(stop)
        while True:
            for account in stops.accounts_of(stop):
                halting.work_on(account)
            halting.settle([stop])
            stop.refresh_from_db()
            if stop.state in DONE or time.monotonic() > until:
                break
            time.sleep(0.5)
        self._tell(stop)
        if stop.state not in DONE:
            raise CommandError(
                "It is not done everywhere yet; the workers go on with it. See the accounts above."
            )

    def _list(self) -> None:
        standing = KillSwitch.objects.exclude(state=KillSwitch.State.RELEASED).order_by("id")
        for stop in standing:
            self._tell(stop)
        if not standing:
            self.stdout.write("No stop stands.")

    def _tell(self, stop: KillSwitch) -> None:
        self.stdout.write(
            f"{stop.pk}  {stop}  {stop.engaged_at:%Y-%m-%d %H:%M} UTC  {stop.engaged_by}: {stop.reason}"
        )
        for row in stop.objects_stopped.select_related("ad_account"):
            self.stdout.write(
                f"    {row.state:8} {row.ad_account.name}: {row.name or row.external_id} {row.note}".rstrip()
            )
        for problem in AccountStop.objects.filter(ad_account__in=stops.accounts_of(stop)).exclude(problem=""):
            self.stdout.write(f"    {problem.ad_account.name}: {problem.problem}")


def _account(external_id: str) -> AdAccount:
    plain = external_id.removeprefix("act_").replace("-", "")
    found = list(AdAccount.objects.filter(external_id=plain)[:2])
    if len(found) != 1:
        raise CommandError(f"There {'is no' if not found else 'is more than one'} ad account {external_id}.")
    return found[0]


def _brand(code: str) -> Brand:
    found = Brand.objects.filter(code__iexact=code).first()
    if found is None:
        raise CommandError(f"There is no brand {code}.")
    return found

from __future__ import annotations

import time
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy import engine, services
from deploy.models import Deployment
from governance.models import User
from trafficking.selectors import find_ticket

ENDED = (
    Deployment.State.SUCCEEDED,
    Deployment.State.FAILED,
    Deployment.State.CANCELLED,
    Deployment.State.IN_DOUBT,
)


class Command(BaseCommand):
    help = "Deploy an approved ticket: enqueue it and wait for the worker, or run it here with --here."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ticket", help="number or public id of the ticket")
        parser.add_argument("--user", required=True, help="who deploys it: a username with the right to")
        parser.add_argument(
            "--here", action="store_true", help="carry it out in this process, without a worker"
        )
        parser.add_argument(
            "--wait", type=float, default=120, help="seconds to wait for the end (default 120)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ticket = find_ticket(options["ticket"])
        if ticket is None:
            raise CommandError(f"There is no ticket {options['ticket']}.")
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['user']}.")
        deployment = self._started(ticket, user)
        self.stdout.write(f"task {deployment.public_id}")
        self._wait(deployment, ticket, options["here"], time.monotonic() + options["wait"])
        self._tell(deployment)

    def _started(self, ticket: Any, user: User) -> Deployment:
        try:
            return services.start_deployment(ticket=ticket, by=user)
        except PermissionDenied:
            raise CommandError(f"{user.username} may not deploy this ticket.") from None
        except services.AlreadyDeploying as error:
            raise CommandError(f"It is already being deployed: task {error.task_id}.") from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None

    def _wait(self, deployment: Deployment, ticket: Any, here: bool, until: float) -> None:
        while time.monotonic() < until:
            if here:
                engine.run(str(ticket.public_id))
            deployment.refresh_from_db()
            if deployment.state in ENDED:
                return
            time.sleep(0.2)

    def _tell(self, deployment: Deployment) -> None:
        for row in deployment.operations.order_by("position"):
            ids = ", ".join(f"{ref}={value}" for ref, value in row.external_ids.items())
            self.stdout.write(f"{row.state:10} {row.ref:50} {ids or row.error}")
        self.stdout.write(f"{deployment.state} {deployment.reason}".rstrip())
        if deployment.state not in ENDED:
            raise CommandError("It is not finished yet; the worker goes on with it.")
        if deployment.state != Deployment.State.SUCCEEDED:
            raise CommandError("The deployment has not succeeded.")

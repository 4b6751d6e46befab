"""`manage.py beat_alive`: the health check of the scheduler's container."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask


class Command(BaseCommand):
    help = "Succeeds if the scheduler sent a task within the last --seconds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=60.0)

    def handle(self, *args: Any, **options: Any) -> None:
        last = PeriodicTask.objects.aggregate(last=Max("last_run_at"))["last"]
        if last is None:
            raise CommandError("The scheduler has never sent a task.")
        if last < timezone.now() - timedelta(seconds=options["seconds"]):
            raise CommandError(f"The scheduler last sent a task at {last:%Y-%m-%d %H:%M:%S} UTC.")
        self.stdout.write(f"last task at {last:%H:%M:%S} UTC")

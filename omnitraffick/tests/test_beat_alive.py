"""The scheduler's probe believes only what was sent lately."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

pytestmark = pytest.mark.django_db


def ran(seconds_ago: float) -> None:
    every = IntervalSchedule.objects.create(every=10, period="seconds")
    PeriodicTask.objects.create(
        name="sweep",
        task="sweep",
        interval=every,
        last_run_at=timezone.now() - timedelta(seconds=seconds_ago),
    )


def test_a_recent_run_is_alive() -> None:
    ran(5)
    call_command("beat_alive")


def test_an_old_run_is_not() -> None:
    ran(120)
    with pytest.raises(CommandError, match="last sent a task"):
        call_command("beat_alive")


def test_never_is_not() -> None:
    PeriodicTask.objects.all().delete()
    with pytest.raises(CommandError, match="never"):
        call_command("beat_alive")

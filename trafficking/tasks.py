"""Celery tasks of trafficking: each takes an id and may be delivered any number of times."""

from __future__ import annotations

from celery import shared_task

from trafficking.imports import runs


@shared_task(name="trafficking.tasks.carry_out_import", ignore_result=True)
def carry_out_import(run_id: str) -> str:
    """Check or write the import with this public id."""
    return runs.carry_out(run_id)


@shared_task(name="trafficking.tasks.look_after_imports", ignore_result=True)
def look_after_imports() -> int:
    """Imports whose worker was lost, and files that have expired."""
    runs.forget_old_files()
    return runs.sweep_imports()

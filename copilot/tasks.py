"""Celery tasks of the copilot: each takes an id and may be delivered any number of times."""

from __future__ import annotations

from celery import shared_task

from copilot.guidelines import indexing


@shared_task(name="copilot.tasks.index_guideline", ignore_result=True)
def index_guideline(public_id: str) -> str:
    """Read the guideline document with this public id."""
    return indexing.index_document(public_id)


@shared_task(name="copilot.tasks.look_after_guidelines", ignore_result=True)
def look_after_guidelines() -> int:
    """Documents whose worker was lost."""
    return indexing.sweep()

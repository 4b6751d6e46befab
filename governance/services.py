"""Writes on the vocabulary that touch more than one row."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from governance import impact
from governance.actor import acting
from governance.models import NamingConvention
from governance.models.vocabulary import CodedModel


def save_coded(*, row: CodedModel, impact_accepted: bool = False) -> CodedModel:
    """Save a market, brand or channel; where its code changed, names that no platform knows follow.

    Raises ValidationError with the impact while it has not been accepted.
    """
    row.impact_accepted = impact_accepted
    old_code = impact.stored_code(row) if not row._state.adding else None
    with transaction.atomic():
        row.save()
        if old_code not in (None, row.code):
            impact.code_changed.send(sender=type(row), row=row, old_code=old_code)
    return row


def put_in_force(*, convention: NamingConvention, by: Any) -> NamingConvention:
    """This convention builds names from now on; the one before ends, and names that no platform knows are rebuilt."""
    if not by.has_perm("governance.change_namingconvention"):
        raise PermissionDenied
    if convention.in_force:
        return convention
    with acting(by, reason=f"convention {convention.number} put in force"), transaction.atomic():
        for before in NamingConvention.objects.filter(in_force=True).exclude(pk=convention.pk):
            before.in_force = False
            before.save()
        convention.in_force = True
        convention.save()
        impact.convention_put_in_force.send(sender=NamingConvention, convention=convention)
    return convention

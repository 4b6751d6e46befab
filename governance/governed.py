"""The base of every governed model: the clean hook is the fence, and every row has a version.

`save()` validates, then compares and sets the version; bulk doors are closed. Services that write
many rows validate in batches and use `write_many`.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from governance.access import reach_of
from governance.actor import current_actor, current_reason


class GovernedWrite(TypeError):
    """A bulk door that would go around `clean()`."""


class StaleVersion(ValidationError):
    """Somebody else saved this row since it was read."""

    def __init__(self, row: models.Model) -> None:
        text = _("%(what)s was changed by someone else meanwhile. Reload it and make your change again.")
        super().__init__(text, code="stale_version", params={"what": str(row)})


def unguarded(model: type[models.Model]) -> models.QuerySet:
    """The rows without the fence: for writes that have been checked, and for facts. Never beside a service."""
    return models.QuerySet(model)


class GovernedQuerySet(models.QuerySet):
    def update(self, **values: Any) -> int:
        governed = set(values) - self.model.UNGOVERNED
        if governed:
            raise GovernedWrite(f"{self.model.__name__}.update({', '.join(sorted(governed))}) skips clean()")
        return super().update(**values)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        raise GovernedWrite(f"{self.model.__name__}.bulk_create skips clean(); use governed.write_many")

    def bulk_update(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> int:
        raise GovernedWrite(f"{self.model.__name__}.bulk_update skips clean(); use governed.write_many")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Row by row, through each row's own `delete()`: one that refuses refuses all."""
        counted: Counter[str] = Counter()
        with transaction.atomic(using=self.db):
            for row in self:
                counted.update(row.delete()[1])
        return counted.total(), dict(counted)

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def visible_to(self, user: Any) -> Self:
        """The rows that are `user`'s, by brand and market (`Model.REACH`)."""
        return self.filter(reach_of(user).within(self.model.REACH))

    def current(self) -> Self:
        return self.filter(archived_at__isnull=True)


def governed_history(**options: Any) -> HistoricalRecords:
    """The change log of one model. Partitioned by its id, which only grows (docs/decisions.md)."""
    return HistoricalRecords(
        get_user=_history_user, history_change_reason_field=models.TextField(null=True), **options
    )


def _history_user(instance: Any = None, request: Any = None, **_kwargs: Any) -> Any | None:
    return current_actor()


class GovernedModel(models.Model):
    """A row that people govern: public id, version, validation on every save, archive instead of delete."""

    #: Facts about calls already made: may be written by `update()`.
    UNGOVERNED: ClassVar[frozenset[str]] = frozenset()
    #: What saving works out from the other fields: written with them, also where only some are saved.
    DERIVED: ClassVar[frozenset[str]] = frozenset()
    #: Look-ups to brand and market from this model; None: not bound by that. See `governance.access`.
    REACH: ClassVar[tuple[str | None, str | None]] = (None, None)

    public_id = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)
    version = models.PositiveIntegerField(
        _("version"),
        default=1,
        editable=False,
        help_text=_("Rises with every change; two people can't overwrite each other."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)

    objects = models.Manager.from_queryset(GovernedQuerySet)()

    class Meta:
        abstract = True
        # related sets write through the base manager (`ticket.ad_sets.add(…)`): it is guarded, too
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.full_clean()
        self._change_reason = current_reason() or None
        if (fields := kwargs.get("update_fields")) is not None:
            kwargs["update_fields"] = {*fields, *self.DERIVED, "version", "updated_at"}
        version_before = self.version
        try:
            with transaction.atomic():
                self._claim_version()
                super().save(*args, **kwargs)
        except BaseException:
            self.version = version_before
            raise

    def _claim_version(self) -> None:
        self.updated_at = timezone.now()
        if self._state.adding:
            return
        mine = unguarded(type(self)).filter(pk=self.pk, version=self.version)
        if not mine.update(version=self.version + 1):
            raise StaleVersion(self)
        self.version += 1

    def archive(self) -> None:
        self.archived_at = timezone.now()
        self.save()


def compare_and_set(row: Any, *, where: dict[str, Any], values: dict[str, Any]) -> bool:
    """Change `row` in the database only if it still has its version and fits `where`; True if it did.

    For state changes whose rules have been checked by the caller. Raises the version and writes history.
    """
    values = {**values, "version": row.version + 1, "updated_at": timezone.now()}
    with transaction.atomic(savepoint=False):
        if not unguarded(type(row)).filter(pk=row.pk, version=row.version, **where).update(**values):
            return False
        for name, value in values.items():
            setattr(row, name, value)
        row._change_reason = current_reason() or None  # not that of an earlier save of this object
        type(row).history.bulk_history_create(
            [row], update=True, default_user=current_actor(), default_change_reason=current_reason() or None
        )
    return True


def write_many(rows: Sequence[Any], *, batch_size: int = 500) -> list[Any]:
    """Insert rows that the caller has validated (`clean_fields` + `clean` or the same pure rules), with history.

    One transaction; returns the rows with their primary keys.
    """
    if not rows:
        return []
    model = type(rows[0])
    with transaction.atomic(savepoint=False):
        unguarded(model).bulk_create(rows, batch_size=batch_size)
        model.history.bulk_history_create(  # type: ignore[attr-defined]
            rows, batch_size=batch_size, default_user=current_actor(),
            default_change_reason=current_reason() or None,
        )  # fmt: skip
    return list(rows)

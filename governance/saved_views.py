"""Writes on saved views: keep, rename, share, delete, open with."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from governance.actor import acting
from governance.models import DefaultView, SavedView


def save_view(*, by: Any, page: str, name: str, query: str, shared: bool = False) -> SavedView:
    """Keep a filter; one of the same name on that page, which is theirs, takes the new filter."""
    known = SavedView.objects.filter(owner=by, page=page, name=" ".join(name.split())).first()
    view = known or SavedView(owner=by, page=page, name=name)
    view.query, view.shared = query, shared
    with acting(by):
        view.save()
    return view


def change_view(*, view: SavedView, by: Any, **values: Any) -> SavedView:
    """Another `name`, `query` or `shared`. Raises PermissionDenied for somebody else's."""
    _require_own(view, by)
    for name, value in values.items():
        setattr(view, name, value)
    with acting(by):
        view.save()
    return view


def delete_view(*, view: SavedView, by: Any) -> None:
    """Gone for everyone; whoever's page opened with it opens with all rows again."""
    _require_own(view, by)
    with acting(by):
        view.delete()


def _require_own(view: SavedView, by: Any) -> None:
    if view.owner_id != by.pk:
        raise PermissionDenied


def open_with(*, view: SavedView, by: Any) -> None:
    """The page opens with this view for this person: their own or a shared one."""
    if not SavedView.objects.visible_to(by).filter(pk=view.pk).exists():
        raise PermissionDenied
    with transaction.atomic():
        DefaultView.objects.update_or_create(user=by, page=view.page, defaults={"view": view})


def open_with_all(*, by: Any, page: str) -> None:
    DefaultView.objects.filter(user=by, page=page).delete()


def default_query(user: Any, page: str) -> str:
    """What the page opens with; "" for everything. One that is no longer shared counts no more."""
    found = SavedView.objects.visible_to(user).filter(page=page, defaults__user=user)
    return found.values_list("query", flat=True).first() or ""

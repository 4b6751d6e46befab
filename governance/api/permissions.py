"""What a role may do: the model's permissions for every method, reading included."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

ACTION_OF_METHOD = {
    "GET": "view", "HEAD": "view", "POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete",
}  # fmt: skip


class RolePermission(BasePermission):
    """Signed in, and with the view's permission.

    A view names its `permission_model`; one whose action needs another permission than its method says so
    in `action_permissions = {"approve": "trafficking.approve_ticket"}`. Whose rows: `visible_to`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        if request.user.has_perm(needed_permission(request.method or "", view)):
            return True
        require_scopes(request)
        return False


def require_scopes(request: Request) -> None:
    """Raises a Problem where it is the token that is held back, not its person: it names what the token lacks."""
    from governance.api.errors import (
        Problem,  # it needs the framework's views, which read this module as a setting
    )

    missed = sorted(getattr(request.user, "missed_scopes", ()))
    if missed:
        text = _("This token lacks the scope %(scopes)s. Make one that has it.") % {
            "scopes": ", ".join(missed)
        }
        challenge = f'Token error="insufficient_scope", scope="{" ".join(missed)}"'
        raise Problem(
            403, "missing_scope", text, details={"scopes": missed}, headers={"WWW-Authenticate": challenge}
        )


def needed_permission(method: str, view: Any) -> str:
    named = getattr(view, "action_permissions", {}).get(getattr(view, "action", None))
    if named:
        return named
    if method not in ACTION_OF_METHOD:
        raise exceptions.MethodNotAllowed(method)
    meta = view.permission_model._meta
    return f"{meta.app_label}.{ACTION_OF_METHOD[method]}_{meta.model_name}"

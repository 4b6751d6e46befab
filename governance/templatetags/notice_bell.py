"""The bell above every page of the admin."""

from __future__ import annotations

from typing import Any

from django import template

from governance import notices

register = template.Library()


@register.simple_tag(takes_context=True)
def unread_notices(context: dict[str, Any]) -> int | None:
    """How many, up to 100; None for who is not signed in or may not see notices."""
    user = getattr(context.get("request"), "user", None)
    if user is None or not user.is_authenticated or not user.has_perm("governance.view_notice"):
        return None
    return notices.unread_count(user)

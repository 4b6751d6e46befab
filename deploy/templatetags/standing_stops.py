"""The banner of standing kill switches, on every page of the admin."""

from __future__ import annotations

from typing import Any

from django import template

from deploy import selectors
from deploy.models import KillSwitch

register = template.Library()
#: More than these are seen on the list of kill switches.
SHOWN = 3
RELEASING = KillSwitch.State.RELEASING


@register.simple_tag(takes_context=True)
def standing_stops(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that touch the person's work; [] for who is not signed in."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_staff:
        return []
    rows = selectors.standing_stops(user)[:SHOWN]
    return [
        {"row": row, "what": selectors.scope_words(row), "releasing": row.state == RELEASING} for row in rows
    ]

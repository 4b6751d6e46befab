"""Panels: what a higher floor shows on a lower floor's page.

The lower floor's admin asks for the panels of a row; the higher floor registers them in `AppConfig.ready()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Panel:
    """`context(row, request)` gives the template its values; None leaves the panel out."""

    title: Any  # lazy text
    template: str
    context: Callable[[Any, HttpRequest], dict[str, Any] | None]
    order: int = 100


_panels: dict[str, list[Panel]] = {}


def register(model: str, panel: Panel) -> None:
    """`model` is its label in lower case: "campaigns.campaign"."""
    panels = _panels.setdefault(model, [])
    if panel not in panels:
        panels.append(panel)
        panels.sort(key=lambda each: each.order)


def panels_of(row: Any, request: HttpRequest) -> list[dict[str, Any]]:
    """The panels of a saved row, each as {"title", "template", "panel"} for `{% include %}`."""
    return panels_at(row._meta.label_lower, request, row)


def panels_at(place: str, request: HttpRequest, row: Any = None) -> list[dict[str, Any]]:
    """Likewise, of a page that is no row's: "desk"."""
    found = [(panel, panel.context(row, request)) for panel in _panels.get(place, [])]
    return [
        {"title": panel.title, "template": panel.template, "panel": context}
        for panel, context in found
        if context is not None
    ]

"""Neutral objective and goal -> Meta's objective, optimization goal, promoted object and destination.

Source: Marketing API reference "Ad Campaign Group", table "Outcome-driven ads experiences: objectives,
destination types, optimization goals and promoted objects", and facts on billing events (impressions,
except that LINK_CLICKS and THRUPLAY may be paid by the result).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Promoted = Literal["", "page", "pixel", "pixel_event", "app", "app_event"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an ad set says its goal to Meta. `promoted` names the kind of promoted object."""

    optimization_goal: str
    promoted: Promoted = ""
    destination_type: str | None = None
    default_event: str = ""  # conversion event when the ticket states none, where the goal implies it


OBJECTIVES = {
    "AWARENESS": "OUTCOME_AWARENESS",
    "REACH": "OUTCOME_AWARENESS",
    "TRAFFIC": "OUTCOME_TRAFFIC",
    "ENGAGEMENT": "OUTCOME_ENGAGEMENT",
    "VIDEO_VIEWS": "OUTCOME_ENGAGEMENT",
    "LEADS": "OUTCOME_LEADS",
    "APP_PROMOTION": "OUTCOME_APP_PROMOTION",
    "SALES": "OUTCOME_SALES",
}

_WEBSITE = {
    "CLICKS": Recipe("LINK_CLICKS", "", "WEBSITE"),
    "LANDING_PAGE_VIEWS": Recipe("LANDING_PAGE_VIEWS", "", "WEBSITE"),
    "CONVERSIONS": Recipe("OFFSITE_CONVERSIONS", "pixel_event", "WEBSITE"),
}

RECIPES: dict[str, dict[str, Recipe]] = {
    "OUTCOME_AWARENESS": {
        "REACH": Recipe("REACH", "page"),
        "IMPRESSIONS": Recipe("IMPRESSIONS", "page"),
        "VIDEO_VIEWS": Recipe("THRUPLAY", "page"),
    },
    # A website needs no destination type here, and naming one is refused.
    "OUTCOME_TRAFFIC": {
        "CLICKS": Recipe("LINK_CLICKS"),
        "LANDING_PAGE_VIEWS": Recipe("LANDING_PAGE_VIEWS"),
        "REACH": Recipe("REACH"),
        "IMPRESSIONS": Recipe("IMPRESSIONS"),
    },
    "OUTCOME_ENGAGEMENT": {
        **_WEBSITE,
        "VIDEO_VIEWS": Recipe("THRUPLAY", "page", "ON_VIDEO"),
        "ENGAGEMENT": Recipe("POST_ENGAGEMENT", "page", "ON_POST"),
        "REACH": Recipe("REACH", "page", "ON_POST"),
        "IMPRESSIONS": Recipe("IMPRESSIONS", "page", "ON_POST"),
    },
    "OUTCOME_LEADS": {
        **_WEBSITE,
        "LEADS": Recipe("OFFSITE_CONVERSIONS", "pixel_event", "WEBSITE", "LEAD"),
        "REACH": Recipe("REACH", "pixel", "WEBSITE"),
        "IMPRESSIONS": Recipe("IMPRESSIONS", "pixel", "WEBSITE"),
    },
    "OUTCOME_APP_PROMOTION": {
        "APP_INSTALLS": Recipe("APP_INSTALLS", "app"),
        "CLICKS": Recipe("LINK_CLICKS", "app"),
        "CONVERSIONS": Recipe("OFFSITE_CONVERSIONS", "app_event"),
        "CONVERSION_VALUE": Recipe("VALUE", "app_event"),
    },
    "OUTCOME_SALES": {
        **_WEBSITE,
        "CONVERSION_VALUE": Recipe("VALUE", "pixel_event", "WEBSITE"),
        "REACH": Recipe("REACH", "pixel", "WEBSITE"),
        "IMPRESSIONS": Recipe("IMPRESSIONS", "pixel", "WEBSITE"),
    },
}

#: Leads on an instant form, whenever the ad set names one.
ON_FORM = Recipe("LEAD_GENERATION", "page", "ON_AD")

_BILLING = {
    "CLICKS": ("LINK_CLICKS", "LINK_CLICKS"),  # neutral: (Meta's event, the only goal that allows it)
    "VIDEO_VIEWS": ("THRUPLAY", "THRUPLAY"),
}


def campaign_objective(objective: str, goals: Collection[str]) -> str | None:
    """Meta's objective; None where the neutral one is unknown.

    Video views belong to engagement, unless an ad set of the campaign wants reach: then to awareness,
    whose ad sets may optimise for reach, impressions and ThruPlay alike.
    """
    if objective == "VIDEO_VIEWS" and {"REACH", "IMPRESSIONS"} & set(goals):
        return "OUTCOME_AWARENESS"
    return OBJECTIVES.get(objective)


def recipe(outcome: str, goal: str, has_form: bool) -> Recipe | None:
    """How to say `goal` under `outcome`; None where Meta does not have the combination."""
    if outcome == "OUTCOME_LEADS" and goal == "LEADS" and has_form:
        return ON_FORM
    return RECIPES.get(outcome, {}).get(goal)


def billing_event(neutral: str, optimization_goal: str) -> str | None:
    """Meta's billing event; impressions when none is asked for. None: not with this goal."""
    if neutral in ("", "IMPRESSIONS"):
        return "IMPRESSIONS"
    event, only_goal = _BILLING.get(neutral, ("", ""))
    return event if event and only_goal == optimization_goal else None

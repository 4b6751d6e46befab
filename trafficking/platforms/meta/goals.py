"""Neutral objective and goal -> Meta's objective, optimization goal, promoted object and destination.

Objectives, goals and destinations are enums of the SDK (facebook-business). Which go together: the table
"Objective Mapping" of Meta's page "Ad Campaign Group", as two public projects copied it in 2026; the page itself
was not opened. The copies have no rows for website purchases (OUTCOME_SALES with a pixel), for VALUE, or for reach
and impressions of OUTCOME_LEADS and OUTCOME_SALES: those recipes follow the neighbouring rows and practice, and are
unverified. The table leaves the destination of websites empty; WEBSITE is one of the values on Meta's page "Ad Set
Destination Type". Beside link clicks, page views, reach and impressions of OUTCOME_ENGAGEMENT, and link clicks of
OUTCOME_LEADS, it names a pixel with an event, which is not sent here: whether Meta demands it is unverified.

Billing (impressions for every goal; LINK_CLICKS and THRUPLAY also by the result) is the table of Meta's page
"Billing Events", from the same kind of copy.
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
    # The table leaves the destination of a website empty here; naming one was refused in recorded answers.
    "OUTCOME_TRAFFIC": {
        "CLICKS": Recipe("LINK_CLICKS"),
        "LANDING_PAGE_VIEWS": Recipe("LANDING_PAGE_VIEWS"),
        "REACH": Recipe("REACH"),
        "IMPRESSIONS": Recipe("IMPRESSIONS"),
    },
    "OUTCOME_ENGAGEMENT": {
        **_WEBSITE,
        "VIDEO_VIEWS": Recipe("THRUPLAY", "", "ON_VIDEO"),
        "ENGAGEMENT": Recipe("POST_ENGAGEMENT", "", "ON_POST"),
        "REACH": Recipe("REACH", "", "ON_POST"),
        "IMPRESSIONS": Recipe("IMPRESSIONS", "", "ON_POST"),
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


def goals_of(objective: str) -> tuple[str, ...]:
    """Goals that can be said under a neutral objective, in their usual order; every one without an objective."""
    if not objective:
        return tuple(dict.fromkeys(goal for recipes in RECIPES.values() for goal in recipes))
    outcomes = [OBJECTIVES.get(objective, "")] + (["OUTCOME_AWARENESS"] if objective == "VIDEO_VIEWS" else [])
    return tuple(dict.fromkeys(goal for outcome in outcomes for goal in RECIPES.get(outcome, {})))


def billing_event(neutral: str, optimization_goal: str) -> str | None:
    """Meta's billing event; impressions when none is asked for. None: not with this goal."""
    if neutral in ("", "IMPRESSIONS"):
        return "IMPRESSIONS"
    event, only_goal = _BILLING.get(neutral, ("", ""))
    return event if event and only_goal == optimization_goal else None

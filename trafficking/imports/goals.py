"""From a plan's objective and KPI to what an ad set is optimised for, where the plan does not say it.

Data, by what platforms can do (their `goals.py` and `bidding.py`); QA has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: objective -> the usual goal
USUAL: Mapping[str, str] = {
    "AWARENESS": "REACH", "REACH": "REACH", "TRAFFIC": "CLICKS", "ENGAGEMENT": "ENGAGEMENT",
    "VIDEO_VIEWS": "VIDEO_VIEWS", "LEADS": "LEADS", "APP_PROMOTION": "APP_INSTALLS", "SALES": "CONVERSIONS",
}  # fmt: skip
#: objective -> goals that a KPI may choose instead
BY_KPI: Mapping[str, frozenset[str]] = {
    "AWARENESS": frozenset({"REACH", "IMPRESSIONS", "VIDEO_VIEWS"}),
    "REACH": frozenset({"REACH", "IMPRESSIONS"}),
    "TRAFFIC": frozenset({"CLICKS", "LANDING_PAGE_VIEWS"}),
    "ENGAGEMENT": frozenset({"ENGAGEMENT"}),
    "VIDEO_VIEWS": frozenset({"VIDEO_VIEWS"}),
    "LEADS": frozenset({"LEADS", "CONVERSIONS"}),
    "APP_PROMOTION": frozenset({"APP_INSTALLS"}),
    "SALES": frozenset({"CONVERSIONS", "CONVERSION_VALUE"}),
}  # fmt: skip
#: (platform, buying type or "") -> wished goal -> the goal that it has for that
NEAREST: Mapping[tuple[str, str], Mapping[str, str]] = {
    # TikTok's LEADS goal is an instant form; without one, leads are conversions on the website
    ("tiktok", ""): {"LEADS": "CONVERSIONS", "ENGAGEMENT": "VIDEO_VIEWS"},
    ("google_ads", "SEARCH"): dict.fromkeys(("REACH", "IMPRESSIONS", "VIDEO_VIEWS", "ENGAGEMENT", "LANDING_PAGE_VIEWS"), "CLICKS"),
    ("google_ads", "DISPLAY"): dict.fromkeys(("REACH", "IMPRESSIONS", "VIDEO_VIEWS", "ENGAGEMENT", "LANDING_PAGE_VIEWS"), "CLICKS"),
    # Demand Gen keeps its wish for attention: whether clicks will do is the planner's decision
    ("google_ads", "DEMAND_GEN"): {"LANDING_PAGE_VIEWS": "CLICKS"},
}  # fmt: skip
#: TikTok takes views under its own objective only
_NOT_WITH = {("tiktok", "AWARENESS"): frozenset({"VIDEO_VIEWS"})}
_WORDS = (
    ("CONVERSION_VALUE", r"\broas\b|revenue|value"), ("LANDING_PAGE_VIEWS", r"landing page|visits?\b"),
    ("CLICKS", r"\bclicks?\b|\bctr\b|\bcpc\b"), ("VIDEO_VIEWS", r"\bviews?\b|\bvtr\b|completion"),
    ("IMPRESSIONS", r"impressions?\b|\bcpm\b"), ("REACH", r"\breach\b|\bawareness\b"), ("LEADS", r"\bleads?\b|\bcpl\b"),
    ("CONVERSIONS", r"conversions?\b|sales?\b|purchases?\b|\bcpa\b"), ("APP_INSTALLS", r"\binstalls?\b"),
    ("ENGAGEMENT", r"engagements?\b"),
)  # fmt: skip
#: goal -> the event that it counts, where the plan states none
EVENTS = {"SALES": "PURCHASE", "LEADS": "LEAD"}


def goal_for(objective: str, kpi: str, platform: str, buying_type: str) -> tuple[str, str]:
    """(the goal, the goal that was wished for); they differ where the platform has another word or none."""
    wished = _by_kpi(objective, kpi, platform) or USUAL[objective]
    nearest = {**NEAREST.get((platform, ""), {}), **NEAREST.get((platform, buying_type), {})}
    return nearest.get(wished, wished), wished


def event_for(objective: str, goal: str) -> str:
    return EVENTS.get(objective, "") if goal in ("CONVERSIONS", "CONVERSION_VALUE") else ""


def _by_kpi(objective: str, kpi: str, platform: str) -> str:
    allowed = BY_KPI[objective] - _NOT_WITH.get((platform, objective), frozenset())
    text = kpi.casefold()
    return next((goal for goal, words in _WORDS if goal in allowed and re.search(words, text)), "")

"""Performance Max: asset groups instead of ad groups and ads, Google's automation instead of targeting.

An ad set is an asset group; its one ad is what the group shows: texts and images are assets that are linked to the
group (developers.google.com/google-ads/api/docs/performance-max). Campaign, asset groups, assets and links go out in
one atomic mutate, because an asset group must have its required assets from the start
(AssetGroupError.NOT_ENOUGH_HEADLINE_ASSET and its like). Keywords become search themes, `audiences/…` audience
signals: hints for Google, no limits. Brand guidelines are off, so that name and logo stand on the asset group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trafficking.platforms.base import AdSetSnapshot, AdSnapshot, PlannedObject, TicketSnapshot
from trafficking.platforms.google_ads.ads import (
    AdBuilder,
    Assets,
    check_landing_page,
    display_width,
    final_suffix,
)
from trafficking.platforms.google_ads.notes import Notes
from trafficking.platforms.google_ads.reference import LIMITS
from trafficking.platforms.google_ads.tree import Tree

FORMAT = "RESPONSIVE_DISPLAY"
#: What Google makes by itself unless it is refused (asset_automation_type.py, v26).
AUTOMATIONS = (
    "TEXT_ASSET_AUTOMATION", "FINAL_URL_EXPANSION_TEXT_ASSET_AUTOMATION", "GENERATE_ENHANCED_YOUTUBE_VIDEOS",
    "GENERATE_IMAGE_ENHANCEMENT", "GENERATE_IMAGE_EXTRACTION",
)  # fmt: skip
#: Settings of an ad set that Performance Max has no place for.
WITHOUT = (
    "age_min", "age_max", "genders", "interests", "audiences_exclude", "placements", "negative_keywords",
    "frequency_cap",
)  # fmt: skip
IMAGES = (
    ("MARKETING_IMAGE", "IMAGE"), ("SQUARE_MARKETING_IMAGE", "SQUARE_IMAGE"),
    ("PORTRAIT_MARKETING_IMAGE", "PORTRAIT_IMAGE"), ("LOGO", "LOGO"),
)  # fmt: skip


def campaign_settings(ticket: TicketSnapshot) -> dict[str, Any]:
    """Automation said either way, as on ads: nothing that nobody approved unless it is asked for."""
    status = "OPTED_IN" if ticket.config.get("google_enhancements") else "OPTED_OUT"
    intent = ticket.config.get("location_intent", "PRESENCE")
    return {
        "brandGuidelinesEnabled": False,
        "geoTargetTypeSetting": {"positiveGeoTargetType": intent, "negativeGeoTargetType": "PRESENCE"},
        "assetAutomationSettings": [
            {"assetAutomationType": kind, "assetAutomationStatus": status} for kind in AUTOMATIONS
        ],
    }


def add_asset_group(
    ticket: TicketSnapshot, index: int, campaign: str, tree: Tree, assets: Assets, notes: Notes
) -> None:
    """Assets, the group, and the links between them, of one ad set."""
    ad_set, path = ticket.ad_sets[index], f"ad_sets[{index}]"
    _refuse_settings(ad_set, path, notes)
    if len(ad_set.ads) != 1:
        notes.block("performance_max.one_ad", f"{path}.ads", count=len(ad_set.ads))
        return
    ad, ad_path = ad_set.ads[0], f"{path}.ads[0]"
    if ad.format != FORMAT:
        notes.block(
            "ad.format_unsupported",
            f"{ad_path}.format",
            format=ad.format,
            channel=ticket.buying_type,
            known=[FORMAT],
        )
        return
    links = _links(AdBuilder(ad, ad_path, tree, assets, notes))
    group = tree.temporary("assetGroups")
    check_landing_page(ad.landing_page, f"{ad_path}.landing_page", notes)
    _add_group(ad_set, ad, group, campaign, path, tree)
    for field_type, asset, source in links:
        link = {"assetGroup": group, "asset": asset, "fieldType": field_type}
        tree.add("assetGroupAssetOperation", link, None, {"": source})
    for signal, source in _signals(ad_set, f"customers/{tree.customer_id}", path, notes):
        tree.add("assetGroupSignalOperation", {"assetGroup": group, **signal}, None, {"": source})


def _add_group(
    ad_set: AdSetSnapshot, ad: AdSnapshot, group: str, campaign: str, path: str, tree: Tree
) -> None:
    """The ad has no resource of its own: it is planned beside the group that shows it."""
    body = {
        "resourceName": group,
        "name": ad_set.name,
        "campaign": campaign,
        "status": "PAUSED",
        "finalUrls": [ad.landing_page.strip()],
        **final_suffix(ad),
    }
    body |= {f"path{number}": text.strip() for number, text in enumerate(ad.display_paths[:2], start=1)}
    sources = {
        "": path, "/name": f"{path}.name", "/finalUrls": f"{path}.ads[0].landing_page",
        "/finalUrlSuffix": f"{path}.ads[0].utm", "/path1": f"{path}.ads[0].display_paths[0]",
        "/path2": f"{path}.ads[0].display_paths[1]",
    }  # fmt: skip
    tree.add("assetGroupOperation", body, PlannedObject(f"ad_set:{ad_set.intent_id}", "ad_set", ad_set.name,
                                                        ad_set.intent_id), sources)  # fmt: skip
    tree.objects.append(PlannedObject(f"ad:{ad.intent_id}", "ad", ad.name, ad.intent_id))


def _refuse_settings(ad_set: AdSetSnapshot, path: str, notes: Notes) -> None:
    for name in WITHOUT:
        if getattr(ad_set, name):
            notes.block("performance_max.no_targeting", f"{path}.{name}", setting=name)


def _links(build: AdBuilder) -> list[tuple[str, str, str]]:
    """(field type, asset, ticket field) of everything that the ad shows."""
    ad, limits, assets = build.ad, LIMITS["performance_max"], build.assets
    texts = (
        ("HEADLINE", "headlines", ad.headlines, limits["headlines"]),
        ("LONG_HEADLINE", "long_headline", (ad.long_headline,) if ad.long_headline else (), limits["long_headline"]),
        ("DESCRIPTION", "descriptions", ad.descriptions, limits["descriptions"]),
        ("BUSINESS_NAME", "business_name", (ad.business_name,) if ad.business_name else (), limits["business_name"]),
    )  # fmt: skip
    found = []
    for field_type, field, values, bounds in texts:
        for text in build.texts(f"/{field_type}", field, values, bounds):
            source = f"{build.path}.{field}"
            found.append((field_type, assets.text(text["text"], source), source))
    _check_short(build, ad.descriptions, limits["short_description"])
    for field_type, kind in IMAGES:
        for image in build.images(f"/{field_type}", "media", kind, *limits["images"][kind]):
            found.append((field_type, image["asset"], f"{build.path}.media"))
    for video in build.videos("/YOUTUBE_VIDEO", *limits["videos"]):
        found.append(("YOUTUBE_VIDEO", video["asset"], f"{build.path}.media"))
    action = build.call_to_action()
    if action is not None:
        source = f"{build.path}.call_to_action"
        found.append(("CALL_TO_ACTION_SELECTION", assets.call_to_action(action[0], source), source))
    return found


def _check_short(build: AdBuilder, descriptions: Sequence[str], width: int) -> None:
    """AssetGroupError.SHORT_DESCRIPTION_REQUIRED."""
    if descriptions and not any(display_width(text.strip()) <= width for text in descriptions):
        build.notes.block("performance_max.short_description", f"{build.path}.descriptions", width=width)


def _signals(
    ad_set: AdSetSnapshot, customer: str, path: str, notes: Notes
) -> list[tuple[dict[str, Any], str]]:
    themes = [
        ({"searchTheme": {"text": " ".join(word.text.split())}}, f"{path}.keywords[{index}]")
        for index, word in enumerate(ad_set.keywords)
    ]
    found = []
    for index, audience in enumerate(ad_set.audiences_include):
        kind, _, number = audience.rpartition("/")
        if kind != "audiences" or not number.isdigit():
            notes.block("performance_max.audience", f"{path}.audiences_include[{index}]", audience=audience)
            continue
        signal = {"audience": {"audience": f"{customer}/audiences/{number}"}}
        found.append((signal, f"{path}.audiences_include[{index}]"))
    return [*found, *themes]

"""An ad's creative: image, video or carousel as Meta's `object_story_spec`.

Field names and types are the SDK's (facebook-business, `AdCreativeObjectStorySpec` and what hangs below it). Which
fields go together comes from the examples of Meta's page "Ad Creative" (v25.0, as stored in public copies) and
from recorded error answers.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from trafficking.platforms.base import AdSnapshot, Card, TicketSnapshot, tagged_url, utm_query
from trafficking.platforms.meta.noted import Body, Noted
from trafficking.platforms.meta.reference import CALLS_TO_ACTION, LIMITS
from trafficking.platforms.meta.targeting import is_meta_id

#: Ids, not names: Meta freezes name macros at the first publication (from practice, not found in its documents).
MACROS = {"campaign_id": "{{campaign.id}}", "ad_set_id": "{{adset.id}}", "ad_id": "{{ad.id}}"}
#: The link that public examples of instant form ads carry; Meta's own page was not seen.
FORM_LINK = "http://fb.me/"
_HASH_DIGITS = 8
_PICTURES = ("IMAGE", "SQUARE_IMAGE", "PORTRAIT_IMAGE")


@dataclass(frozen=True, slots=True)
class Scene:
    """One ad on its way to a creative, with what its ad set decides about it."""

    ticket: TicketSnapshot
    ad: AdSnapshot
    config: Mapping[str, Any]
    path: str  # of the ad in the ticket
    form_id: str  # instant form, or ""
    store_url: str  # app promotion, or ""
    goal: str  # Meta's optimization goal


def creative(noted: Noted, scene: Scene) -> Body | None:
    """The creative's body; None where its format isn't Meta's."""
    story = Body()
    story.put("page_id", scene.ticket.account.page_id or None)
    story.put("instagram_user_id", scene.ticket.account.instagram_user_id or None)
    _check_format(noted, scene)
    link = _link(noted, scene)
    match scene.ad.format:
        case "IMAGE":
            story.nest("link_data", _image(noted, scene, link))
        case "CAROUSEL":
            story.nest("link_data", _carousel(noted, scene, link))
        case "VIDEO":
            story.nest("video_data", _video(noted, scene, link))
        case _:
            noted.block("ad.format", f"{scene.path}.format", format=scene.ad.format)
            return None
    return _wrapped(noted, scene, story)


def _wrapped(noted: Noted, scene: Scene, story: Body) -> Body:
    body = Body()
    body.put("name", _name(noted, scene), f"{scene.path}.name")
    body.nest("object_story_spec", story, scene.path)
    if scene.ad.utm and scene.config.get("utm_in", "url_tags") == "url_tags":
        body.put("url_tags", utm_query(scene.ad.utm, MACROS), f"{scene.path}.utm")
    if scene.ticket.political == "CONTAINS":
        body.put("authorization_category", "POLITICAL", "political")
    if scene.config.get("multi_advertiser_ads") is False:
        body.put(
            "contextual_multi_ads", {"enroll_status": "OPT_OUT"}, f"{scene.path}.config.multi_advertiser_ads"
        )
    return body


def _name(noted: Noted, scene: Scene) -> str:
    name = creative_name(scene.ad.name)
    if name != scene.ad.name:
        longest = LIMITS["creative_name"]
        noted.warn("ad.creative_name_shortened", f"{scene.path}.name", longest=longest, sent=name)
    return name


def creative_name(ad_name: str) -> str:
    """What the creative of an ad is called: the ad's name, or its end and a hash where that is too long.

    Meta gives creatives shorter names than ads. The end tells ads of one campaign apart; the hash (8 hex digits
    of the whole name's SHA-256) keeps two names with the same end apart. The same ad name always gives the
    same creative name, so that a creative can be found by it after a lost answer.
    """
    longest = LIMITS["creative_name"]
    if len(ad_name) <= longest:
        return ad_name
    digest = hashlib.sha256(ad_name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
    end = ad_name[-(longest - _HASH_DIGITS - 1) :]
    while end and unicodedata.combining(end[0]):  # a mark whose letter was cut off
        end = end[1:]
    return f"{end.lstrip()}_{digest}"


def _check_format(noted: Noted, scene: Scene) -> None:
    ad = scene.ad
    if scene.goal == "THRUPLAY" and ad.format != "VIDEO":
        noted.block("ad.video_needed", f"{scene.path}.format", format=ad.format)
    for field, values in (
        ("texts", ad.texts),
        ("headlines", ad.headlines),
        ("descriptions", ad.descriptions),
    ):
        if len(values) > 1:
            noted.block("ad.one_only", f"{scene.path}.{field}[1]", field=field, count=len(values))
    if not ad.texts or not ad.texts[0].strip():
        noted.block("ad.text_missing", f"{scene.path}.texts")


# ------------------------------------------------------------------------------------------ links


def _link(noted: Noted, scene: Scene) -> str:
    """Where a click goes, tagged where the ticket wants it so; "" for an ad without a link."""
    if scene.form_id:
        return scene.ad.landing_page or FORM_LINK
    if scene.store_url:
        if scene.ad.landing_page not in ("", scene.store_url):
            noted.warn("ad.landing_page_unused", f"{scene.path}.landing_page", store_url=scene.store_url)
        return scene.store_url
    if not scene.ad.landing_page:
        if not _may_lack_link(scene):
            noted.block("ad.landing_page_missing", f"{scene.path}.landing_page")
        return ""
    return _tagged(noted, scene, scene.ad.landing_page, f"{scene.path}.landing_page")


def _may_lack_link(scene: Scene) -> bool:
    """A video without a button, that is only to be watched or liked, needs no page to lead to."""
    only_watched = scene.goal in ("THRUPLAY", "POST_ENGAGEMENT", "REACH", "IMPRESSIONS")
    return scene.ad.format == "VIDEO" and only_watched and not scene.ad.call_to_action


def _tagged(noted: Noted, scene: Scene, url: str, field: str) -> str:
    if not is_web_address(url):
        noted.block("ad.bad_url", field, url=url)
        return url
    in_link = scene.config.get("utm_in") == "link"
    return tagged_url(url, scene.ad.utm, MACROS) if in_link else url


def is_web_address(url: str) -> bool:
    """True for http(s) addresses with a host and without spaces."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in host and not any(c.isspace() for c in url)


def _call_to_action(noted: Noted, scene: Scene, link: str) -> Body | None:
    """The button. Its link is the ad's own; Meta refuses another."""
    neutral, field = scene.ad.call_to_action, f"{scene.path}.call_to_action"
    if not neutral:
        if (scene.ad.format == "VIDEO" and link) or scene.form_id:
            noted.block("ad.call_to_action_missing", field)
        return None
    meta_type = CALLS_TO_ACTION.get(neutral)
    if meta_type is None:
        noted.block("ad.call_to_action_unknown", field, call=neutral, known=sorted(CALLS_TO_ACTION))
        return None
    body, value = Body(), Body()
    body.put("type", meta_type, field)
    value.put("link", link or None, f"{scene.path}.landing_page")
    value.put("lead_gen_form_id", scene.form_id or None, f"{scene.path}.config.lead_gen_form_id")
    body.nest("value", value)
    return body


# ---------------------------------------------------------------------------------------- formats


def _image(noted: Noted, scene: Scene, link: str) -> Body:
    body = _link_data(noted, scene, link)
    body.put("image_hash", _picture(noted, scene, _PICTURES), f"{scene.path}.media")
    body.put("description", _first(scene.ad.descriptions), f"{scene.path}.descriptions[0]")
    body.put("caption", scene.config.get("display_link"), f"{scene.path}.config.display_link")
    return body


def _link_data(noted: Noted, scene: Scene, link: str) -> Body:
    body = Body()
    body.put("link", link, f"{scene.path}.landing_page")
    body.put("message", _first(scene.ad.texts), f"{scene.path}.texts[0]")
    body.put("name", _first(scene.ad.headlines), f"{scene.path}.headlines[0]")
    _nest_call_to_action(noted, body, scene, link)
    return body


def _nest_call_to_action(noted: Noted, body: Body, scene: Scene, link: str) -> None:
    call = _call_to_action(noted, scene, link)
    if call is not None:
        body.nest("call_to_action", call, f"{scene.path}.call_to_action")


def _video(noted: Noted, scene: Scene, link: str) -> Body:
    body = Body()
    videos = scene.ad.media_ids("VIDEO")
    if len(videos) != 1:
        noted.block("ad.one_video", f"{scene.path}.media", count=len(videos))
    elif not is_meta_id(videos[0]) and not any(each.file for each in scene.ad.media if each.kind == "VIDEO"):
        noted.block("ad.bad_video_id", f"{scene.path}.media", video=videos[0])
    body.put("video_id", _first(videos), f"{scene.path}.media")
    body.put("image_hash", _picture(noted, scene, ("THUMBNAIL", *_PICTURES)), f"{scene.path}.media")
    body.put("message", _first(scene.ad.texts), f"{scene.path}.texts[0]")
    body.put("title", _first(scene.ad.headlines), f"{scene.path}.headlines[0]")
    body.put("link_description", _first(scene.ad.descriptions), f"{scene.path}.descriptions[0]")
    _nest_call_to_action(noted, body, scene, link)
    return body


def _picture(noted: Noted, scene: Scene, kinds: tuple[Any, ...]) -> str | None:
    """The one picture that the format shows; the first of `kinds` that there is."""
    for kind in kinds:
        hashes = scene.ad.media_ids(kind)
        if len(hashes) > 1:
            noted.block("ad.one_image", f"{scene.path}.media", count=len(hashes), kind=kind)
        if hashes:
            return hashes[0]
    code = "ad.thumbnail_missing" if scene.ad.format == "VIDEO" else "ad.image_missing"
    noted.block(code, f"{scene.path}.media")
    return None


def _carousel(noted: Noted, scene: Scene, link: str) -> Body:
    body = _link_data(noted, scene, link)
    cards = scene.ad.cards
    if not LIMITS["cards_min"] <= len(cards) <= LIMITS["cards_max"]:
        noted.block(
            "ad.cards",
            f"{scene.path}.cards",
            count=len(cards),
            least=LIMITS["cards_min"],
            most=LIMITS["cards_max"],
        )
    bodies = [_card(noted, scene, card, number, link) for number, card in enumerate(cards)]
    body.put("child_attachments", [each.values for each in bodies], f"{scene.path}.cards")
    for number, each in enumerate(bodies):
        for pointer, field in each.sources.items():
            body.sources[f"/child_attachments/{number}{pointer}"] = field
    body.put("multi_share_optimized", scene.config.get("best_card_first", False))
    body.put("multi_share_end_card", scene.config.get("end_card", False))
    return body


def _card(noted: Noted, scene: Scene, card: Card, number: int, link: str) -> Body:
    field = f"{scene.path}.cards[{number}]"
    own = card.landing_page and not (scene.form_id or scene.store_url)
    target = _tagged(noted, scene, card.landing_page, f"{field}.landing_page") if own else link
    body = Body()
    body.put("link", target, f"{field}.landing_page" if own else f"{scene.path}.landing_page")
    body.put("name", card.headline or None, f"{field}.headline")
    body.put("description", card.description or None, f"{field}.description")
    if not card.reference:
        noted.block("ad.card_media_missing", f"{field}.media_id", card=number + 1)
    elif _is_video(scene, card):
        body.put("video_id", card.reference, f"{field}.media_id")
        body.put("image_hash", _picture(noted, scene, ("THUMBNAIL", *_PICTURES)), f"{scene.path}.media")
    else:
        body.put("image_hash", card.reference, f"{field}.media_id")
    if scene.ad.call_to_action in CALLS_TO_ACTION:
        call = {"type": CALLS_TO_ACTION[scene.ad.call_to_action], "value": {"link": target}}
        if scene.form_id:
            call["value"]["lead_gen_form_id"] = scene.form_id  # type: ignore[index]
        body.put("call_to_action", call, f"{scene.path}.call_to_action")
    return body


def _is_video(scene: Scene, card: Card) -> bool:
    return card.file.is_video if card.file else card.media_id in scene.ad.media_ids("VIDEO")


def _first(values: Any) -> str | None:
    return values[0] if values and values[0] else None

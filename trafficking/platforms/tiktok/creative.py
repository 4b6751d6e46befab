"""One ad: TikTok has no creative of its own, `ad/create` carries it in `creatives[0]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trafficking.platforms.base import AdSnapshot, MediaKind, TicketSnapshot, tagged_url
from trafficking.platforms.tiktok import reference
from trafficking.platforms.tiktok.draft import Body, Notes
from trafficking.platforms.tiktok.goals import Way
from trafficking.platforms.tiktok.media import check_files
from trafficking.platforms.tiktok.texts import check_text, check_url

MACROS: Mapping[str, str] = {
    "campaign_id": "__CAMPAIGN_ID__",
    "ad_set_id": "__AID__",
    "ad_id": "__CID__",
}

#: Options that are sent under their own names.
PLAIN_OPTIONS = (
    "card_id", "deeplink", "click_tracking_url", "impression_tracking_url", "aigc_disclosure_type",
    "dark_post_status", "promotional_music_disabled",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """What an ad must know of what stands above it."""

    ticket: TicketSnapshot
    way: Way
    placements: tuple[str, ...]  # empty: automatic
    at: str  # the ad's field path
    options: Mapping[str, Any]
    options_at: Mapping[str, str]  # option -> where it was set


def creative_of(ad: AdSnapshot, place: Place, notes: Notes) -> Body:
    """The body of `creatives[0]`, complete where no blocking finding was added."""
    body = Body(prefix="/creatives/0")
    check_text(ad.name, reference.NAME_LENGTH, f"{place.at}.name", notes)
    body.put("ad_name", ad.name, f"{place.at}.name")
    _put_identity(body, place, notes)
    _put_format(body, ad, place, notes)
    _put_text(body, ad, place, notes)
    _put_destination(body, ad, place, notes)
    _put_call_to_action(body, ad, place, notes)
    _put_options(body, place, notes)
    _tell_unused(ad, place, notes)
    check_files(ad, place.at, notes)
    body.put("operation_status", "DISABLE")
    return body


def identity_of(place: Place, notes: Notes) -> Body:
    """Whom the ad is published as, alone."""
    body = Body()
    _put_identity(body, place, notes)
    return body


def _put_identity(body: Body, place: Place, notes: Notes) -> None:
    account, options = place.ticket.account, place.options
    identity = options.get("identity_id") or account.identity_id
    kind = options.get("identity_type") or account.identity_type
    id_at = place.options_at.get("identity_id", "account.identity_id")
    kind_at = place.options_at.get("identity_type", "account.identity_type")
    if not identity:
        notes.block("identity.missing", id_at)
    if kind not in reference.IDENTITY_TYPES:
        notes.block(
            "identity.type_unknown",
            kind_at,
            type=kind,
            types=list(reference.IDENTITY_TYPES),
        )
    body.put_given("identity_id", identity, id_at)
    body.put_given("identity_type", kind, kind_at)
    if kind == "BC_AUTH_TT":
        _put_business_centre(body, place, notes)
    if kind == "AUTH_CODE" and "tiktok_item_id" not in options:
        notes.block("identity.post_missing", f"{place.at}.config.tiktok_item_id")
    if kind == "CUSTOMIZED_USER" and (not place.placements or "PLACEMENT_TIKTOK" in place.placements):
        notes.warn("identity.custom_user_ending", kind_at)


def _put_business_centre(body: Body, place: Place, notes: Notes) -> None:
    centre = place.options.get("identity_authorized_bc_id")
    where = place.options_at.get("identity_authorized_bc_id", f"{place.at}.config.identity_authorized_bc_id")
    if centre is None:
        notes.block("identity.business_centre_missing", where)
    body.put_given("identity_authorized_bc_id", centre, where)


def _put_format(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    if ad.format == "VIDEO":
        _put_video(body, ad, place, notes)
    elif ad.format == "IMAGE":
        _put_image(body, ad, place, notes)
    elif ad.format == "CAROUSEL":
        _put_carousel(body, ad, place, notes)
    else:
        notes.block("format.unsupported", f"{place.at}.format", format=ad.format)


IMAGES: tuple[MediaKind, ...] = ("IMAGE", "SQUARE_IMAGE", "PORTRAIT_IMAGE")


def named(ad: AdSnapshot, *kinds: MediaKind) -> list[str]:
    """Ids or stand-ins; a medium that names nothing is none."""
    return [each for each in ad.media_ids(*kinds) if each]


def _put_video(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    """A video with one cover image, or a TikTok post (Spark Ad), which brings its own."""
    where = f"{place.at}.media"
    body.put("ad_format", "SINGLE_VIDEO", f"{place.at}.format")
    if "tiktok_item_id" in place.options:
        body.put(
            "tiktok_item_id",
            place.options["tiktok_item_id"],
            place.options_at["tiktok_item_id"],
        )
        return
    videos, covers = named(ad, "VIDEO"), named(ad, "THUMBNAIL") or named(ad, "IMAGE")
    if len(videos) != 1:
        notes.block("media.one_video", where, count=len(videos))
    if len(covers) != 1:
        notes.block("media.one_cover", where, count=len(covers))
    body.put_given("video_id", videos[0] if videos else "", where)
    body.put_given("image_ids", covers[:1], where)


def _put_image(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    """Single images run on Pangle and Global App Bundle; on TikTok itself they are not an ad format."""
    where, images = f"{place.at}.media", named(ad, *IMAGES)
    body.put("ad_format", "SINGLE_IMAGE", f"{place.at}.format")
    if len(images) != 1:
        notes.block("media.one_image", where, count=len(images))
    body.put_given("image_ids", images[:1], where)
    if not place.way.promotion or place.way.target == "INSTANT_PAGE":
        notes.block("image.objective", f"{place.at}.format", objective=place.ticket.objective)
    elif not place.placements:
        notes.warn("image.automatic_placement", f"{place.at}.format")
    elif not reference.IMAGE_PLACEMENTS.issuperset(place.placements):
        notes.block("image.placement", f"{place.at}.format", placements=list(place.placements))


def _put_carousel(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    """2 to 35 images in order, with music; text, button and link are one for all of them."""
    where = f"{place.at}.cards"
    images = [card.reference for card in ad.cards] or named(ad, *IMAGES)
    fewest, most = reference.CAROUSEL_IMAGES
    body.put("ad_format", "CAROUSEL_ADS", f"{place.at}.format")
    if not fewest <= len(images) <= most or not all(images):
        notes.block(
            "carousel.images",
            where,
            count=len([each for each in images if each]),
            fewest=fewest,
            most=most,
        )
    if "music_id" in place.options:
        body.put("music_id", place.options["music_id"], place.options_at["music_id"])
    else:
        notes.block("carousel.music_missing", f"{place.at}.config.music_id")
    if {card.landing_page for card in ad.cards} - {"", ad.landing_page}:
        notes.block("carousel.one_link", where)
    if any(card.headline or card.description for card in ad.cards):
        notes.warn("carousel.card_texts_unused", where)
    body.put_given("image_ids", images, where if ad.cards else f"{place.at}.media")


def _put_text(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    """One text; a Spark Ad shows the post's own caption."""
    where = f"{place.at}.texts"
    if "tiktok_item_id" in place.options:
        if ad.texts:
            notes.warn("texts.post_caption", where)
        return
    if not ad.texts:
        notes.block("texts.missing", where)
        return
    if len(ad.texts) > 1:
        notes.block("texts.one_only", f"{where}[1]", count=len(ad.texts))
    check_text(ad.texts[0], reference.TEXT_LENGTH, f"{where}[0]", notes)
    body.put("ad_text", ad.texts[0], f"{where}[0]")


def _put_destination(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    if place.way.target == "INSTANT_PAGE":
        _put_instant_form(body, ad, place, notes)
    elif place.way.promotion == "APP":
        if ad.landing_page:
            notes.warn("landing_page.unused_app", f"{place.at}.landing_page")
    else:
        _put_landing_page(body, ad, place, notes)


def _put_instant_form(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    page = place.options.get("page_id")
    if page is None:
        notes.block("instant_form.missing", f"{place.at}.config.page_id")
    else:
        body.put("page_id", int(page), place.options_at["page_id"])  # the SDK types it as an integer
    if ad.landing_page:
        notes.warn("landing_page.unused_form", f"{place.at}.landing_page")


def _put_landing_page(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    """Required for website ads; reach and video views may do without."""
    where = f"{place.at}.landing_page"
    if not ad.landing_page:
        if place.way.promotion:
            notes.block("landing_page.missing", where)
    elif check_url(ad.landing_page, where, notes):
        body.put("landing_page_url", tagged_url(ad.landing_page, ad.utm, MACROS), where)


def _put_call_to_action(body: Body, ad: AdSnapshot, place: Place, notes: Notes) -> None:
    where = f"{place.at}.call_to_action"
    needed = bool(place.way.promotion or ad.landing_page)
    if not ad.call_to_action:
        if needed:
            notes.block("call_to_action.missing", where)
        return
    button = reference.CALL_TO_ACTION.get(ad.call_to_action)
    if button is None:
        notes.block("call_to_action.unsupported", where, call_to_action=ad.call_to_action,
                    known=sorted(reference.CALL_TO_ACTION))  # fmt: skip
    elif needed:
        body.put("call_to_action", button, where)
    else:
        notes.warn("call_to_action.without_link", where, call_to_action=ad.call_to_action)


def _put_options(body: Body, place: Place, notes: Notes) -> None:
    if "call_to_action_id" in place.options:
        notes.warn("smart.only", place.options_at["call_to_action_id"], option="call_to_action_id")
    for name in PLAIN_OPTIONS:
        if name in place.options:
            body.put(name, place.options[name], place.options_at[name])
    if "tracking_pixel_id" in place.options:
        pixel = int(place.options["tracking_pixel_id"])  # the SDK types it as an integer
        body.put("tracking_pixel_id", pixel, place.options_at["tracking_pixel_id"])


def _tell_unused(ad: AdSnapshot, place: Place, notes: Notes) -> None:
    """What TikTok has no place for is said, not dropped in silence."""
    for name in ("headlines", "descriptions", "long_headline", "display_paths"):
        if getattr(ad, name):
            notes.warn("ad.field_unused", f"{place.at}.{name}", name=name)
    if ad.business_name:
        notes.warn("ad.business_name_unused", f"{place.at}.business_name")
    if place.way.goal == "ENGAGED_VIEW" and ad.format != "VIDEO":
        notes.block("video_views.needs_video", f"{place.at}.format", format=ad.format)

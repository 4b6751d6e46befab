"""The ads: responsive search and display ads, Demand Gen image and video ads.

Lengths are display widths: the SDK speaks of "maximum display width"; that a
full-width character counts two is known from Google's ad editor, not from the SDK,
and `{KeyWord:default}` counts its default.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from trafficking.platforms.base import AdSnapshot, File, PlannedObject, TicketSnapshot, stand_in, utm_query
from trafficking.platforms.google_ads.media import asset_name, await_ref, check_file
from trafficking.platforms.google_ads.notes import Notes
from trafficking.platforms.google_ads.reference import (
    CALLS_TO_ACTION,
    DEMAND_GEN,
    DISPLAY,
    LIMITS,
    PERFORMANCE_MAX,
    SEARCH,
)
from trafficking.platforms.google_ads.tree import Tree

MACROS = {"campaign_id": "{campaignid}", "ad_set_id": "{adgroupid}", "ad_id": "{creative}"}

INSERTION = re.compile(r"\{keyword:([^}]*)\}", re.IGNORECASE)
YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
ASSET_ID = re.compile(r"[1-9]\d*")
#: Which of Google's own creations are on unless refused, by ad type (asset_automation_type.py, v26).
AUTOMATIONS = {
    "demandGenVideoResponsiveAd": (
        "GENERATE_VERTICAL_YOUTUBE_VIDEOS", "GENERATE_SHORTER_YOUTUBE_VIDEOS", "GENERATE_LANDING_PAGE_TEXT",
    ),
    "demandGenMultiAssetAd": (
        "GENERATE_DESIGN_VERSIONS_FOR_IMAGES", "GENERATE_VIDEOS_FROM_OTHER_ASSETS",
        "GENERATE_ANIMATED_IMAGES_FROM_OTHER_ASSETS",
    ),
}  # fmt: skip


class Assets:
    """YouTube videos and buttons that the request creates as assets, each once."""

    def __init__(self, tree: Tree, ticket_id: str) -> None:
        self._tree = tree
        self._ticket_id = ticket_id
        self._names: dict[str, str] = {}
        #: files of ours that ads show, by ref: each is uploaded once
        self.files: dict[str, File] = {}

    def image_file(self, file: File) -> str:
        """What stands in a body for an image that is uploaded first."""
        self.files[file.ref] = file
        return stand_in(file.ref)

    def video_file(self, file: File, source: str) -> str:
        """Resource name of the asset for a video that goes to YouTube first."""
        self.files[file.ref] = file
        info = {"youtubeVideoAsset": {"youtubeVideoId": stand_in(await_ref(file))}}
        return self._asset(f"youtube:{file.ref}", asset_name(file), info, source)

    def youtube(self, video_id: str, source: str) -> str:
        """Resource name of the asset for a YouTube video."""
        info = {"youtubeVideoAsset": {"youtubeVideoId": video_id}}
        return self._asset(f"youtube:{video_id}", f"YouTube {video_id}", info, source)

    def text(self, text: str, source: str) -> str:
        """Resource name of the asset for a text (Performance Max)."""
        return self._asset(f"text:{text}", "", {"textAsset": {"text": text}}, source)

    def call_to_action(self, kind: str, source: str) -> str:
        """Resource name of the asset for a button, by `CallToActionType`."""
        info = {"callToActionAsset": {"callToAction": kind}}
        return self._asset(f"call_to_action:{kind}", f"Call to action {kind}", info, source)

    def _asset(self, key: str, name: str, info: Mapping[str, Any], source: str) -> str:
        if key not in self._names:
            resource = self._names[key] = self._tree.temporary("assets")
            planned = PlannedObject(f"asset:{key}", "asset", name or key, self._ticket_id)
            named = {"name": name} if name else {}
            self._tree.add(
                "assetOperation", {"resourceName": resource, **named, **info}, planned, {"": source}
            )
        return self._names[key]


class AdBuilder:
    """One ad's body, with the ticket field behind each pointer of it. `ad` is at `path`."""

    def __init__(self, ad: AdSnapshot, path: str, tree: Tree, assets: Assets, notes: Notes) -> None:
        self.ad = ad
        self.path = path
        self.tree = tree
        self.assets = assets
        self.notes = notes
        self.sources: dict[str, str] = {}

    # ------------------------------------------------------------------ parts

    def texts(
        self, pointer: str, field: str, values: Sequence[str], limits: Sequence[int]
    ) -> list[dict[str, Any]]:
        """Text assets within (minimum, maximum, width), without blanks and duplicates."""
        least, most, width = limits
        source = f"{self.path}.{field}"
        if len(values) < least:
            self.notes.block("text.too_few", source, field=field, count=len(values), minimum=least)
        if len(values) > most:
            self.notes.block("text.too_many", source, field=field, count=len(values), maximum=most)
        seen: dict[str, int] = {}
        for index, value in enumerate(values):
            self._check_text(f"{source}[{index}]", value, width)
            twin = seen.setdefault(value.strip().casefold(), index)
            if twin != index:
                self.notes.block("text.duplicate", f"{source}[{index}]", text=value, other=twin + 1)
            self.sources[f"{pointer}/{index}"] = f"{source}[{index}]"
        self.sources[pointer] = source
        return [{"text": value.strip()} for value in values]

    def text(self, pointer: str, field: str, value: str, width: int) -> str:
        """One required text."""
        source = self.sources[pointer] = f"{self.path}.{field}"
        if not value.strip():
            self.notes.block("text.missing", source, field=field)
        else:
            self._check_text(source, value, width)
        return value.strip()

    def images(self, pointer: str, field: str, kind: Any, least: int, most: int) -> list[dict[str, str]]:
        """References to image assets that lie in the account."""
        found: list[dict[str, str]] = []
        for index, media in enumerate(self.ad.media):
            if media.kind != kind:
                continue
            if media.file is not None:
                check_file(media.file, kind, f"{self.path}.media[{index}]", self.notes)
                self.sources[f"{pointer}/{len(found)}"] = f"{self.path}.media[{index}]"
                found.append({"asset": self.assets.image_file(media.file)})
            elif ASSET_ID.fullmatch(media.id):
                self.sources[f"{pointer}/{len(found)}"] = f"{self.path}.media[{index}]"
                found.append({"asset": self.tree.name("assets", media.id)})
            else:
                self.notes.block(
                    "media.not_an_asset", f"{self.path}.media[{index}]", kind=kind, media=media.id
                )
        return self._counted(found, pointer, kind, least, most)

    def videos(self, pointer: str, least: int, most: int) -> list[dict[str, str]]:
        """YouTube videos as assets of the same request."""
        found: list[dict[str, str]] = []
        for index, media in enumerate(self.ad.media):
            source = f"{self.path}.media[{index}]"
            if media.file is not None and media.kind in ("VIDEO", "YOUTUBE_VIDEO"):
                check_file(media.file, media.kind, source, self.notes)
                self.sources[f"{pointer}/{len(found)}"] = source
                found.append({"asset": self.assets.video_file(media.file, source)})
                continue
            if media.kind == "VIDEO":
                self.notes.block("media.video_not_on_youtube", source, media=media.id)
            if media.kind != "YOUTUBE_VIDEO":
                continue
            if YOUTUBE_ID.fullmatch(media.id):
                self.sources[f"{pointer}/{len(found)}"] = source
                found.append({"asset": self.assets.youtube(media.id, source)})
            else:
                self.notes.block("media.not_a_youtube_id", source, media=media.id)
        return self._counted(found, pointer, "YOUTUBE_VIDEO", least, most)

    def _counted(
        self, found: list[dict[str, str]], pointer: str, kind: str, least: int, most: int
    ) -> list[dict[str, str]]:
        source = f"{self.path}.media"
        self.sources.setdefault(pointer, source)
        given = len(self.ad.media_ids(kind))  # type: ignore[arg-type]
        if kind == "YOUTUBE_VIDEO":
            given += sum(media.kind == "VIDEO" and media.file is not None for media in self.ad.media)
        if given < least:
            self.notes.block("media.missing", source, kind=kind, count=given, minimum=least)
        if given > most:
            self.notes.block("media.too_many", source, kind=kind, count=given, maximum=most)
        return found

    def call_to_action(self) -> list[str] | None:
        """(CallToActionType, label) of the ad's button; None without one, or with a finding."""
        wanted = self.ad.call_to_action
        if not wanted:
            return None
        source = f"{self.path}.call_to_action"
        if wanted not in CALLS_TO_ACTION:
            self.notes.block(
                "call_to_action.unsupported", source, wanted=wanted, known=sorted(CALLS_TO_ACTION)
            )
            return None
        kind, label = CALLS_TO_ACTION[wanted]
        if kind != wanted:
            self.notes.warn("call_to_action.nearest", source, wanted=wanted, sent=kind)
        return [kind, label]

    def button_text(self, pointer: str) -> dict[str, str]:
        """`callToActionText`: the ad's own label, else the English one."""
        action = self.call_to_action()
        if action is None:
            return {}
        self.sources[pointer] = f"{self.path}.call_to_action"
        return {"callToActionText": str(self.ad.config.get("call_to_action_text") or action[1])}

    def _check_text(self, source: str, value: str, width: int) -> None:
        if not value.strip():
            self.notes.block("text.blank", source)
            return
        wide = display_width(value.strip())
        if wide > width:
            self.notes.block("text.too_long", source, text=value, width=wide, maximum=width)


def display_width(text: str) -> int:
    """Google's count: full-width characters are two, a keyword insertion is its default text."""
    plain = INSERTION.sub(r"\1", text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in plain)


# ---------------------------------------------------------------------- formats


def search_ad(build: AdBuilder) -> dict[str, Any]:
    limits, ad = LIMITS["responsive_search"], build.ad
    root = "/ad/responsiveSearchAd"
    body: dict[str, Any] = {
        "headlines": build.texts(f"{root}/headlines", "headlines", ad.headlines, limits["headlines"]),
        "descriptions": build.texts(
            f"{root}/descriptions", "descriptions", ad.descriptions, limits["descriptions"]
        ),
        **_paths(build, root),
    }
    for index, headline in enumerate(ad.headlines):
        if "!" in headline:
            build.notes.warn("text.exclamation", f"{build.path}.headlines[{index}]", text=headline)
    if ad.call_to_action:
        build.notes.warn(
            "call_to_action.not_on_search", f"{build.path}.call_to_action", wanted=ad.call_to_action
        )
    _pin(body["headlines"], ad.config.get("pin_headlines", ()), "HEADLINE")
    _pin(body["descriptions"], ad.config.get("pin_descriptions", ()), "DESCRIPTION")
    return {"responsiveSearchAd": body}


def _paths(build: AdBuilder, root: str) -> dict[str, str]:
    paths = [path.strip() for path in build.ad.display_paths]
    _, most, width = LIMITS["responsive_search"]["paths"]
    field = f"{build.path}.display_paths"
    if len(paths) > most:
        build.notes.block("text.too_many", field, field="display_paths", count=len(paths), maximum=most)
    for index, path in enumerate(paths):
        if not path or "/" in path or " " in path:
            build.notes.block("path.malformed", f"{field}[{index}]", path=path)
        elif display_width(path) > width:
            build.notes.block(
                "text.too_long", f"{field}[{index}]", text=path, width=display_width(path), maximum=width
            )
        build.sources[f"{root}/path{index + 1}"] = f"{field}[{index}]"
    return {f"path{index + 1}": path for index, path in enumerate(paths[:most])}


def _pin(texts: list[dict[str, Any]], positions: Sequence[int], name: str) -> None:
    for text, position in zip(texts, positions, strict=False):
        if position:
            text["pinnedField"] = f"{name}_{position}"


def display_ad(build: AdBuilder) -> dict[str, Any]:
    limits, ad, root = LIMITS["responsive_display"], build.ad, "/ad/responsiveDisplayAd"
    together = limits["images_together"]
    enhanced = bool(ad.config.get("google_enhancements", False))
    images = build.images(f"{root}/marketingImages", "media", "IMAGE", 1, together)
    squares = build.images(f"{root}/squareMarketingImages", "media", "SQUARE_IMAGE", 1, together)
    _check_together(build, len(images) + len(squares), together)
    body: dict[str, Any] = {
        "marketingImages": images,
        "squareMarketingImages": squares,
        "headlines": build.texts(f"{root}/headlines", "headlines", ad.headlines, limits["headlines"]),
        "longHeadline": {"text": build.text(f"{root}/longHeadline", "long_headline", ad.long_headline, 90)},
        "descriptions": build.texts(
            f"{root}/descriptions", "descriptions", ad.descriptions, limits["descriptions"]
        ),
        "businessName": build.text(f"{root}/businessName", "business_name", ad.business_name, 25),
        **build.button_text(f"{root}/callToActionText"),
        "controlSpec": {"enableAssetEnhancements": enhanced, "enableAutogenVideo": enhanced},
    }
    logos = build.images(f"{root}/squareLogoImages", "media", "LOGO", *limits["logos"])
    videos = build.videos(f"{root}/youtubeVideos", *limits["videos"])
    body.update(
        {name: found for name, found in (("squareLogoImages", logos), ("youtubeVideos", videos)) if found}
    )
    return {"responsiveDisplayAd": {**body, **_colors(ad)}}


def _colors(ad: AdSnapshot) -> dict[str, str]:
    names = (("mainColor", "main_color"), ("accentColor", "accent_color"))
    return {name: ad.config[key] for name, key in names if key in ad.config}


def demand_gen_image_ad(build: AdBuilder) -> dict[str, Any]:
    limits, ad, root = LIMITS["demand_gen_image"], build.ad, "/ad/demandGenMultiAssetAd"
    together = limits["images_together"]
    kinds = (
        ("marketingImages", "IMAGE"), ("squareMarketingImages", "SQUARE_IMAGE"),
        ("portraitMarketingImages", "PORTRAIT_IMAGE"),
    )  # fmt: skip
    pictures = {name: build.images(f"{root}/{name}", "media", kind, 0, together) for name, kind in kinds}
    if not ad.media_ids("IMAGE", "SQUARE_IMAGE"):
        build.notes.block(
            "media.missing", f"{build.path}.media", kind="IMAGE / SQUARE_IMAGE", count=0, minimum=1
        )
    _check_together(build, sum(map(len, pictures.values())), together)
    body = {
        **{name: found for name, found in pictures.items() if found},
        "logoImages": build.images(f"{root}/logoImages", "media", "LOGO", *limits["logos"]),
        "headlines": build.texts(f"{root}/headlines", "headlines", ad.headlines, limits["headlines"]),
        "descriptions": build.texts(
            f"{root}/descriptions", "descriptions", ad.descriptions, limits["descriptions"]
        ),
        "businessName": build.text(f"{root}/businessName", "business_name", ad.business_name, 25),
        **build.button_text(f"{root}/callToActionText"),
    }
    return {"name": ad.name, "demandGenMultiAssetAd": body}


def demand_gen_video_ad(build: AdBuilder) -> dict[str, Any]:
    limits, ad, root = LIMITS["demand_gen_video"], build.ad, "/ad/demandGenVideoResponsiveAd"
    body: dict[str, Any] = {
        "headlines": build.texts(f"{root}/headlines", "headlines", ad.headlines, limits["headlines"]),
        "longHeadlines": [
            {"text": build.text(f"{root}/longHeadlines", "long_headline", ad.long_headline, 90)}
        ],
        "descriptions": build.texts(
            f"{root}/descriptions", "descriptions", ad.descriptions, limits["descriptions"]
        ),
        "videos": build.videos(f"{root}/videos", *limits["videos"]),
        "logoImages": build.images(f"{root}/logoImages", "media", "LOGO", *limits["logos"]),
        "businessName": {"text": build.text(f"{root}/businessName", "business_name", ad.business_name, 25)},
    }
    action = build.call_to_action()
    if action is not None:
        source = build.sources[f"{root}/callToActions"] = f"{build.path}.call_to_action"
        body["callToActions"] = [{"asset": build.assets.call_to_action(action[0], source)}]
    return {"name": ad.name, "demandGenVideoResponsiveAd": body}


def _check_together(build: AdBuilder, count: int, most: int) -> None:
    if count > most:
        build.notes.block("media.too_many", f"{build.path}.media", kind="images", count=count, maximum=most)


#: channel -> ad format -> builder
FORMATS: dict[str, dict[str, Callable[[AdBuilder], dict[str, Any]]]] = {
    SEARCH: {"SEARCH_TEXT": search_ad},
    DISPLAY: {"RESPONSIVE_DISPLAY": display_ad},
    DEMAND_GEN: {"VIDEO": demand_gen_video_ad, "IMAGE": demand_gen_image_ad},
    PERFORMANCE_MAX: {},  # its ads are asset groups: performance_max.py
}


def ad_group_ad(
    ticket: TicketSnapshot, ad: AdSnapshot, ad_group: str, path: str, tree: Tree, assets: Assets, notes: Notes
) -> tuple[dict[str, Any], dict[str, str]] | None:
    """The paused `AdGroupAd` and its sources; None where the channel has no such format."""
    formats = FORMATS[ticket.buying_type]
    if ad.format not in formats:
        notes.block(
            "ad.format_unsupported", f"{path}.format", format=ad.format, channel=ticket.buying_type,
            known=sorted(formats),
        )  # fmt: skip
        return None
    build = AdBuilder(ad, path, tree, assets, notes)
    content = formats[ad.format](build)
    build.sources |= {"/ad/finalUrls": f"{path}.landing_page", "/ad/finalUrlSuffix": f"{path}.utm", "": path}
    check_landing_page(ad.landing_page, f"{path}.landing_page", notes)
    body = {
        "adGroup": ad_group,
        "status": "PAUSED",
        "ad": {"finalUrls": [ad.landing_page.strip()], **final_suffix(ad), **content},
        **_automations(ad, content),
    }
    return body, build.sources


def final_suffix(ad: AdSnapshot) -> dict[str, str]:
    """UTM parameters as the ad's final URL suffix: the landing page stays as it was approved.

    Parameters that the landing page has already are left to it.
    """
    present = {pair.partition("=")[0] for pair in urlsplit_or_empty(ad.landing_page).split("&") if pair}
    params = [(key, value) for key, value in ad.utm if quote(key, safe="") not in present]
    return {"finalUrlSuffix": utm_query(params, MACROS)} if params else {}


def urlsplit_or_empty(url: str) -> str:
    """The query of a URL, "" for something that is no URL."""
    try:
        return urlsplit(url).query
    except ValueError:
        return ""


def host(url: str) -> str:
    """The host of an http(s) URL in lower case, "" for something that is none."""
    try:
        parts = urlsplit(url.strip())
        name = parts.hostname or ""
    except ValueError:
        return ""
    return name if parts.scheme in ("http", "https") else ""


def check_landing_page(url: str, source: str, notes: Notes) -> None:
    url = url.strip()
    if not url:
        notes.block("landing_page.missing", source)
    elif "." not in host(url) or re.search(r"\s", url):
        notes.block("landing_page.malformed", source, url=url)
    elif len(url) > LIMITS["final_url_characters"]:
        notes.block("landing_page.too_long", source, length=len(url), maximum=LIMITS["final_url_characters"])


def _automations(ad: AdSnapshot, content: Mapping[str, Any]) -> dict[str, Any]:
    """Google's own creations, said either way: nothing that nobody approved unless it is asked for."""
    kinds = next((AUTOMATIONS[name] for name in content if name in AUTOMATIONS), ())
    status = "OPTED_IN" if ad.config.get("google_enhancements") else "OPTED_OUT"
    settings = [{"assetAutomationType": kind, "assetAutomationStatus": status} for kind in kinds]
    return {"adGroupAdAssetAutomationSettings": settings} if settings else {}

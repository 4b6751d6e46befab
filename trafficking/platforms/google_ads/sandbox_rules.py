"""What the sandboxed Google Ads refuses in a create, resource by resource, in Google's own error codes.

Written from the API's documentation, not from our compiler, which it must be able to contradict.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One error: `kind` and `code` as in `errorCode`, `path` below the create in proto field names."""

    kind: str
    code: str
    message: str
    path: tuple[Any, ...] = ()
    trigger: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """What surrounds a create: the parents it names, resolved, and its siblings."""

    now: float
    parents: Mapping[str, Body]  # field of the create -> stored object
    siblings: list[dict[str, Any]]  # same kind, same parent (or account), not removed


BIDDING = {
    "biddingStrategy", "commission", "manualCpa", "manualCpc", "manualCpm", "manualCpv", "maximizeConversions",
    "maximizeConversionValue", "targetCpa", "targetImpressionShare", "targetRoas", "targetSpend", "percentCpc",
    "targetCpm", "fixedCpm", "targetCpv", "targetCpc",
}  # fmt: skip
BIDDING_OF = {
    "SEARCH": {
        "manualCpc", "maximizeConversions", "maximizeConversionValue", "targetCpa", "targetRoas", "targetSpend",
        "targetImpressionShare", "percentCpc",
    },
    "DISPLAY": {
        "manualCpc", "manualCpm", "maximizeConversions", "maximizeConversionValue", "targetCpa", "targetRoas",
        "targetSpend",
    },
    "PERFORMANCE_MAX": {"maximizeConversions", "maximizeConversionValue"},
    "DEMAND_GEN": {
        "maximizeConversions", "maximizeConversionValue", "targetCpa", "targetRoas", "targetSpend", "targetCpc",
    },
}  # fmt: skip
CRITERIA = {
    "keyword", "placement", "location", "language", "adSchedule", "ageRange", "gender", "userInterest", "userList",
    "customAudience", "combinedAudience", "audience", "incomeRange", "parentalStatus", "topic", "device",
    "youtubeVideo", "youtubeChannel", "webpage",
}  # fmt: skip
SEGMENTS = {"userInterest", "userList", "customAudience", "combinedAudience"}
AD_TYPES = {
    "SEARCH": {"responsiveSearchAd"},
    "DISPLAY": {"responsiveDisplayAd"},
    "DEMAND_GEN": {
        "demandGenMultiAssetAd",
        "demandGenVideoResponsiveAd",
        "demandGenCarouselAd",
        "demandGenProductAd",
    },
}
MINUTES = {"ZERO": 0, "FIFTEEN": 15, "THIRTY": 30, "FORTY_FIVE": 45}
SMALLEST_MICROS = 10_000


def required(body: Body, *names: str) -> Iterator[Wrong]:
    for name in names:
        if body.get(name) in (None, "", []):
            yield Wrong("fieldError", "REQUIRED", "The required field was not present.", (snake(name),))


def budget(body: Body, scene: Scene) -> Iterator[Wrong]:
    if body["explicitlyShared"] and not body.get("name"):
        yield from required(body, "name")
    if len(str(body.get("name", "")).encode()) > 255:
        yield Wrong("stringLengthError", "TOO_LONG", "Too long.", ("name",))
    yield from _duplicate(
        body,
        scene,
        "campaignBudgetError",
        "DUPLICATE_NAME",
        "A campaign budget with this name already exists.",
    )
    daily, total = "amountMicros" in body, "totalAmountMicros" in body
    if body["period"] == "DAILY" and total:
        yield Wrong(
            "campaignBudgetError", "TOTAL_BUDGET_AMOUNT_MUST_BE_UNSET_FOR_BUDGET_PERIOD_DAILY",
            "Total budget amount must be unset when BudgetPeriod is DAILY.", ("total_amount_micros",),
        )  # fmt: skip
    elif body["period"] == "CUSTOM_PERIOD" and daily:
        yield Wrong(
            "campaignBudgetError", "BUDGET_AMOUNT_MUST_BE_UNSET_FOR_CUSTOM_BUDGET_PERIOD",
            "Budget amount must be unset when BudgetPeriod is CUSTOM.", ("amount_micros",),
        )  # fmt: skip
    else:
        yield from _amount(body, "amountMicros" if body["period"] == "DAILY" else "totalAmountMicros")


def _amount(body: Body, name: str) -> Iterator[Wrong]:
    if name not in body:
        yield from required(body, name)
        return
    amount = int(body[name])
    if amount <= 0:
        yield Wrong(
            "campaignBudgetError",
            "NEGATIVE_MONEY_AMOUNT",
            "A money amount was negative.",
            (snake(name),),
            str(amount),
        )
    elif amount % SMALLEST_MICROS:
        yield Wrong(
            "campaignBudgetError", "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT",
            "A money amount was not a multiple of a minimum unit.", (snake(name),), str(amount),
        )  # fmt: skip


def campaign(body: Body, scene: Scene) -> Iterator[Wrong]:
    yield from required(body, "name", "advertisingChannelType", "campaignBudget")
    if re.search(r"[\x00\n\r]", str(body.get("name", ""))):
        yield Wrong("campaignError", "INVALID_CAMPAIGN_NAME", "Campaign name is not valid.", ("name",))
    yield from _duplicate(
        body, scene, "campaignError", "DUPLICATE_CAMPAIGN_NAME",
        "The campaign name is already being used by another campaign.",
    )  # fmt: skip
    if "containsEuPoliticalAdvertising" not in body:
        yield Wrong(
            "mutateError", "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED",
            "The campaign must declare whether it contains political advertising targeted at the European Union.",
            ("contains_eu_political_advertising",),
        )  # fmt: skip
    yield from _channel(body)
    yield from _dates(body, scene.now)
    if "campaignBudget" in scene.parents:
        yield from _campaign_budget(body, scene.parents["campaignBudget"])


def _channel(body: Body) -> Iterator[Wrong]:
    channel, schemes = body.get("advertisingChannelType"), BIDDING & body.keys()
    if channel == "VIDEO":
        yield Wrong(
            "videoCampaignError",
            "MUTATE_REQUIRES_RESERVATION",
            "Cannot modify the video campaign without reservation.",
            ("advertising_channel_type",),
        )
    elif channel is not None and channel not in BIDDING_OF:
        yield Wrong(
            "campaignError",
            "ADVERTISING_CHANNEL_TYPE_NOT_AVAILABLE_FOR_ACCOUNT_TYPE",
            "Not available here.",
            ("advertising_channel_type",),
            channel,
        )
    elif not schemes:
        yield Wrong(
            "fieldError", "REQUIRED", "The required field was not present.", ("campaign_bidding_strategy",)
        )
    elif channel is not None and not schemes <= BIDDING_OF[channel]:
        yield Wrong(
            "biddingError",
            "CANNOT_CREATE_CAMPAIGN_WITH_BIDDING_STRATEGY",
            "Campaign can not be created with given bidding strategy.",
            (snake(min(schemes)),),
        )
    networks = body.get("networkSettings", {})
    if networks.get("targetSearchNetwork") and not networks.get("targetGoogleSearch"):
        yield Wrong(
            "campaignError",
            "CANNOT_TARGET_SEARCH_NETWORK_WITHOUT_GOOGLE_SEARCH",
            "Cannot target the search network without Google search.",
            ("network_settings",),
        )
    if channel in ("DEMAND_GEN", "PERFORMANCE_MAX") and networks:
        yield Wrong("fieldError", "VALUE_MUST_BE_UNSET", "The field must be unset.", ("network_settings",))


def _dates(body: Body, now: float) -> Iterator[Wrong]:
    moments = {}
    for name, whole, code in (
        ("startDateTime", "00:00:00", "DATE_RANGE_ERROR_START_TIME_MUST_BE_THE_START_OF_A_DAY"),
        ("endDateTime", "23:59:59", "DATE_RANGE_ERROR_END_TIME_MUST_BE_THE_END_OF_A_DAY"),
    ):
        text = body.get(name)
        if text is None:
            continue
        try:
            moments[name] = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:
            yield Wrong(
                "dateError",
                "INVALID_STRING_DATE_TIME_SECONDS",
                "The string date time's format should be yyyy-mm-dd hh:mm:ss.",
                (snake(name),),
                text,
            )
            continue
        if not text.endswith(whole):
            yield Wrong(
                "dateError",
                code,
                "This campaign type doesn't support such a time of day.",
                (snake(name),),
                text,
            )
        # The account's day may be one ahead of or behind UTC's.
        if (moments[name].date() - datetime.fromtimestamp(now, UTC).date()).days < -1:
            yield Wrong(
                "campaignError",
                "CANNOT_SET_DATE_TO_PAST",
                "Cannot set the campaign's date to the past.",
                (snake(name),),
                text,
            )
    if len(moments) == 2 and moments["endDateTime"] < moments["startDateTime"]:
        yield Wrong(
            "dateRangeError",
            "START_DATE_AFTER_END_DATE",
            "The start date was after the end date.",
            ("end_date_time",),
        )


def _campaign_budget(body: Body, used: Body) -> Iterator[Wrong]:
    channel = body.get("advertisingChannelType")
    if used["period"] == "CUSTOM_PERIOD" and channel == "DISPLAY":
        yield Wrong(
            "campaignError",
            "INCOMPATIBLE_BUDGET_TYPE",
            "The budget type is not compatible with the campaign.",
            ("campaign_budget",),
        )
    elif used["period"] == "CUSTOM_PERIOD" and "endDateTime" not in body:
        yield Wrong(
            "campaignError",
            "END_DATE_TIME_REQUIRED_FOR_TOTAL_BUDGET",
            "A total budget needs an end date time.",
            ("end_date_time",),
        )
    if channel == "DEMAND_GEN" and used["explicitlyShared"]:
        yield Wrong(
            "campaignError",
            "CAMPAIGN_CANNOT_USE_SHARED_BUDGET",
            "The campaign cannot use a shared budget.",
            ("campaign_budget",),
        )
    if used.get("in_use") and not used["explicitlyShared"]:
        yield Wrong(
            "campaignBudgetError",
            "CANNOT_USE_IMPLICITLY_SHARED_CAMPAIGN_BUDGET_WITH_MULTIPLE_CAMPAIGNS",
            "Only explicitly shared campaign budgets can be used with multiple campaigns.",
            ("campaign_budget",),
        )


def campaign_criterion(body: Body, scene: Scene) -> Iterator[Wrong]:
    yield from required(body, "campaign")
    parent = scene.parents.get("campaign", {})
    kind = yield from _criterion_kind(body, "campaignCriterionError")
    demand_gen = parent.get("advertisingChannelType") == "DEMAND_GEN"
    upgraded = parent.get("demandGenCampaignSettings", {}).get("upgradedTargeting", True)
    if kind in ("location", "language") and demand_gen and upgraded:
        yield Wrong(
            "criterionError",
            "CANNOT_ADD_CRITERIA_TYPE",
            "Targeted at the ad group level with upgraded targeting.",
            (kind,),
        )
    if kind == "adSchedule":
        yield from _ad_schedule(body, scene)
    yield from _place(body)
    yield from _sign_clash(body, scene, kind, "campaignCriterionError")


def _criterion_kind(body: Body, error: str) -> Generator[Wrong, None, str]:
    kinds = sorted(CRITERIA & body.keys())
    if len(kinds) != 1:
        yield Wrong(error, "CONCRETE_TYPE_REQUIRED", "Concrete type of criterion is required.", ())
        return ""
    return kinds[0]


def _place(body: Body) -> Iterator[Wrong]:
    place = body.get("location", {}).get("geoTargetConstant", "geoTargetConstants/1")
    language = body.get("language", {}).get("languageConstant", "languageConstants/1000")
    if not re.fullmatch(r"geoTargetConstants/[1-9]\d*", place):
        yield Wrong(
            "requestError",
            "RESOURCE_NAME_MALFORMED",
            "Resource name is malformed.",
            ("location", "geo_target_constant"),
            place,
        )
    if not re.fullmatch(r"languageConstants/1\d{3}", language):
        yield Wrong(
            "criterionError",
            "INVALID_CRITERION_ID",
            "Criterion ID is not valid.",
            ("language", "language_constant"),
            language,
        )


def _ad_schedule(body: Body, scene: Scene) -> Iterator[Wrong]:
    info = body["adSchedule"]
    if body["negative"]:
        yield Wrong(
            "campaignCriterionError",
            "CANNOT_EXCLUDE_CRITERIA_TYPE",
            "Ad schedules can't be excluded.",
            ("negative",),
        )
    missing = list(required(info, "dayOfWeek", "startMinute", "endMinute"))
    missing += [
        Wrong("fieldError", "REQUIRED", "Missing.", (snake(n),))
        for n in ("startHour", "endHour")
        if n not in info
    ]
    if missing:
        yield from (Wrong(m.kind, m.code, m.message, ("ad_schedule", *m.path)) for m in missing)
        return
    start, end = _minutes(info)
    if not 0 <= start < end <= 24 * 60:
        yield Wrong(
            "criterionError",
            "AD_SCHEDULE_INVALID_TIME_INTERVAL",
            "The time interval is not valid.",
            ("ad_schedule",),
        )
    same_day = [
        each["adSchedule"]
        for each in scene.siblings
        if each.get("adSchedule", {}).get("dayOfWeek") == info["dayOfWeek"]
    ]
    if len(same_day) >= 6:
        yield Wrong(
            "criterionError",
            "AD_SCHEDULE_EXCEEDED_INTERVALS_PER_DAY_LIMIT",
            "Too many intervals for a day.",
            ("ad_schedule",),
        )
    if any(start < _minutes(other)[1] and _minutes(other)[0] < end for other in same_day):
        yield Wrong(
            "criterionError",
            "AD_SCHEDULE_TIME_INTERVALS_OVERLAP",
            "Time intervals overlap.",
            ("ad_schedule",),
        )


def _minutes(info: Body) -> tuple[int, int]:
    return (
        info["startHour"] * 60 + MINUTES[info["startMinute"]],
        info["endHour"] * 60 + MINUTES[info["endMinute"]],
    )


def _sign_clash(body: Body, scene: Scene, kind: str, error: str) -> Iterator[Wrong]:
    for other in scene.siblings:
        if not kind or other.get(kind) != body.get(kind):
            continue
        if other["negative"] != body["negative"]:
            yield Wrong(
                error,
                "CANNOT_TARGET_AND_EXCLUDE",
                "Cannot target and exclude the same criterion.",
                (snake(kind),),
            )
        else:
            yield Wrong(
                "mutateError", "RESOURCE_ALREADY_EXISTS", "The resource already exists.", (snake(kind),)
            )


def asset_group(body: Body, scene: Scene) -> Iterator[Wrong]:
    yield from required(body, "campaign", "name")
    yield from _duplicate(
        body, scene, "assetGroupError", "DUPLICATE_NAME", "Each asset group in a campaign must have a unique name.",
    )  # fmt: skip
    channel = scene.parents.get("campaign", {}).get("advertisingChannelType")
    if channel not in (None, "PERFORMANCE_MAX"):
        yield Wrong(
            "assetGroupError", "CANNOT_ADD_ASSET_GROUP_FOR_CAMPAIGN_TYPE", "Not for this type of campaign.",
            ("campaign",),
        )  # fmt: skip
    if not body.get("finalUrls"):
        yield Wrong("assetGroupError", "FINAL_URL_REQUIRED", "A final url is required.", ("final_urls",))
    for index, url in enumerate(body.get("finalUrls", ())):
        if urlsplit(url).scheme not in ("http", "https"):
            yield Wrong(
                "urlFieldError", "MISSING_PROTOCOL_IN_FINAL_URL", "The final url is missing a protocol.",
                ("final_urls", index), url,
            )  # fmt: skip
    if body.get("path2") and not body.get("path1"):
        yield Wrong("assetGroupError", "PATH1_REQUIRED_WHEN_PATH2_IS_SET", "Path1 is required.", ("path2",))


def asset_group_asset(body: Body, scene: Scene) -> Iterator[Wrong]:
    yield from required(body, "assetGroup", "asset", "fieldType")
    twins = [
        each for each in scene.siblings
        if each.get("asset") == body.get("asset") and each.get("fieldType") == body.get("fieldType")
    ]  # fmt: skip
    if twins:
        yield Wrong("assetGroupAssetError", "DUPLICATE_RESOURCE", "The asset is linked already.", ("asset",))


def asset_group_signal(body: Body, scene: Scene) -> Iterator[Wrong]:
    yield from required(body, "assetGroup")
    if ("audience" in body) == ("searchTheme" in body):
        yield Wrong("fieldError", "REQUIRED", "One signal is required.", ("audience",))
    if len(str(body.get("searchTheme", {}).get("text", "")).split()) > 10:
        yield Wrong("assetGroupSignalError", "TOO_MANY_WORDS", "Too many words.", ("search_theme", "text"))


#: Field type -> (how many at least, what is said otherwise).
NEEDED = {
    "HEADLINE": (3, "NOT_ENOUGH_HEADLINE_ASSET"),
    "LONG_HEADLINE": (1, "NOT_ENOUGH_LONG_HEADLINE_ASSET"),
    "DESCRIPTION": (2, "NOT_ENOUGH_DESCRIPTION_ASSET"),
    "BUSINESS_NAME": (1, "NOT_ENOUGH_BUSINESS_NAME_ASSET"),
    "MARKETING_IMAGE": (1, "NOT_ENOUGH_MARKETING_IMAGE_ASSET"),
    "SQUARE_MARKETING_IMAGE": (1, "NOT_ENOUGH_SQUARE_MARKETING_IMAGE_ASSET"),
    "LOGO": (1, "NOT_ENOUGH_LOGO_ASSET"),
}


def asset_group_needs(links: list[Any], texts: Mapping[str, str]) -> Iterator[Wrong]:
    """What an asset group still lacks. `texts` by the resource names of text assets."""
    for field_type, (least, code) in NEEDED.items():
        if sum(each.get("fieldType") == field_type for each in links) < least:
            yield Wrong("assetGroupError", code, f"Not enough assets of the type {field_type}.", ("name",))
    described = [
        texts.get(str(each["asset"]), "") for each in links if each.get("fieldType") == "DESCRIPTION"
    ]
    if described and not any(width(text) <= 60 for text in described):
        yield Wrong(
            "assetGroupError", "SHORT_DESCRIPTION_REQUIRED", "A short description is required.", ("name",)
        )


def ad_group(body: Body, scene: Scene) -> Iterator[Wrong]:
    yield from required(body, "campaign")
    if not body.get("name"):
        yield Wrong("adGroupError", "MISSING_ADGROUP_NAME", "AdGroup name is required.", ("name",))
    elif re.search(r"[\x00\n\r]", body["name"]) or width(body["name"]) >= 255:
        yield Wrong("adGroupError", "INVALID_ADGROUP_NAME", "AdGroup name is not valid.", ("name",))
    yield from _duplicate(
        body,
        scene,
        "adGroupError",
        "DUPLICATE_ADGROUP_NAME",
        "AdGroup with the same name already exists for the campaign.",
    )
    parent = scene.parents.get("campaign", {})
    channel = parent.get("advertisingChannelType")
    allowed = {"SEARCH": "SEARCH_STANDARD", "DISPLAY": "DISPLAY_STANDARD"}.get(str(channel))
    if channel and body.get("type") not in (None, allowed):
        yield Wrong(
            "adGroupError",
            "AD_GROUP_TYPE_NOT_VALID_FOR_ADVERTISING_CHANNEL_TYPE",
            "The ad group type is not valid for the channel.",
            ("type",),
            str(body["type"]),
        )
    if "demandGenAdGroupSettings" in body and channel not in (None, "DEMAND_GEN"):
        yield Wrong(
            "fieldError", "VALUE_MUST_BE_UNSET", "The field must be unset.", ("demand_gen_ad_group_settings",)
        )
    yield from _channel_controls(body)
    if "cpmBidMicros" in body and int(body["cpmBidMicros"]) % SMALLEST_MICROS:
        yield Wrong(
            "currencyError",
            "VALUE_NOT_MULTIPLE_OF_BILLABLE_UNIT",
            "Not a multiple of the billable unit.",
            ("cpm_bid_micros",),
        )


def _channel_controls(body: Body) -> Iterator[Wrong]:
    controls = body.get("demandGenAdGroupSettings", {}).get("channelControls", {})
    where = ("demand_gen_ad_group_settings", "channel_controls", "selected_channels")
    if {"channelStrategy", "selectedChannels"} <= controls.keys():
        yield Wrong("fieldError", "INVALID_VALUE", "Only one of the oneof may be set.", where[:2])
    if "selectedChannels" in controls and not any(controls["selectedChannels"].values()):
        yield Wrong("fieldError", "INVALID_VALUE", "At least one channel must be selected.", where)


def ad_group_criterion(body: Body, scene: Scene) -> Iterator[Wrong]:
    yield from required(body, "adGroup")
    group = scene.parents.get("adGroup", {})
    channel = group.get("channel")
    kind = yield from _criterion_kind(body, "adGroupCriterionError")
    if kind == "keyword":
        yield from _keyword(body["keyword"], channel)
    if kind in ("location", "language") and channel not in (None, "DEMAND_GEN"):
        yield Wrong("criterionError", "CANNOT_ADD_CRITERIA_TYPE", "Targeted per campaign.", (kind,))
    if kind == "userInterest" and channel == "SEARCH":
        yield Wrong(
            "criterionError",
            "CANNOT_ADD_USER_INTERESTS_TO_SEARCH_CAMPAIGNS",
            "Not for search campaigns.",
            ("user_interest",),
        )
    if kind == "placement" and channel == "SEARCH":
        yield Wrong(
            "criterionError",
            "CANNOT_TARGET_PLACEMENTS_FOR_SEARCH_CAMPAIGNS",
            "Not for search campaigns.",
            ("placement",),
        )
    if kind == "adSchedule":
        yield Wrong(
            "criterionError", "CANNOT_ADD_CRITERIA_TYPE", "Ad schedules stand on campaigns.", ("ad_schedule",)
        )
    grouped = group.get("audienceSetting", {}).get("useAudienceGrouped", False)
    if kind == "audience" and not grouped:
        yield Wrong(
            "criterionError",
            "AUDIENCE_NOT_ALLOWED_TO_ATTACH_WHEN_AUDIENCE_GROUPED_SET_TO_FALSE",
            "use_audience_grouped is false.",
            ("audience",),
        )
    if kind in SEGMENTS and grouped:
        yield Wrong(
            "criterionError",
            "CANNOT_ADD_AUDIENCE_SEGMENT_CRITERION_WHEN_AUDIENCE_GROUPED_IS_SET",
            "use_audience_grouped is true.",
            (snake(kind),),
        )
    yield from _place(body)
    yield from _sign_clash(body, scene, kind, "adGroupCriterionError")


def _keyword(info: Body, channel: str | None) -> Iterator[Wrong]:
    text = str(info.get("text", ""))
    if channel == "DEMAND_GEN":
        yield Wrong("criterionError", "CANNOT_ADD_CRITERIA_TYPE", "No keywords in Demand Gen.", ("keyword",))
    if not text.strip():
        yield Wrong(
            "criterionError", "INVALID_KEYWORD_TEXT", "The keyword text is not valid.", ("keyword", "text")
        )
    if len(text) > 80:
        yield Wrong(
            "criterionError",
            "KEYWORD_TEXT_TOO_LONG",
            "Keyword text should be less than 80 chars.",
            ("keyword", "text"),
            text,
        )
    if len(text.split()) > 10:
        yield Wrong(
            "criterionError",
            "KEYWORD_HAS_TOO_MANY_WORDS",
            "Keyword text has too many words.",
            ("keyword", "text"),
            text,
        )
    if re.search(r"[!@%,*^=;~`<>?\\|{}()\[\]\"]", text):
        yield Wrong(
            "criterionError",
            "KEYWORD_HAS_INVALID_CHARS",
            "Keyword text has invalid characters or symbols.",
            ("keyword", "text"),
            text,
        )
    if "matchType" not in info:
        yield from (
            Wrong(w.kind, w.code, w.message, ("keyword", *w.path)) for w in required(info, "matchType")
        )


def asset(body: Body, scene: Scene) -> Iterator[Wrong]:
    data = [name for name in body if name.endswith("Asset")]
    if len(data) != 1:
        yield Wrong("assetError", "ASSET_DATA_IS_MISSING", "The asset data is missing.", ())
    if "imageAsset" in body:
        yield from _image(body["imageAsset"])
    video = body.get("youtubeVideoAsset", {}).get("youtubeVideoId")
    if "youtubeVideoAsset" in body and not re.fullmatch(r"[\w-]{11}", str(video)):
        yield Wrong(
            "youtubeVideoRegistrationError",
            "VIDEO_NOT_FOUND",
            "Video to be registered wasn't found.",
            ("youtube_video_asset", "youtube_video_id"),
            str(video),
        )
    if any(each.get("name") == body.get("name") and body.get("name") for each in scene.siblings):
        yield Wrong(
            "assetError", "DUPLICATE_ASSET_NAME", "Asset name is already used.", ("name",), str(body["name"])
        )


def _image(info: Body) -> Iterator[Wrong]:
    """`mimeType` and `fileSize` were measured of the bytes that came."""
    where = ("image_asset", "data")
    if not info.get("fileSize"):
        yield Wrong("fieldError", "REQUIRED", "The required field was not present.", where)
    elif int(info["fileSize"]) > 5_242_880:
        yield Wrong("imageError", "FILE_TOO_LARGE", "The file is too large.", where)
    elif info["mimeType"] not in ("IMAGE_JPEG", "IMAGE_PNG", "IMAGE_GIF"):
        yield Wrong("imageError", "FORMAT_NOT_ALLOWED", "The image format is not allowed.", where)


def ad_group_ad(body: Body, scene: Scene) -> Iterator[Wrong]:
    yield from required(body, "adGroup", "ad")
    ad = body.get("ad", {})
    channel = scene.parents.get("adGroup", {}).get("channel")
    known = set().union(*AD_TYPES.values()) & ad.keys()
    if len(known) != 1 or (channel and not known <= AD_TYPES[channel]):
        yield Wrong(
            "adError",
            "PRODUCT_TYPE_NOT_SUPPORTED_IN_THIS_CAMPAIGN",
            "The ad type is not supported in this campaign.",
            ("ad",),
        )
        return
    (kind,) = known
    if "name" in ad and not kind.startswith("demandGen"):
        yield Wrong(
            "adError", "CANNOT_SET_FIELD", "The field cannot be set for this ad type.", ("ad", "name")
        )
    yield from _urls(ad)
    for found in AD_RULES[kind](ad[kind]):
        yield Wrong(found.kind, found.code, found.message, ("ad", snake(kind), *found.path), found.trigger)


def _urls(ad: Body) -> Iterator[Wrong]:
    if not ad.get("finalUrls"):
        yield Wrong("fieldError", "REQUIRED", "The required field was not present.", ("ad", "final_urls"))
    for index, url in enumerate(ad.get("finalUrls", ())):
        where = ("ad", "final_urls", index)
        if urlsplit(url).scheme not in ("http", "https"):
            yield Wrong(
                "urlFieldError",
                "MISSING_PROTOCOL_IN_FINAL_URL",
                "The final url is missing a protocol.",
                where,
                url,
            )
        elif "." not in (urlsplit(url).hostname or "") or " " in url:
            yield Wrong("urlFieldError", "INVALID_FINAL_URL", "The final url is invalid.", where, url)
    suffix = ad.get("finalUrlSuffix", "")
    if suffix[:1] in ("?", "&", "#") or " " in suffix:
        yield Wrong(
            "urlFieldError",
            "FINAL_URL_SUFFIX_MALFORMED",
            "The final url suffix is malformed.",
            ("ad", "final_url_suffix"),
            suffix,
        )


def _texts(info: Body, name: str, least: int, most: int, widest: int) -> Iterator[Wrong]:
    texts = [str(each.get("text", "")) for each in info.get(name, ())]
    if len(texts) < least:
        yield Wrong("collectionSizeError", "TOO_FEW", "Too few.", (snake(name),))
    if len(texts) > most:
        yield Wrong("collectionSizeError", "TOO_MANY", "Too many.", (snake(name),))
    for index, text in enumerate(texts):
        yield from _one_text(text, widest, (snake(name), index, "text"))
        if text.strip().lower() in [other.strip().lower() for other in texts[:index]]:
            yield Wrong(
                "adError",
                "INVALID_INPUT",
                "Text assets of one field must differ.",
                (snake(name), index, "text"),
                text,
            )


def _one_text(text: str, widest: int, path: tuple[Any, ...]) -> Iterator[Wrong]:
    if not text.strip():
        yield Wrong("stringLengthError", "EMPTY", "Empty.", path)
    elif width(re.sub(r"(?i)\{keyword:([^}]*)\}", r"\1", text)) > widest:
        yield Wrong("adError", "LINE_TOO_WIDE", "The line is too wide.", path, text)


def _assets(info: Body, name: str, least: int, most: int) -> Iterator[Wrong]:
    count = len(info.get(name, ()))
    if count < least:
        yield Wrong("collectionSizeError", "TOO_FEW", "Too few.", (snake(name),))
    if count > most:
        yield Wrong("collectionSizeError", "TOO_MANY", "Too many.", (snake(name),))


def _search_ad(info: Body) -> Iterator[Wrong]:
    yield from _texts(info, "headlines", 3, 15, 30)
    yield from _texts(info, "descriptions", 2, 4, 90)
    if info.get("path2") and not info.get("path1"):
        yield Wrong(
            "adError", "CANNOT_SET_PATH2_WITHOUT_PATH1", "Cannot set path2 without path1.", ("path2",)
        )
    for name in ("path1", "path2"):
        if width(info.get(name, "")) > 15:
            yield Wrong("stringLengthError", "TOO_LONG", "Too long.", (name,))


def _display_ad(info: Body) -> Iterator[Wrong]:
    yield from _assets(info, "marketingImages", 1, 15)
    yield from _assets(info, "squareMarketingImages", 1, 15)
    yield from _assets(info, "squareLogoImages", 0, 5)
    yield from _assets(info, "youtubeVideos", 0, 5)
    yield from _texts(info, "headlines", 1, 5, 30)
    yield from _texts(info, "descriptions", 1, 5, 90)
    yield from _one_text(str(info.get("longHeadline", {}).get("text", "")), 90, ("long_headline",))
    yield from _one_text(str(info.get("businessName", "")), 25, ("business_name",))
    if ("mainColor" in info) != ("accentColor" in info):
        yield Wrong("fieldError", "REQUIRED", "Main and accent colour go together.", ("main_color",))


def _multi_asset_ad(info: Body) -> Iterator[Wrong]:
    if not info.get("marketingImages") and not info.get("squareMarketingImages"):
        yield Wrong("adError", "MISSING_IMAGE", "An image is required.", ("marketing_images",))
    yield from _assets(info, "logoImages", 1, 5)
    yield from _texts(info, "headlines", 1, 5, 30)
    yield from _texts(info, "descriptions", 1, 5, 90)
    yield from _one_text(str(info.get("businessName", "")), 25, ("business_name",))


def _video_ad(info: Body) -> Iterator[Wrong]:
    yield from _assets(info, "videos", 1, 5)
    yield from _assets(info, "logoImages", 1, 1)
    yield from _texts(info, "headlines", 1, 5, 40)
    yield from _texts(info, "longHeadlines", 1, 5, 90)
    yield from _texts(info, "descriptions", 1, 5, 90)
    yield from _one_text(str(info.get("businessName", {}).get("text", "")), 25, ("business_name",))


def _other_ad(info: Body) -> Iterator[Wrong]:
    yield Wrong("adError", "INVALID_AD_TYPE", "This sandbox does not play ads of this type.", ())


AD_RULES = {
    "responsiveSearchAd": _search_ad,
    "responsiveDisplayAd": _display_ad,
    "demandGenMultiAssetAd": _multi_asset_ad,
    "demandGenVideoResponsiveAd": _video_ad,
    "demandGenCarouselAd": _other_ad,
    "demandGenProductAd": _other_ad,
}


def _duplicate(body: Body, scene: Scene, kind: str, code: str, message: str) -> Iterator[Wrong]:
    name = str(body.get("name", "")).casefold()
    if name and any(str(other.get("name", "")).casefold() == name for other in scene.siblings):
        yield Wrong(kind, code, message, ("name",), str(body["name"]))


def width(text: str) -> int:
    """Display width: full-width characters count two."""
    return len(text) + sum(unicodedata.east_asian_width(char) in "WF" for char in text)


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)


#: operation of a mutate -> (kind in the store, collection, field that names the parent, rules, defaults)
RESOURCES: dict[str, tuple[str, str, str, Any, dict[str, Any]]] = {
    "campaignBudgetOperation": (
        "campaign_budget", "campaignBudgets", "", budget,
        {"explicitlyShared": True, "deliveryMethod": "STANDARD", "period": "DAILY", "status": "ENABLED"},
    ),
    "campaignOperation": ("campaign", "campaigns", "campaignBudget", campaign, {"status": "ENABLED"}),
    "campaignCriterionOperation": (
        "campaign_criterion", "campaignCriteria", "campaign", campaign_criterion,
        {"negative": False, "status": "ENABLED"},
    ),
    "assetOperation": ("asset", "assets", "", asset, {}),
    "adGroupOperation": ("ad_group", "adGroups", "campaign", ad_group, {"status": "ENABLED"}),
    "adGroupCriterionOperation": (
        "ad_group_criterion", "adGroupCriteria", "adGroup", ad_group_criterion,
        {"negative": False, "status": "ENABLED"},
    ),
    "adGroupAdOperation": ("ad_group_ad", "adGroupAds", "adGroup", ad_group_ad, {"status": "ENABLED"}),
    "assetGroupOperation": ("asset_group", "assetGroups", "campaign", asset_group, {"status": "ENABLED"}),
    "assetGroupAssetOperation": (
        "asset_group_asset", "assetGroupAssets", "assetGroup", asset_group_asset, {"status": "ENABLED"},
    ),
    "assetGroupSignalOperation": ("asset_group_signal", "assetGroupSignals", "assetGroup", asset_group_signal, {}),
    # changes the content of an ad, which can't be made without its AdGroupAd
    "adOperation": ("ad_group_ad", "ads", "adGroup", ad_group_ad, {}),
}  # fmt: skip

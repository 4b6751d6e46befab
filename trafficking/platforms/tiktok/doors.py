"""TikTok's doors: which path, which id and which name belongs to an object.

Campaigns of the automated form (Upgraded Smart+) have doors of their own below `smart_plus/`.
"""

from __future__ import annotations

from collections.abc import Mapping

BASE = "/open_api/v1.3"
#: object type -> the platform's word in doors, ids and names
WORDS: Mapping[str, str] = {"campaign": "campaign", "ad_set": "adgroup", "ad": "ad"}
#: child -> (filter over the parent, key of the parent's id)
PARENTS: Mapping[str, tuple[str, str]] = {
    "ad_set": ("campaign_ids", "campaign_id"),
    "ad": ("adgroup_ids", "adgroup_id"),
}
SMART = "/smart_plus/"
#: What the campaign doors answer in `campaign_automation_type` for the automated form.
SMART_TYPE = "UPGRADED_SMART_PLUS"
IMAGE_UPLOAD, VIDEO_UPLOAD = f"{BASE}/file/image/ad/upload/", f"{BASE}/file/video/ad/upload/"
VIDEO_INFO = f"{BASE}/file/video/ad/info/"
IMAGE_SEARCH, VIDEO_SEARCH = f"{BASE}/file/image/ad/search/", f"{BASE}/file/video/ad/search/"


def door(object_type: str, deed: str, *, smart: bool = False) -> str:
    """The path for `create`, `get`, `update` or `status/update` of an object type."""
    return f"{BASE}{SMART if smart else '/'}{WORDS[object_type]}/{deed}/"


def id_key(object_type: str, *, smart: bool = False) -> str:
    """What TikTok calls its id: `campaign_id`, `adgroup_id`, `ad_id`; an automated ad's is `smart_plus_ad_id`."""
    return "smart_plus_ad_id" if smart and object_type == "ad" else f"{WORDS[object_type]}_id"


def is_smart(path: str) -> bool:
    return SMART in path

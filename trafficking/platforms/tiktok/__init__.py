"""TikTok Ads (API for Business v1.3)."""

from trafficking.platforms.tiktok.platform import TikTok

PLATFORM = TikTok()

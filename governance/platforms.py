"""The platform keys. A fourth platform is one more folder in trafficking/platforms and its line here."""

from django.db import models


class Platform(models.TextChoices):
    META = "meta", "Meta"
    TIKTOK = "tiktok", "TikTok"
    GOOGLE_ADS = "google_ads", "Google Ads"


def platform_key(text: str) -> str | None:
    """The key for what people write at the doors ("google", "Google Ads", "META"); None if unknown."""
    wanted = text.strip().casefold().replace(" ", "_")
    wanted = {"google": "google_ads"}.get(wanted, wanted)
    return wanted if wanted in Platform.values else None

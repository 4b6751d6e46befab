"""Google Ads API v26 over REST."""

from trafficking.platforms.google_ads.platform import GoogleAds

PLATFORM = GoogleAds()

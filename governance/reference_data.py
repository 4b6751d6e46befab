"""What every installation starts with; loaded by migration 0002, then the data admins' own."""

from __future__ import annotations

from typing import Any

CHANNELS: list[dict[str, Any]] = [
    {"code": "META", "name": "Meta (Facebook and Instagram)", "platform": "meta", "api_identifier": "AUCTION"},
    {"code": "TIKTOK", "name": "TikTok", "platform": "tiktok", "api_identifier": "AUCTION"},
    {"code": "GGLSEARCH", "name": "Google Search", "platform": "google_ads", "api_identifier": "SEARCH"},
    {"code": "GGLDISPLAY", "name": "Google Display", "platform": "google_ads", "api_identifier": "DISPLAY"},
    {"code": "GGLDEMAND", "name": "Google Demand Gen", "platform": "google_ads", "api_identifier": "DEMAND_GEN"},
    # Google's API creates no VIDEO campaigns: YouTube is bought as Demand Gen on YouTube's own surfaces
    {"code": "YOUTUBE", "name": "YouTube (Demand Gen)", "platform": "google_ads", "api_identifier": "DEMAND_GEN",
     "settings": {"youtube_only": True}},
    # the automated forms
    {"code": "METAPLUS", "name": "Meta Advantage+", "platform": "meta", "api_identifier": "ADVANTAGE_PLUS"},
    {"code": "TIKTOKSMART", "name": "TikTok Smart+", "platform": "tiktok", "api_identifier": "SMART_PLUS"},
    {"code": "GGLPMAX", "name": "Google Performance Max", "platform": "google_ads", "api_identifier": "PERFORMANCE_MAX"},
]  # fmt: skip

#: plan text -> channel code; None: not trafficked here
VENDORS: dict[str, str | None] = {
    "Meta": "META", "Facebook": "META", "Instagram": "META", "Facebook & Instagram": "META", "Meta Ads": "META",
    "TikTok": "TIKTOK", "TikTok Ads": "TIKTOK", "TikTok for Business": "TIKTOK",
    "Google / Search Ads": "GGLSEARCH", "Google Ads / Search Ads": "GGLSEARCH", "Google / Search": "GGLSEARCH",
    "Google Search": "GGLSEARCH", "Google Ads / Search": "GGLSEARCH",
    "Google / Display": "GGLDISPLAY", "Google / Display Ads": "GGLDISPLAY", "Google Ads / Display": "GGLDISPLAY",
    "Google Display Network": "GGLDISPLAY", "Google Ads / Display Ads": "GGLDISPLAY", "Google Display": "GGLDISPLAY",
    "Google / Demand Gen": "GGLDEMAND", "Google Ads / Demand Gen": "GGLDEMAND", "Google Demand Gen": "GGLDEMAND",
    "YouTube": "YOUTUBE", "YouTube Ads": "YOUTUBE", "Google / YouTube": "YOUTUBE", "Google Ads / TrueView In-Stream": "YOUTUBE",
    "Meta Advantage+": "METAPLUS", "Advantage+": "METAPLUS", "Advantage+ Shopping": "METAPLUS", "TikTok Smart+": "TIKTOKSMART",
    "Smart+": "TIKTOKSMART", "Performance Max": "GGLPMAX", "PMax": "GGLPMAX", "Google / Performance Max": "GGLPMAX",
    "Google Ads / Performance Max": "GGLPMAX", "Google Performance Max": "GGLPMAX",
    "LinkedIn": None, "LinkedIn Marketing Solutions": None, "The Trade Desk": None, "X (Twitter)": None, "X Ads": None,
    "Twitter": None, "Amazon Ads": None, "Amazon DSP": None, "Snapchat": None, "Pinterest": None, "Reddit": None,
    "Spotify": None, "Microsoft Advertising": None, "Bing": None, "Display & Video 360": None, "DV360": None,
}  # fmt: skip

OBJECTIVES: dict[str, str] = {
    "Awareness": "AWARENESS", "Brand Awareness": "AWARENESS", "Branding": "AWARENESS", "Brand": "AWARENESS",
    "Reach": "REACH", "Traffic": "TRAFFIC", "Website Traffic": "TRAFFIC", "Clicks": "TRAFFIC", "Consideration": "TRAFFIC",
    "Engagement": "ENGAGEMENT", "Video Views": "VIDEO_VIEWS", "Views": "VIDEO_VIEWS",
    "Leads": "LEADS", "Lead Generation": "LEADS", "Lead Gen": "LEADS",
    "App Promotion": "APP_PROMOTION", "App Installs": "APP_PROMOTION",
    "Sales": "SALES", "Conversions": "SALES", "Conversion": "SALES", "Web Conversions": "SALES", "Performance": "SALES",
}  # fmt: skip

#: US dollars for one unit. Rough starting values, so that limits work from the first day; QA says how old
#: they are, and a data admin replaces them.
RATES_FROM = "2025-01-01"
RATES_SOURCE = "starting value, to be replaced"
RATES: dict[str, str] = {
    "EUR": "1.08", "GBP": "1.27", "CHF": "1.12", "SEK": "0.095", "NOK": "0.092", "DKK": "0.145", "PLN": "0.25",
    "CZK": "0.043", "HUF": "0.0027", "RON": "0.217", "TRY": "0.028", "CAD": "0.71", "AUD": "0.65", "NZD": "0.59",
    "JPY": "0.0066", "KRW": "0.00070", "CNY": "0.138", "HKD": "0.128", "TWD": "0.031", "SGD": "0.74", "INR": "0.0118",
    "IDR": "0.000062", "MYR": "0.22", "PHP": "0.0172", "THB": "0.029", "VND": "0.0000394", "BRL": "0.17", "MXN": "0.05",
    "CLP": "0.00102", "COP": "0.00023", "ARS": "0.00098", "ZAR": "0.054", "ILS": "0.27", "AED": "0.2723", "SAR": "0.2667",
    "KWD": "3.25", "BHD": "2.65", "JOD": "1.41", "QAR": "0.2747", "EGP": "0.0198", "NGN": "0.00065", "KES": "0.0077",
}  # fmt: skip

#: Interest ids that Meta's own targeting search lists under "Alcoholic beverages": beer, distilled
#: beverage, wine. Names catch the rest; a data admin adds ids here as platforms show them.
INTEREST_IDS = {"meta": {"ALCOHOL": ["6003012461997", "6003146729229", "6003148544265"]}}
TERMS: dict[str, list[str]] = {
    "ADULT": ["adult content", "adult entertainment", "adult film", "adult toy", "erotic", "erotica", "escort", "fetish",
              "lingerie model", "nude", "nudity", "playboy", "porn", "pornography", "pornhub", "sex toy", "strip club",
              "stripper", "onlyfans", "xxx"],
    "ALCOHOL": ["alcohol", "alcoholic", "alcoholic beverage", "alcoholic drink", "ale", "absinthe", "beer", "bourbon",
                "brandy", "brewery", "champagne", "cider", "cocktail", "cognac", "craft beer", "distilled beverage",
                "gin", "happy hour", "hard seltzer", "lager", "liqueur", "liquor", "mezcal", "pale ale", "prosecco",
                "rum", "sake", "scotch whisky", "spirits", "tequila", "vodka", "whiskey", "whisky", "wine", "winery"],
    "GAMBLING": ["betting", "bookmaker", "casino", "gambling", "lottery", "online poker", "poker", "roulette",
                 "slot machine", "sports betting"],
    "TOBACCO": ["cigar", "cigarette", "e-cigarette", "hookah", "smoking", "tobacco", "vape", "vaping"],
    "DRUGS": ["cannabis", "cbd", "cocaine", "marijuana", "psychedelic", "recreational drug", "thc"],
    "WEAPONS": ["ammunition", "firearm", "gun", "handgun", "knife fighting", "rifle", "shotgun", "weapon"],
    "DATING": ["dating", "dating app", "hookup", "online dating", "tinder"],
    "POLITICS": ["campaign finance", "election", "political campaign", "political party", "politics"],
}  # fmt: skip

RULES: dict[str, dict[str, Any]] = {
    "TAXONOMY": {},
    "BRAND_SAFETY": {"terms": TERMS, "interest_ids": INTEREST_IDS},
    "BUDGET_LIMITS": {"currency": "USD", "daily": "100000", "lifetime": "1000000"},
    "PAYLOAD_SCHEMA": {},
}

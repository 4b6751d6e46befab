"""What each finding of this platform says to the person who can mend it."""

from __future__ import annotations

from governance.findings import Message
from governance.findings import gettext_noop as _

_TEXTS: dict[str, tuple[str, str]] = {
    # the ticket as a whole
    "buying_type.unsupported": (
        _("Meta campaigns are bought by auction or as Advantage+ here; the channel says {buying_type}."),
        _("Choose a channel with the API identifier AUCTION or ADVANTAGE_PLUS."),
    ),
    "advantage_plus.objective": (
        _("Advantage+ campaigns are for sales, app promotion and leads, not for {objective}."),
        _("Change the objective, or use a channel bought by auction."),
    ),
    "advantage_plus.budget_level": (
        _("An Advantage+ campaign has its budget on the campaign."),
        _("Change the ticket's budget level to campaign."),
    ),
    "advantage_plus.placements": (
        _("An Advantage+ campaign goes to all placements and devices."),
        _("Remove the placements and devices, or use a channel bought by auction."),
    ),
    "advantage_plus.audience": (
        _("In an Advantage+ campaign Meta chooses the audience; this ad set turns that off."),
        _("Remove the setting advantage_audience, or use a channel bought by auction."),
    ),
    "objective.unsupported": (
        _("Meta has no campaign objective for {objective}."),
        _("Choose awareness, reach, traffic, engagement, video views, leads, app promotion or sales."),
    ),
    "ticket.no_ad_sets": (_("The ticket has no ad set."), _("Add at least one ad set with an ad.")),
    "ad_set.no_ads": (_("The ad set {name} has no ad."), _("Add at least one ad, or remove the ad set.")),
    "name.missing": (_("The name is empty."), _("Give it the name that the naming convention asks for.")),
    "name.too_long": (
        _("The name has {length} characters; Meta takes {longest}."),
        _("Shorten a part of the name."),
    ),
    "config.invalid": (
        _("This platform setting is not valid: {problem}."),
        _("Correct or remove the setting; the list of settings is in the channel's help."),
    ),
    # account
    "account.bad_id": (
        _("{account} is not a Meta ad account id."),
        _("Enter the digits of the ad account, with or without act_."),
    ),
    "account.page_missing": (
        _("The ad account has no Facebook page to publish as."),
        _("Enter the page id on the ad account."),
    ),
    "account.pixel_missing": (
        _("This goal needs a Meta pixel, and the ad account has none."),
        _("Enter the pixel (dataset) id on the ad account, or choose another goal."),
    ),
    "account.app_missing": (
        _("App promotion needs the app's Meta id, and the ad account has none."),
        _("Enter the app id on the ad account."),
    ),
    "app.store_url_missing": (
        _("App promotion needs the address of the app in its store."),
        _("Set object_store_url in the ad set's platform settings."),
    ),
    "currency.mismatch": (
        _("The ticket is in {currency}, the ad account in {account}."),
        _("Convert the amounts to the account's currency, or choose an account in {currency}."),
    ),
    "currency.unsupported": (
        _("Meta ad accounts can't spend {currency}."),
        _("Choose an ad account in another currency."),
    ),
    # stated by a person
    "political.unstated": (
        _("Nobody has said whether this campaign is political."),
        _("State whether it contains ads on politics, elections or social issues."),
    ),
    "political.eu": (
        _("Meta takes no political ads in the EU, and this ticket reaches {countries}."),
        _("Remove these countries, or use another channel."),
    ),
    "political.category_missing": (
        _("The ticket says that it is political, but {category} is not among its special ad categories."),
        _("Add the category, or correct the political statement."),
    ),
    "political.contradiction": (
        _("The ticket says that it is not political, but has the category {category}."),
        _("Remove the category, or correct the political statement."),
    ),
    "special_ad_categories.unstated": (
        _("Nobody has stated the special ad categories."),
        _(
            "State them, or state that there are none: housing, employment, financial products, politics, gambling."
        ),
    ),
    "special_ad_categories.unknown": (
        _("{category} is not a special ad category of Meta."),
        _("Choose from {known}."),
    ),
    "special_ad_categories.renamed": (
        _("Meta calls {category} now {now}; that is what will be sent."),
        _("Change the ticket to {now}."),
    ),
    "special_ad_categories.none_and_some": (
        _("The ticket states both NONE and {categories}."),
        _("Remove NONE, or the others."),
    ),
    "special_ad_categories.countries_missing": (
        _("The special ad categories {categories} need the countries in which they apply."),
        _("Name the countries where the ads will run."),
    ),
    "special_ad_categories.age": (
        _("Ads of the category {categories} may not choose people by age."),
        _("Remove the ages: such ads go to everyone aged 18 and older."),
    ),
    "special_ad_categories.gender": (
        _("Ads of the category {categories} may not choose people by gender."),
        _("Remove the gender."),
    ),
    "special_ad_categories.exclusion": (
        _("Ads of the category {categories} may not exclude places."),
        _("Remove the excluded places, and name the wanted ones only."),
    ),
    "special_ad_categories.interests": (
        _("Ads of the category {categories} may use few interests; Meta may refuse some of these."),
        _("Prefer broad interests, or none."),
    ),
    "dsa_beneficiary.missing": (
        _("Ads that reach the EU ({countries}) must say on whose behalf they run."),
        _("Enter the beneficiary on the brand or the ticket."),
    ),
    "dsa_payor.missing": (
        _("Ads that reach the EU ({countries}) must say who pays for them."),
        _("Enter the payor on the brand or the ticket."),
    ),
    # goal
    "goal.missing": (_("The ad set has no goal."), _("Choose what the ad set is optimised for.")),
    "goal.unsupported": (
        _("On Meta, a campaign for {objective} can't be optimised for {goal}."),
        _("Choose another goal, or another objective for the campaign."),
    ),
    "billing_event.unsupported": (
        _("Meta can't bill {billing_event} for the goal {goal}."),
        _("Bill impressions. Clicks can be billed for the goal clicks only, views for video views only."),
    ),
    "conversion_event.missing": (
        _("This goal needs the conversion event that counts."),
        _("Choose the event, such as PURCHASE or LEAD."),
    ),
    "conversion_event.unknown": (_("Meta has no conversion event {event}."), _("Choose from {known}.")),
    # money
    "budget.missing": (
        _("There is no budget."),
        _("Enter an amount, and whether it is daily or for the lifetime."),
    ),
    "budget.two_levels": (
        _("There is a budget on the campaign and on the ad set; Meta takes one level."),
        _("Remove this budget, or change the ticket's budget level."),
    ),
    "budget.level_unknown": (
        _("{level} is not a budget level."),
        _("Choose CAMPAIGN or AD_SET."),
    ),
    "budget.kind_unknown": (_("{kind} is not a kind of budget."), _("Choose DAILY or LIFETIME.")),
    "budget.too_low": (
        _("{amount} {currency} is less than Meta's minimum of {minimum} {currency} ({daily} a day)."),
        _("Raise the budget, or shorten the flight."),
    ),
    "money.not_positive": (
        _("{amount} {currency} is not an amount to spend."),
        _("Enter an amount above zero."),
    ),
    "money.not_expressible": (
        _("Meta can't spend {amount} {currency} exactly: its smallest unit is {unit} {currency}."),
        _("Round the amount to a multiple of {unit}."),
    ),
    "bid.strategy_unknown": (
        _("Meta has no bid strategy {strategy}."),
        _("Choose lowest cost, cost cap, bid cap or target ROAS."),
    ),
    "bid.amount_missing": (_("The bid strategy {strategy} needs an amount."), _("Enter the bid amount.")),
    "bid.amount_unused": (
        _("Lowest cost takes no bid amount."),
        _("Remove the amount, or choose cost cap or bid cap."),
    ),
    "bid.roas_needs_value": (
        _("A target return on ad spend works only for the goal conversion value, not {goal}."),
        _("Change the goal, or the bid strategy."),
    ),
    "bid.roas_out_of_range": (
        _("A return of {roas} can't be sent: Meta takes {least} to {most}, in steps of 0.0001."),
        _("Enter the return as a factor: 2.5 for 250 %."),
    ),
    # flight
    "flight.start_missing": (_("The ad set has no start."), _("Enter when it starts.")),
    "flight.end_missing": (
        _("A lifetime budget needs an end."),
        _("Enter when the ad set ends, or use a daily budget."),
    ),
    "flight.reversed": (_("The ad set ends before it starts."), _("Correct the dates.")),
    "flight.too_short": (
        _("With a daily budget, an ad set must run for 24 hours at least."),
        _("Move the end, or use a lifetime budget."),
    ),
    "flight.no_time_zone": (
        _("This time has no time zone."),
        _("Enter it again; times are in the account's zone."),
    ),
    "dayparts.need_lifetime_budget": (
        _("Meta schedules hours of the day for lifetime budgets only."),
        _("Use a lifetime budget, or remove the hours."),
    ),
    "dayparts.invalid": (
        _("These hours are not possible."),
        _("Give a weekday, and hours from 0 to 24, the end after the start."),
    ),
    "dayparts.overlap": (_("These hours overlap others of the same day."), _("Merge them.")),
    "frequency_cap.unsupported_goal": (
        _("Meta caps frequency for the goals reach and video views only, not for {goal}."),
        _("Change the goal to reach or video views, or remove the cap."),
    ),
    "frequency_cap.out_of_range": (
        _("Meta can't cap at {impressions} impressions in {days} days."),
        _("Use 1 to {most} impressions and 1 to {most} days."),
    ),
    # audience
    "geo.missing": (_("The ad set has no place to run in."), _("Name at least one country, region or city.")),
    "geo.unknown_country": (
        _("Meta knows no country {country}."),
        _("Use the two letters of ISO 3166, such as GB."),
    ),
    "geo.bad_key": (
        _("{name} ({key}) is not a place of Meta's: its keys are digits."),
        _("Look the place up on Meta and enter its key."),
    ),
    "geo.may_overlap": (
        _(
            "Regions or cities are named beside whole countries ({countries}); Meta refuses places that overlap."
        ),
        _("Remove the country, if the regions or cities lie in it."),
    ),
    "age.min_out_of_range": (
        _("Meta can't keep to a minimum age of {age}: it knows {lowest} to {highest}."),
        _("Choose a minimum age from {lowest} to {highest}."),
    ),
    "age.max_out_of_range": (
        _("A maximum age of {age} leaves nobody: Meta begins at {lowest}."),
        _("Raise or remove the maximum age."),
    ),
    "age.max_is_open": (
        _("A maximum age of {age} becomes 65, which on Meta means everyone aged 65 and older."),
        _("If older people must be left out, choose 64 or less."),
    ),
    "age.reversed": (
        _("The youngest age ({low}) is above the oldest ({high})."),
        _("Correct the ages; without a minimum, Meta's is 18."),
    ),
    "advantage_audience.age_max": (
        _("With the Advantage audience, Meta does not keep to a maximum age of {age}."),
        _("Remove the maximum age, or turn the Advantage audience off."),
    ),
    "advantage_audience.age_min": (
        _("With the Advantage audience, Meta takes a minimum age from {lowest} to {highest}, not {age}."),
        _("Change the minimum age, or turn the Advantage audience off."),
    ),
    "gender.unknown": (
        _("{gender} is not a gender that Meta targets."),
        _("Choose MALE or FEMALE, or none for all."),
    ),
    "language.unknown": (
        _("No Meta language is known for {language}."),
        _("Use a two-letter ISO 639-1 code, or remove the language."),
    ),
    "interest.bad_id": (
        _("{name} ({id}) is not an interest of Meta's: its ids are digits."),
        _("Look the interest up on Meta and enter its id."),
    ),
    "audience.bad_id": (_("{audience} is not the id of a Meta audience."), _("Enter the digits of its id.")),
    "audience.in_and_out": (
        _("The audience {audience} is both included and excluded."),
        _("Remove it on one side."),
    ),
    "placement.unknown": (_("Meta has no placement {placement}."), _("Choose from {known}.")),
    # ads
    "ad.creative_name_shortened": (
        _("Meta takes {longest} characters for the name of a creative: this ad's creative is called {sent}."),
        _("Nothing to do: the ad keeps its whole name. For a readable creative name, shorten the ad's."),
    ),
    "ad.format": (_("Meta has no ads of the format {format}."), _("Choose image, video or carousel.")),
    "ad.video_needed": (
        _("An ad set for video views takes videos, not {format}."),
        _("Make this a video ad, or change the goal."),
    ),
    "ad.one_only": (
        _("An ad takes one of {field}; there are {count}."),
        _("Keep one, and make an ad for each other."),
    ),
    "ad.text_missing": (_("The ad has no primary text."), _("Enter the text above the picture or video.")),
    "ad.landing_page_missing": (_("The ad leads nowhere."), _("Enter its landing page.")),
    "ad.landing_page_unused": (
        _("App ads lead to the store ({store_url}); the landing page is not used."),
        _("Remove the landing page, or enter the store's address there."),
    ),
    "ad.bad_url": (_("{url} is not a web address."), _("Enter an address that begins with https://.")),
    "ad.call_to_action_missing": (
        _("An ad that leads somewhere from a video or to a form needs a button."),
        _("Choose a call to action."),
    ),
    "ad.call_to_action_unknown": (_("Meta has no button {call}."), _("Choose from {known}.")),
    "ad.image_missing": (_("The ad has no image."), _("Upload the image to Meta and enter its hash.")),
    "ad.thumbnail_missing": (
        _("The video has no thumbnail."),
        _("Upload a thumbnail image to Meta and enter its hash."),
    ),
    "ad.one_image": (
        _("The ad has {count} files of the kind {kind}; Meta shows one."),
        _("Keep one, and make an ad for each other."),
    ),
    "ad.one_video": (
        _("A video ad has exactly one video; there are {count}."),
        _("Enter the id of one video in the account's library."),
    ),
    "ad.bad_video_id": (
        _("{video} is not the id of a video on Meta: its ids are digits."),
        _("Upload the video to the ad account and enter its id."),
    ),
    "ad.cards": (
        _("A carousel has {least} to {most} cards; there are {count}."),
        _("Add or remove cards."),
    ),
    "ad.card_media_missing": (_("Card {card} has no image or video."), _("Enter its image hash.")),
    "ad.form_missing": (
        _("Leads on a form need the form's id."),
        _("Set lead_gen_form_id in the platform settings of the ad or the ad set."),
    ),
    "media.kind": (
        _("{file} is of the type {content_type}, which can't be used as {kind}."),
        _("Choose an image where an image is shown, and a video where a video is."),
    ),
    "media.format": (
        _("Meta does not take {file} of the type {content_type}."),
        _("Convert it to one of {known}."),
    ),
    "media.too_big": (
        _("{file} has {size} bytes; {most} can be uploaded."),
        _("Make the file smaller, or upload it to Meta by hand and enter its id."),
    ),
    "media.too_small": (_("{file} has {size} bytes; Meta takes {least} at least."), _("Check the file.")),
    "media.codec": (
        _("{file} is encoded as {codec}, which Meta may not take."),
        _("Encode it as one of {known}."),
    ),
    "media.unmeasured": (
        _("The size or duration of {file} could not be read."),
        _("Check that the file is whole, and upload it here again."),
    ),
    "media.few_pixels": (
        _("{file} has {width} × {height} pixels; Meta takes {width_min} × {height_min} at least."),
        _("Use a larger file."),
    ),
    "media.ratio": (
        _("{file} has {width} × {height} pixels; Meta takes ratios from {narrowest} to {widest}."),
        _("Crop it."),
    ),
    "media.card_not_square": (
        _(
            "{file} has {width} × {height} pixels; Meta shows cards of a carousel as squares and will crop it."
        ),
        _("Use a square picture, or check how the crop looks."),
    ),
    "media.duration": (
        _("{file} lasts {seconds} seconds; Meta takes {least} to {most}."),
        _("Cut the video."),
    ),
    "ad.conversion_domain_missing": (
        _("The domain of conversions can't be read from the landing page."),
        _("Set conversion_domain in the ad's platform settings, such as example.com."),
    ),
}

#: What is found before the first call, in the account itself.
_PREFLIGHT: dict[str, tuple[str, str]] = {
    "account_hidden": (
        _("The ad account {account} does not exist, or this token may not see it."),
        _("Correct the account's id, or give the system user access to it in Business Manager."),
    ),
    "account_status": (
        _("Meta has the ad account as {status}: nothing in it can run."),
        _("Settle this in Meta's account quality or billing pages; then try again."),
    ),
    "account_grace": (
        _("The ad account has an open bill (grace period): it runs, and will stop unless the bill is paid."),
        _("Pay the bill in Meta's billing pages."),
    ),
    "currency": (
        _("The ad account spends {live}, not {ours}."),
        _("Correct the account's currency here: every amount of its tickets is meant in it."),
    ),
    "time_zone": (
        _("The ad account is in the time zone {live}, not {ours}."),
        _("Correct the account's time zone here: flights and hours are meant in it."),
    ),
    "no_funding": (
        _("The ad account has no way to pay."),
        _("Add a payment method in Meta's billing pages; objects can be built, but not run."),
    ),
    "no_permission": (
        _("The token lacks {permission}."),
        _("Make a system user token with ads_management, and enter it at the account."),
    ),
    "no_task": (
        _("This token may look at the ad account, but not advertise in it."),
        _("Give the system user the task 'Manage campaigns' on the account in Business Manager."),
    ),
    "page_hidden": (
        _("The Facebook page {page} does not exist, or this token may not see it."),
        _("Correct the page id, or give the system user the page's task 'Create ads'."),
    ),
    "page_unpublished": (
        _("The Facebook page {page} is not published: its ads will be refused."),
        _("Publish the page, or choose another."),
    ),
    "instagram_hidden": (
        _("The Instagram account {instagram} does not exist, or this token may not see it."),
        _("Correct the id, or connect the Instagram account to the ad account in Business Manager."),
    ),
    "pixel_hidden": (
        _("The pixel {pixel} does not exist, or is not shared with this ad account."),
        _("Correct the pixel id, or share the pixel with the ad account in Business Manager."),
    ),
    "pixel_unavailable": (
        _("Meta has made the pixel {pixel} unavailable."),
        _("See the pixel's diagnostics in Events Manager."),
    ),
    "pixel_never_fired": (
        _("The pixel {pixel} has never received an event."),
        _("Check that it is on the landing page; ads optimised for its events can't learn."),
    ),
}

MESSAGES: dict[str, Message] = {
    **{f"meta.{code}": Message(*words) for code, words in _TEXTS.items()},
    **{f"preflight.meta.{code}": Message(*words) for code, words in _PREFLIGHT.items()},
}

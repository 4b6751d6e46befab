"""The vocabulary: what campaigns, tickets and names may be made of."""

from governance.models.accounts import AdAccount, AdAccountServes
from governance.models.aliases import Alias, Audience
from governance.models.api import IdempotencyRecord
from governance.models.built_rules import BuiltRule
from governance.models.conventions import NamingConvention
from governance.models.notices import Notice, NoticeKind, NoticePreference, Webhook, WebhookDelivery
from governance.models.people import Grant, User
from governance.models.rates import ExchangeRate
from governance.models.rules import QARule
from governance.models.tokens import ApiToken
from governance.models.views import DefaultView, SavedView
from governance.models.vocabulary import Brand, Channel, Market

__all__ = [
    "AdAccount", "AdAccountServes", "Alias", "ApiToken", "Audience", "Brand", "BuiltRule", "Channel", "DefaultView", "ExchangeRate", "Grant",
    "IdempotencyRecord", "Market", "NamingConvention", "Notice", "NoticeKind", "NoticePreference", "QARule", "SavedView", "User", "Webhook", "WebhookDelivery",
]  # fmt: skip

from django.dispatch import Signal

#: Sent inside the transaction after governed campaign names were rebuilt (names: list of CampaignChannel).
names_rebuilt = Signal()

"""What this room tells whoever delivers."""

from django.dispatch import Signal

#: After the commit that brought deliveries which wait. Sent with `source_id`.
deliveries_due = Signal()

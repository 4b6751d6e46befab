from tracking.models.events import ConversionEvent, Delivery, RefusedCount
from tracking.models.sources import ConsentPolicy, ConversionSource, Destination

__all__ = [
    "ConsentPolicy",
    "ConversionEvent",
    "ConversionSource",
    "Delivery",
    "Destination",
    "RefusedCount",
]

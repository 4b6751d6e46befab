"""The ledger of calls, kill switches, what is watched on the platforms, and what people must be told."""

from deploy.models.alerts import Alert
from deploy.models.ledger import Deployment, Operation, time_ordered_uuid
from deploy.models.limits import MediaUpload, RateState
from deploy.models.stops import AccountStop, KillSwitch, StoppedObject
from deploy.models.watch import AccountWatch, Drift, ExistingObject

__all__ = [
    "AccountStop",
    "AccountWatch",
    "Alert",
    "Deployment",
    "Drift",
    "ExistingObject",
    "KillSwitch",
    "MediaUpload",
    "Operation",
    "RateState",
    "StoppedObject",
    "time_ordered_uuid",
]

"""Tickets with their ad sets and ads, the plans compiled from them, approvals, and what platforms hold."""

from trafficking.models.media import MediaFile
from trafficking.models.plans import Approval, ApprovalRule, Plan, PlatformObject
from trafficking.models.tickets import Ticket
from trafficking.models.tree import Ad, AdSet

__all__ = ["Ad", "AdSet", "Approval", "ApprovalRule", "MediaFile", "Plan", "PlatformObject", "Ticket"]

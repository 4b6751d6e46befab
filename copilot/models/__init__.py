"""What brands wrote, what was advised on tickets, and what asking a model has cost."""

from copilot.models.advice import Advice
from copilot.models.calls import CallBudget, ModelCall
from copilot.models.guidelines import GuidelineChunk, GuidelineDocument, GuidelineVocabulary

__all__ = ["Advice", "CallBudget", "GuidelineChunk", "GuidelineDocument", "GuidelineVocabulary", "ModelCall"]

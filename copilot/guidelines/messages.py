"""What is said about files that can't be read, or not wholly."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from governance.findings import Message

_PICTURES = gettext_noop(
    "Run text recognition (OCR) over the file, or export it with its text, and upload it again."
)

MESSAGES = {
    "guideline.type": Message(
        gettext_noop("'{name}' is no PDF, Markdown, text or DOCX file."), gettext_noop("Save it as one of these.")
    ),
    "guideline.empty": Message(gettext_noop("There is no text in it."), _PICTURES),
    "guideline.image_only": Message(
        gettext_noop("Page {pages}: {count} of {of} have pictures and no text, so nothing on them is found."), _PICTURES
    ),
    "guideline.letter_spaced": Message(
        gettext_noop("Page {pages}: the letters stand apart, so that no words can be read."),
        gettext_noop("Export the file with ordinary letter spacing, or as text, and upload it again."),
    ),
    "guideline.broken_page": Message(
        gettext_noop("Page {pages} can't be read: it is damaged."), gettext_noop("Export the file anew and upload it again.")
    ),
    "guideline.encrypted": Message(
        gettext_noop("It is locked with a password."), gettext_noop("Save it without one and upload it again.")
    ),
    "guideline.too_large": Message(
        gettext_noop("It is larger than {most} MB."), gettext_noop("Upload the part with the guidelines, without large pictures.")
    ),
    "guideline.too_many_pages": Message(
        gettext_noop("It has {pages} pages; at most {most} are read."), gettext_noop("Upload the part with the guidelines.")
    ),
    "guideline.store_down": Message(
        gettext_noop("The vector store or its model did not take it ({reason}): it is found by what is kept here."),
        gettext_noop("Upload it again later."),
    ),
    "guideline.broken": Message(
        gettext_noop("The file is damaged or not what its name says ({reason})."),
        gettext_noop("Open it, save it anew and upload it again."),
    ),
}  # fmt: skip

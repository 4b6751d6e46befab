"""What bringing in a file, or using one, may find."""

from governance.findings import Message
from governance.findings import gettext_noop as _

MESSAGES = {
    # --- the file
    "media.empty": Message(_("The file is empty."), _("Export it again.")),
    "media.unknown_type": Message(
        _("This is no image or video that ads are made of."), _("Use one of {known}; what counts is the content, not the name's ending.")
    ),
    "media.image_too_big": Message(_("The image is larger than {limit} MB."), _("Export it smaller.")),
    "media.video_too_big": Message(_("The video is larger than {limit} MB."), _("Export it smaller.")),
    "media.too_many_pixels": Message(
        _("The image is {width} × {height} pixels, more than {limit} million."), _("Export it smaller.")
    ),
    "media.broken": Message(_("The file can't be read to its end: {problem}."), _("Export or download it again.")),
    "media.takes_too_long": Message(
        _("Measuring the file took too much time or memory."), _("It is probably broken: export it again.")
    ),
    "media.no_picture": Message(_("The video file has no picture."), _("Choose one with a video track.")),
    "media.no_duration": Message(_("The video file does not say how long it is."), _("Export it again.")),
    # --- fetching it
    "media.url_malformed": Message(_("'{url}' is not a full address."), _("Write it as https://www.example.com/boat.jpg.")),
    "media.url_scheme": Message(_("'{url}' is not fetched: only {known} is."), _("Use another address, or upload the file.")),
    "media.url_credentials": Message(
        _("The address has a user name or password in it."), _("Use one without, or upload the file: addresses are kept and shown.")
    ),
    "media.url_port": Message(_("Port {port} is not fetched from."), _("Use an address without a port.")),
    "media.url_no_host": Message(_("There is no address for {host}."), _("Check the spelling.")),
    "media.url_forbidden": Message(
        _("{host} leads to {address}, which is not on the public internet."), _("Upload the file instead.")
    ),
    "media.url_unreachable": Message(_("{host} could not be reached: {reason}."), _("Try again later, or upload the file.")),
    "media.url_status": Message(
        _("{host} answered {status} instead of a file."), _("Open the address in a private window: it must need no sign-in.")
    ),
    "media.url_redirects": Message(_("The address leads on more than {limit} times."), _("Use the file's own address.")),
    "media.url_encoded": Message(_("{host} sends the file compressed ({encoding})."), _("Upload the file instead.")),
    "media.url_too_slow": Message(_("{host} took longer than {seconds} seconds."), _("Try again later, or upload the file.")),
    "media.url_cut": Message(_("{host} broke off before the file was complete."), _("Try again, or upload the file.")),
    # --- using it
    "media.unknown_file": Message(
        _("The brand's media library has no file {sha256}."), _("Choose one from the library, or add it there first.")
    ),
    "media.wrong_kind": Message(
        _("'{name}' is {is_a}, but is used as {kind}."), _("Choose another file, or another kind.")
    ),
    "media.not_uploadable": Message(
        _("'{name}' can't be used as a YouTube video: those live on YouTube."), _("Upload it to YouTube and write the video's id.")
    ),
    "media.no_such_name": Message(
        _("The media library of {brand} has no file '{text}'."), _("Write its name as in the library, or add it there first.{suggestion}")
    ),
    "media.name_twice": Message(
        _("The media library of {brand} has several files '{text}'."), _("Write the content hash instead: one of {hashes}.")
    ),
    "media.outside_reach": Message(_("The media library of {brand} is not yours."), _("Ask a data admin for a grant.")),
    "media.in_use": Message(
        _("It is used by {count} ads and can't be deleted."), _("Take it out of them first.")
    ),
}  # fmt: skip

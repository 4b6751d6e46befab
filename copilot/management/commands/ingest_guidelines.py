"""manage.py ingest_guidelines PATH… [--brand CODE] [--platform KEY]"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from copilot.guidelines.indexing import index_document
from copilot.guidelines.library import SUFFIXES, add_document
from copilot.models import GuidelineDocument
from governance.models import Brand
from governance.platforms import Platform


class Command(BaseCommand):
    help = "Read guideline files (PDF, Markdown, text, DOCX) or folders of them; they can be searched when it ends."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", help="files, or folders with files")
        parser.add_argument(
            "--brand", default="", help="code of the brand; without it they are for every brand"
        )
        parser.add_argument(
            "--platform", default="", choices=["", *Platform.values], help="only for this platform"
        )
        parser.add_argument("--title", default="", help="what people call it (one file only)")

    def handle(self, *args: Any, **options: Any) -> None:
        files = list(_files(options["paths"]))
        if options["title"] and len(files) != 1:
            raise CommandError("--title is for one file.")
        brand = Brand.objects.filter(code=options["brand"]).first()
        if options["brand"] and brand is None:
            raise CommandError(f"There is no brand {options['brand']}.")
        refused = sum([not self._ingest(each, brand, options) for each in files])
        if refused:
            raise CommandError(f"{refused} of {len(files)} could not be read.")

    def _ingest(self, path: Path, brand: Brand | None, options: dict[str, Any]) -> bool:
        try:
            added = add_document(
                name=path.name, content=path.read_bytes(), by=None, brand=brand, platform=options["platform"], title=options["title"]
            )  # fmt: skip
        except (ValidationError, OSError) as error:
            self.stderr.write(f"{path.name}: {' '.join(getattr(error, 'messages', [str(error)]))}")
            return False
        index_document(str(added.row.public_id))
        row = GuidelineDocument.objects.get(pk=added.row.pk)
        self.stdout.write(
            f"{path.name}: {added.what}, {row.get_state_display().lower()}, {row.passages} passages"
        )
        for each in row.all_problems:
            self.stdout.write(f"  {each.message} {each.remedy}")
        return row.state != row.State.REFUSED


def _files(paths: list[str]) -> Iterator[Path]:
    for each in map(Path, paths):
        if not each.exists():
            raise CommandError(f"There is no {each}.")
        if each.is_dir():
            yield from sorted(one for one in each.iterdir() if one.suffix.lower().lstrip(".") in SUFFIXES)
        else:
            yield each

"""Guideline files come in, are read with their pages and headings, replaced, deleted, and flagged where they can't be read."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from copilot.guidelines import indexing
from copilot.guidelines.extraction import closed_up, extract, is_letter_spaced
from copilot.guidelines.library import add_document, delete_document
from copilot.guidelines.passages import passages_of
from copilot.models import GuidelineChunk, GuidelineDocument, GuidelineVocabulary
from copilot.tests.guideline_world import GUIDE, read, shared_file
from governance.tables import Refused
from governance.tests.factories import BrandFactory, UserFactory

pytestmark = pytest.mark.django_db


def pdf(**options):
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if "password" in options:
        writer.encrypt(options["password"])
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx(*paragraphs):
    from docx import Document

    document = Document()
    for style, text in paragraphs:
        document.add_paragraph(text, style=style)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_markdown_file_keeps_its_headings_as_sections():
    row = read("acme.md", GUIDE, brand=BrandFactory())
    assert (row.state, row.progress, row.title) == ("READY", 100, "Acme brand guidelines")
    chunk = row.chunks.first()
    assert chunk.section.startswith("Acme brand guidelines") and "clear space" in chunk.text
    assert len(bytes(chunk.vectors)) % 2048 == 0 and chunk.vectors


def test_a_docx_is_read_with_its_headings():
    row = read("a.docx", docx(("Heading 1", "Logo"), ("Normal", "Never rotate the logo of the house.")))
    assert row.state == "READY" and row.chunks.get().section == "Logo"


def test_a_pdf_keeps_its_page_numbers():
    row = read("dotnet.pdf", shared_file("dotnet-brand-guidelines.pdf").read_bytes())
    assert row.pages == 35 and row.passages > 10
    assert row.state == "FLAGGED" and row.all_problems[0].params["pages"] == "35", (
        "its last page is a picture"
    )
    assert max(each.page for each in row.chunks.all()) > 20


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("locked.pdf", pdf(password="secret"), "guideline.encrypted"),
        ("torn.pdf", b"%PDF-1.7 nothing of it", "guideline.broken"),
        ("blank.pdf", pdf(), "guideline.empty"),
        ("torn.docx", b"PK not a zip", "guideline.broken"),
        ("locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "guideline.encrypted"),
        ("binary.txt", b"\x00\x01\x02" * 400, "guideline.broken"),
    ],
)
def test_what_cannot_be_read_is_flagged_with_what_to_do(name, content, code):
    row = read(name, content)
    assert row.state == "REFUSED" and row.all_problems[0].code == code
    assert row.all_problems[0].message and row.all_problems[0].remedy
    assert not row.chunks.exists()


def test_a_file_of_pictures_is_flagged():
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (60, 60), "red").save(out, "PDF")
    row = read("scan.pdf", out.getvalue())
    assert row.state == "REFUSED" and row.all_problems[0].code == "guideline.image_only"


def test_too_many_pages_and_too_many_bytes_are_refused(settings):
    settings.GUIDELINE_MAX_PAGES = 0
    assert read("long.pdf", pdf()).all_problems[0].code == "guideline.too_many_pages"
    settings.GUIDELINE_MAX_BYTES = 10
    with pytest.raises(Exception, match="larger than"):
        add_document(name="big.txt", content=b"x" * 11, by=None)


def test_letter_spaced_text_is_seen_and_closed_where_words_can_be_told():
    spread = "\n".join("N e v e r   r o t a t e   t h e   l o g o" for _line in range(3))
    assert is_letter_spaced(spread) and closed_up(spread).startswith("Never rotate the logo")
    assert closed_up("N e v e r r o t a t e t h e l o g o o f t h e h o u s e") == ""
    assert not is_letter_spaced(
        "I am a plain sentence, and a long one, with words of which few have one letter only here."
    )


def test_the_same_file_again_changes_nothing_and_a_changed_one_replaces_its_passages():
    brand = BrandFactory()
    first = read("acme.md", GUIDE, brand=brand)
    assert add_document(name="acme.md", content=GUIDE.encode(), by=None, brand=brand).what == "unchanged"
    second = read("acme.md", "# New\n\nOnly the zebra stands here now.", brand=brand)
    assert second.pk == first.pk and GuidelineDocument.objects.count() == 1
    assert [each.text for each in second.chunks.all()] == ["New\nOnly the zebra stands here now."]


def test_deletion_takes_it_out_of_everything(django_capture_on_commit_callbacks):
    row = read("acme.md", GUIDE)
    storage, name = row.file.storage, row.file.name
    assert storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        delete_document(row=row, by=UserFactory(is_superuser=True))
    assert not storage.exists(name)
    assert not GuidelineChunk.objects.exists() and not GuidelineVocabulary.objects.exists()


def test_a_file_that_became_unreadable_is_found_no_more():
    read("acme.md", GUIDE)
    row = read("acme.md", b"\x00\x01" * 900)
    assert row.state == "REFUSED" and not row.chunks.exists()


def test_a_document_whose_worker_was_lost_is_read_by_another(monkeypatch):
    row = add_document(name="acme.md", content=GUIDE.encode(), by=None).row
    GuidelineDocument.objects.filter(pk=row.pk).update(state="READING", touched_at="2020-01-01T00:00:00Z")
    asked = []
    monkeypatch.setattr("copilot.tasks.index_guideline.delay", asked.append)
    assert indexing.sweep() == 1 and asked == [str(row.public_id)]
    assert indexing.index_document(asked[0]) == "READY"
    assert indexing.index_document(asked[0]) == "", "delivered twice, done once"


def test_the_command_reads_folders_and_tells_what_could_not_be_read(tmp_path, capsys):
    (tmp_path / "a.md").write_text(GUIDE)
    (tmp_path / "b.pdf").write_bytes(b"%PDF torn")
    with pytest.raises(CommandError, match="1 of 2"):
        call_command("ingest_guidelines", str(tmp_path))
    out = capsys.readouterr().out
    assert "a.md: new, ready" in out and "damaged" in out


def test_no_passage_is_much_longer_than_two_hundred_words():
    text = "\n\n".join(f"Paragraph {at} " + "word " * (at % 90) for at in range(200)) + "long " * 900
    passages = passages_of(extract("a.txt", text.encode(), most_pages=9).pieces)
    assert max(len(each.text.split()) for each in passages) <= 200
    assert sum(len(each.text.split()) for each in passages) == len(text.split())


def test_a_type_that_nobody_reads_is_refused():
    with pytest.raises(Refused):
        extract("a.exe", b"MZ", most_pages=9)

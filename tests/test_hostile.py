"""Hostile and broken files: each case is a builder, and beside it stands the fact that falls or the problem told.

Every file goes through the HTTP API, and so through the process apart with its 10 seconds and 512 MB that the command
line uses too. `FALLS` says which facts are false; a file that cannot be read has a problem instead, and no facts.
"""

import base64
import importlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import pikepdf
import pytest
import rdocx
from asn1crypto import cms
from flask import Flask
from pikepdf import Array, Dictionary, Name, Stream, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, PdfTimeStamper, SimpleSigner, fields
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.timestamps.aiohttp_client import HTTPTimeStamper

from pepforms import forms, settings, trial
from pepforms.archive.seal import Sealer
from pepforms.archive.stamp import Embedded, Stamp, finish
from pepforms.archive.timestamp import Authority
from pepforms.archive.trust import Trust
from pepforms.digest import canonical, pep_digest
from pepforms.errors import Refused
from pepforms.web import create_app
from pepforms.wiring import Wiring
from pepforms.workers import Pool, calls

# --- what the cases are built from -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Material:
    """A record that holds, what it was made from, the key that sealed it, and a stranger's key."""

    converted: bytes
    finished: bytes
    record: bytes
    sealer: Sealer
    stranger: Sealer
    key: Path
    authorities: Any

    @property
    def gap(self) -> tuple[int, int]:
        """Where the digits of the seal's container begin and end."""
        return gap(self.record)

    def sealed(self, change: Callable[[pikepdf.Pdf], object]) -> bytes:
        """What the authority itself would have sealed, had its PDF been changed so."""
        return self.sealer.seal(rewritten(self.finished, change))

    def carrying(self, data: bytes) -> bytes:
        """A record with other data in it, sealed by the authority."""
        return self.sealer.seal(finish(self.converted, title="PEP", embedded=embedded(data)))


def pep() -> dict[str, Any]:
    value: dict[str, Any] = {"pep": {"id": "PEP-2026-0042", "version": 2}, "child": {"lcs_person_id": "L-1234"}}
    value["sign_offs"] = [{"role": "virtual_school_officer", "name": "Sasha Mockworth", "digest": pep_digest(value)}]
    return value


def embedded(data: bytes) -> Embedded:
    return Embedded("pep.json", data, "application/json", "The data of this PEP")


STAMP = Stamp("Signed off by the Virtual School on 19 November 2026", ("Sasha Mockworth", "PEP-2026-0042, version 2"))


def word(*paragraphs: str) -> bytes:
    document, buffer = docx.Document(), io.BytesIO()
    document.add_heading("Personal Education Plan", 1)
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.add_page_break()
    document.add_paragraph("The second page.")
    document.save(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def material(authorities: Any) -> Material:
    converted = bytes(rdocx.Document.from_bytes(word("An invented plan.")).to_pdfa_deterministic("pdfa-3b"))
    finished = finish(converted, title="PEP", stamp=STAMP, embedded=embedded(canonical(pep())))
    key = authorities.key_file("seal")
    sealer = Sealer.load(key, None)
    return Material(
        converted,
        finished,
        sealer.seal(finished),
        sealer,
        Sealer.read(authorities.key_file("no-clock"), None),  # trusted for nothing here
        key,
        authorities,
    )


def gap(record: bytes) -> tuple[int, int]:
    found = re.search(rb"/Contents <([0-9A-Fa-f]+)>", record)
    assert found
    return found.span(1)


def rewritten(data: bytes, change: Callable[[pikepdf.Pdf], object], **options: Any) -> bytes:
    """The PDF changed and written anew, as any program would."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        change(document)
        document.save(out, fix_metadata_version=False, **options)
    return out.getvalue()


def added(data: bytes, change: Callable[[IncrementalPdfFileWriter], object]) -> bytes:
    """The PDF with a later revision appended, its own bytes untouched."""
    writer, out = IncrementalPdfFileWriter(io.BytesIO(data)), io.BytesIO()
    change(writer)
    writer.write(out)
    return out.getvalue()


def raw(*objects: bytes, end: bytes = b"", header: bytes = b"%PDF-1.7\n") -> bytes:
    """A PDF of these objects, numbered from 1, the first being its catalogue."""
    out, places = bytearray(header), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, end, start)
    return bytes(out)


CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def deflated(data: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


def zeros(megabytes: int) -> bytes:
    """Zeros, deflated without ever being held whole."""
    squeeze = zlib.compressobj(9)
    pieces = [squeeze.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return b"".join(pieces) + squeeze.flush()


# --- the table -------------------------------------------------------------------------------------------------------

Builder = Callable[[Material], bytes]
CASES: dict[str, tuple[Builder, list[str] | str]] = {}
"""Each case by its name: how it is built, and the facts that are false or the problem's slug."""


def falls(*facts: str) -> Callable[[Builder], Builder]:
    """The facts about the file that are false, every one and no other."""
    return _case(sorted(facts))


def problem(slug: str) -> Callable[[Builder], Builder]:
    """The file cannot be read, and this is why."""
    return _case(slug)


def _case(expected: list[str] | str) -> Callable[[Builder], Builder]:
    def register(builder: Builder) -> Builder:
        CASES[builder.__name__] = builder, expected
        return builder

    return register


# Broken files


@problem("not-a-pdf")
def empty(m: Material) -> bytes:
    return b""


@problem("not-a-pdf")
def web_page(m: Material) -> bytes:
    return b"<html><body>Please sign in</body></html>"


@problem("not-a-pdf")
def word_file(m: Material) -> bytes:
    return word()


@problem("damaged-pdf")
def header_alone(m: Material) -> bytes:
    return b"%PDF-1.7\n%%EOF\n"


@problem("damaged-pdf")
def cut_short_in_the_middle(m: Material) -> bytes:
    return m.record[: len(m.record) // 2]


@problem("damaged-pdf")
def cut_short_in_the_container(m: Material) -> bytes:
    return m.record[: m.gap[0] + 100]


@problem("damaged-pdf")
def noise_between_header_and_end(m: Material) -> bytes:
    return b"%PDF-1.7\n" + bytes(range(256)) * 40 + b"\n%%EOF\n"


@problem("damaged-pdf")
def cross_references_beyond_the_end(m: Material) -> bytes:
    return b"%PDF-1.7\nstartxref\n99999999\n%%EOF\n"


@falls("seal.present", "data.embedded")
def cross_references_that_are_wrong(m: Material) -> bytes:
    return re.sub(rb"\d{10} 00000 n", b"0000000007 00000 n", raw(CATALOGUE, PAGES, PAGE))


@falls("seal.present", "data.embedded")
def cross_references_that_loop(m: Material) -> bytes:
    made = raw(CATALOGUE, PAGES, PAGE)
    return raw(CATALOGUE, PAGES, PAGE, end=b"/Prev %d" % made.index(b"xref"))


@problem("damaged-pdf")
def cross_reference_stream_of_lies(m: Material) -> bytes:
    table = stream(b"\0" * 8, b"/Type /XRef /Size 999999999 /W [9 9 9] /Index [0 999999999] /Root 1 0 R")
    return b"%PDF-1.7\n1 0 obj\n" + table + b"\nendobj\nstartxref\n9\n%%EOF\n"


@problem("damaged-pdf")
def cross_reference_stream_of_twenty_million_objects(m: Material) -> bytes:
    entries = b"/Type /XRef /Size 20000000 /W [1 1 1] /Root 1 0 R /Filter /FlateDecode"
    return b"%PDF-1.7\n1 0 obj\n" + stream(zeros(60), entries) + b"\nendobj\nstartxref\n9\n%%EOF\n"


@problem("damaged-pdf")
def no_page(m: Material) -> bytes:
    return raw(CATALOGUE, b"<< /Type /Pages /Kids [] /Count 1 >>")


@problem("damaged-pdf")
def pages_that_are_no_pages(m: Material) -> bytes:
    return raw(CATALOGUE, b"(pages)")


@problem("encrypted-pdf")
def locked_with_a_password(m: Material) -> bytes:
    return rewritten(m.record, lambda _: None, encryption=pikepdf.Encryption(owner="o", user="u"))


@problem("encrypted-pdf")
def locked_for_printing_alone(m: Material) -> bytes:
    return rewritten(m.record, lambda _: None, encryption=pikepdf.Encryption(owner="o", user="", R=4))


@problem("encrypted-pdf")
def locked_by_an_unknown_handler(m: Material) -> bytes:
    return raw(CATALOGUE, PAGES, PAGE, b"<< /Filter /Unheard /V 99 >>", end=b"/Encrypt 4 0 R /ID [<00> <00>]")


# Bombs and loops


@problem("damaged-pdf")
def page_tree_that_loops(m: Material) -> bytes:
    return raw(CATALOGUE, b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>")


@problem("damaged-pdf")
def page_tree_of_a_billion_pages(m: Material) -> bytes:
    levels = [
        b"<< /Type /Pages /Count 1000000000 /Kids [%s] >>" % (b"%d 0 R " % (number + 1) * 10) for number in range(2, 11)
    ]
    return raw(CATALOGUE, *levels, PAGE)


@problem("damaged-pdf")
def page_tree_ten_thousand_levels_deep(m: Material) -> bytes:
    levels = [b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % (number + 1) for number in range(2, 10_002)]
    return raw(CATALOGUE, *levels, PAGE)


@problem("damaged-pdf")
def arrays_in_arrays(m: Material) -> bytes:
    return raw(b"<< /Type /Catalog /Pages 2 0 R /Deep %s >>" % (b"[" * 50_000 + b"]" * 50_000), PAGES, PAGE)


@falls("seal.present", "data.embedded")
def page_of_a_million_kilometres(m: Material) -> bytes:
    return raw(CATALOGUE, PAGES, PAGE.replace(b"595 842", b"1e12 1e12"))


@falls("seal.present", "data.embedded")
def content_that_inflates_to_a_gigabyte(m: Material) -> bytes:
    return raw(
        CATALOGUE,
        PAGES,
        PAGE.replace(b"/Parent", b"/Contents 4 0 R /Parent"),
        stream(zeros(1000), b"/Filter /FlateDecode"),
    )


@falls("seal.present", "data.embedded")
def metadata_that_inflate_to_a_gigabyte(m: Material) -> bytes:
    entries = b"/Type /Metadata /Subtype /XML /Filter /FlateDecode"
    return raw(CATALOGUE.replace(b"/Pages", b"/Metadata 4 0 R /Pages"), PAGES, PAGE, stream(zeros(1000), entries))


@falls("seal.present", "data.embedded")
def metadata_deflated_three_times(m: Material) -> bytes:
    entries = b"/Type /Metadata /Subtype /XML /Filter [/FlateDecode /FlateDecode /FlateDecode]"
    return raw(
        CATALOGUE.replace(b"/Pages", b"/Metadata 4 0 R /Pages"), PAGES, PAGE, stream(deflated(zeros(300), 2), entries)
    )


@falls("data.digest_matches_sign_off")
def data_that_inflate_to_a_gigabyte(m: Material) -> bytes:
    return m.sealer.seal(with_data(m.finished, zeros(1000), deflate=True))


@problem("damaged-pdf")
def object_stream_that_inflates_to_a_gigabyte(m: Material) -> bytes:
    return in_object_stream(zeros(1000), b"/N 2 /First 9 /Filter /FlateDecode")


@problem("damaged-pdf")
def object_stream_that_holds_itself(m: Material) -> bytes:
    return in_object_stream(b"1 0 2 9 <</Type/ObjStm>> ", b"/N 2 /First 8 /Extends 4 0 R", own=True)


@falls("seal.present", "data.embedded")
def stream_that_says_it_is_longer_than_the_file(m: Material) -> bytes:
    return raw(CATALOGUE, PAGES, PAGE, stream(b"x", b"").replace(b"/Length 1", b"/Length 4000000000"))


@falls("seal.present", "data.embedded")
def attachments_in_a_tree_that_loops(m: Material) -> bytes:
    names = b"/Names << /EmbeddedFiles 4 0 R >> /Pages"
    return raw(CATALOGUE.replace(b"/Pages", names), PAGES, PAGE, b"<< /Kids [4 0 R 4 0 R] >>")


@falls("seal.present", "data.embedded")
def attachments_in_a_tree_that_doubles_thirty_times(m: Material) -> bytes:
    names = b"/Names << /EmbeddedFiles 4 0 R >> /Pages"
    levels = [b"<< /Kids [%d 0 R %d 0 R] >>" % (number + 1, number + 1) for number in range(4, 34)]
    return raw(CATALOGUE.replace(b"/Pages", names), PAGES, PAGE, *levels, b"<< /Names [] >>")


@falls("seal.present", "data.embedded")
def form_whose_fields_loop(m: Material) -> bytes:
    form = b"/AcroForm << /Fields [4 0 R] >> /Pages"
    return raw(CATALOGUE.replace(b"/Pages", form), PAGES, PAGE, b"<< /T (a) /FT /Sig /Kids [4 0 R 4 0 R] >>")


@falls("seal.present", "data.embedded")
def form_whose_fields_double_thirty_times(m: Material) -> bytes:
    form = b"/AcroForm << /Fields [4 0 R] >> /Pages"
    levels = [b"<< /T (a) /Kids [%d 0 R %d 0 R] >>" % (number + 1, number + 1) for number in range(4, 34)]
    return raw(CATALOGUE.replace(b"/Pages", form), PAGES, PAGE, *levels, b"<< /T (a) /FT /Sig >>")


@falls("seal.present", "data.embedded")
def form_of_a_hundred_thousand_fields(m: Material) -> bytes:
    form = b"/AcroForm << /Fields [%s] >> /Pages" % (b"4 0 R " * 100_000)
    return raw(CATALOGUE.replace(b"/Pages", form), PAGES, PAGE, b"<< /T (a) /FT /Sig >>")


@falls("seal.present", "data.digest_matches_sign_off")
def names_that_refer_to_each_other(m: Material) -> bytes:
    return raw(CATALOGUE.replace(b"/Pages", b"/Metadata 4 0 R /Names 5 0 R /Pages"), PAGES, PAGE, b"5 0 R", b"4 0 R")


def with_data(pdf: bytes, data: bytes, *, deflate: bool = False) -> bytes:
    """The PDF with other bytes in its attachment, as they are."""

    def change(document: pikepdf.Pdf) -> None:
        file = document.Root.AF[0].EF.F
        file.write(data, filter=Name.FlateDecode if deflate else None)

    return rewritten(pdf, change)


def in_object_stream(data: bytes, entries: bytes, *, own: bool = False) -> bytes:
    """A PDF whose catalogue and pages are said to lie in an object stream."""
    out = bytearray(b"%PDF-1.7\n")
    place = len(out)
    out += b"4 0 obj\n" + stream(data, b"/Type /ObjStm " + entries) + b"\nendobj\n"
    start = len(out)
    rows = [(0, 0, 65535), (2, 4, 0), (2, 4, 1), (2, 4, 0), (2, 4, 0) if own else (1, place, 0), (1, start, 0)]
    table = b"".join(struct.pack(">BIH", *row) for row in rows)
    out += b"5 0 obj\n" + stream(table, b"/Type /XRef /Size 6 /W [1 4 2] /Root 1 0 R") + b"\nendobj\n"
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


# Never sealed


@falls("seal.present")
def never_sealed(m: Material) -> bytes:
    return m.finished


@falls("seal.present", "data.embedded")
def stamp_imitated_without_a_seal(m: Material) -> bytes:
    text = f"{STAMP.heading}. Sealed by the London Borough of Testing. " + " ".join(STAMP.lines)
    pdf = finish(bytes(rdocx.Document.from_bytes(word(text)).to_pdfa_deterministic("pdfa-3b")), title="PEP")
    return pdf.replace(b"<pdfaid:part>2<", b"<pdfaid:part>3<")


@falls("seal.present")
def seal_field_without_a_seal(m: Material) -> bytes:
    return added(m.finished, lambda writer: fields.append_signature_field(writer, fields.SigFieldSpec("Seal")))


@falls("seal.present")
def form_of_xfa(m: Material) -> bytes:
    def change(document: pikepdf.Pdf) -> None:
        xfa = Stream(document, b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>")
        document.Root.AcroForm = document.make_indirect(Dictionary(Fields=Array(), XFA=xfa))

    return rewritten(m.finished, change)


@falls("seal.present")
def script_that_runs_when_opened(m: Material) -> bytes:
    return rewritten(m.finished, add_script)


def add_script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert('x')"))


# Metadata


@falls()
def metadata_that_are_no_xml(m: Material) -> bytes:
    """It claims nothing that can be read, so nothing that it claims is false."""
    return m.sealed(lambda document: document.Root.Metadata.write(b"<x:xmpmeta"))


def xmp(inner: bytes, prologue: bytes = b"") -> bytes:
    return (
        prologue
        + b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        + b'<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
        + inner
        + b"</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


LAUGHS = b"<!DOCTYPE x [<!ENTITY a 'ha'>" + b"".join(
    b"<!ENTITY %c '%s'>" % (letter, b"&%c;" % (letter - 1) * 10) for letter in range(ord("b"), ord("k"))
)


@falls()
def metadata_of_a_billion_laughs(m: Material) -> bytes:
    packet = xmp(b"<pdfaid:part>&j;</pdfaid:part>", LAUGHS + b"]>")
    return m.sealed(lambda document: document.Root.Metadata.write(packet))


@falls("seal.present", "data.embedded")
def metadata_of_ten_million_elements(m: Material) -> bytes:
    squeezed = zlib.compress(xmp(b"<a/>" * 10_000_000), 1)
    entries = b"/Type /Metadata /Subtype /XML /Filter /FlateDecode"
    return raw(CATALOGUE.replace(b"/Pages", b"/Metadata 4 0 R /Pages"), PAGES, PAGE, stream(squeezed, entries))


@falls()
def metadata_that_read_a_file_of_ours(m: Material) -> bytes:
    packet = xmp(b"<pdfaid:part>&f;</pdfaid:part>", b"<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/hostname'>]>")
    return m.sealed(lambda document: document.Root.Metadata.write(packet))


@falls()
def metadata_that_claim_what_is_no_standard(m: Material) -> bytes:
    packet = xmp(b"<pdfaid:part>\x1b[2J=cmd()</pdfaid:part>".replace(b"\x1b", b"&#9;"))
    return m.sealed(lambda document: document.Root.Metadata.write(packet))


# Data


@falls("data.digest_matches_sign_off")
def data_changed_after_sign_off(m: Material) -> bytes:
    return m.carrying(canonical({**pep(), "child": {"lcs_person_id": "L-9999"}}))


@falls("data.digest_matches_sign_off")
def data_that_nobody_signed_off(m: Material) -> bytes:
    return m.carrying(canonical({**pep(), "sign_offs": []}))


@falls("data.digest_matches_sign_off")
def data_with_a_key_twice(m: Material) -> bytes:
    return m.carrying(canonical(pep()).replace(b'{"child"', b'{"child":{"lcs_person_id":"L-9"},"child"'))


@falls("data.digest_matches_sign_off")
def data_nested_a_million_deep(m: Material) -> bytes:
    return m.carrying(b"[" * 1_000_000)


@falls("data.digest_matches_sign_off")
def data_of_a_number_of_a_million_digits(m: Material) -> bytes:
    return m.carrying(b'{"pep":{"version":' + b"9" * 1_000_000 + b"}}")


@falls("data.digest_matches_sign_off")
def data_larger_than_any_pep(m: Material) -> bytes:
    return m.sealer.seal(with_data(m.finished, zlib.compress(b'{"a":"' + b"a" * 30_000_000 + b'"}'), deflate=True))


@falls("data.digest_matches_sign_off")
def data_of_a_million_objects(m: Material) -> bytes:
    text = b'{"a":[' + b"{}," * 1_000_000 + b"{}]}"
    return m.sealer.seal(with_data(m.finished, zlib.compress(text), deflate=True))


@falls("data.digest_matches_sign_off")
def data_in_another_encoding(m: Material) -> bytes:
    return m.carrying(canonical(pep()).decode().encode("utf-16"))


@falls("data.digest_matches_sign_off")
def data_twice(m: Material) -> bytes:
    def change(document: pikepdf.Pdf) -> None:
        names = document.Root.Names.EmbeddedFiles.Names
        for item in list(names):
            names.append(item)

    return m.sealed(change)


@falls("data.embedded")
def data_taken_out_before_the_seal(m: Material) -> bytes:
    def change(document: pikepdf.Pdf) -> None:
        del document.Root.Names
        del document.Root.AF

    return m.sealed(change)


# Changed where it lies


@falls("seal.intact", "seal.trusted")
def one_byte_of_a_comment(m: Material) -> bytes:
    changed = bytearray(m.record)
    changed[11] ^= 1
    return bytes(changed)


@problem("damaged-pdf")
def one_byte_of_the_page_tree(m: Material) -> bytes:
    """It lies deflated in an object stream, which then inflates no more."""
    changed = bytearray(m.record)
    changed[m.record.index(b"stream") + 20] ^= 1
    return bytes(changed)


@falls("seal.intact")
def a_line_before_the_header(m: Material) -> bytes:
    return b"\n" + m.record


@falls("seal.covers_whole_document")
def a_line_after_the_end(m: Material) -> bytes:
    return m.record + b"\n"


@falls("seal.covers_whole_document")
def a_second_end(m: Material) -> bytes:
    return m.record + m.record[m.record.rindex(b"startxref") :]


@falls("seal.intact", "seal.trusted", "seal.covers_whole_document")
def written_anew_by_another_program(m: Material) -> bytes:
    return rewritten(m.record, lambda _: None)


@falls("seal.intact", "seal.trusted", "seal.covers_whole_document")
def pages_swapped(m: Material) -> bytes:
    def change(document: pikepdf.Pdf) -> None:
        document.Root.Pages.Kids = Array(reversed(list(document.Root.Pages.Kids)))

    return rewritten(m.record, change)


@falls("seal.present")
def seal_taken_away(m: Material) -> bytes:
    def change(document: pikepdf.Pdf) -> None:
        del document.Root.AcroForm
        for page in document.Root.Pages.Kids:
            if "/Annots" in page:
                del page.Annots

    return rewritten(m.record, change)


# Later revisions


def page_number(writer: IncrementalPdfFileWriter, number: int) -> generic.DictionaryObject:
    reference, _ = writer.find_page_for_modification(number)
    return reference.get_object()


@falls("seal.covers_whole_document")
def page_added(m: Material) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        page = generic.DictionaryObject({generic.pdf_name("/Type"): generic.pdf_name("/Page")})
        writer.insert_page(page)

    return added(m.record, change)


@falls("seal.covers_whole_document")
def pages_swapped_in_a_revision(m: Material) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/Pages"]["/Kids"].reverse()
        writer.mark_update(writer.root.raw_get("/Pages"))

    return added(m.record, change)


@falls("seal.covers_whole_document")
def note_added(m: Material) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        note = generic.DictionaryObject(
            {
                generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
                generic.pdf_name("/Subtype"): generic.pdf_name("/FreeText"),
                generic.pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842))),
                generic.pdf_name("/Contents"): generic.pdf_string("Agreed by nobody"),
            }
        )
        reference, _ = writer.find_page_for_modification(0)
        reference.get_object()["/Annots"] = generic.ArrayObject([writer.add_object(note)])
        writer.mark_update(reference)

    return added(m.record, change)


@falls("seal.covers_whole_document")
def form_value_added(m: Material) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        field = generic.DictionaryObject(
            {
                generic.pdf_name("/FT"): generic.pdf_name("/Tx"),
                generic.pdf_name("/T"): generic.pdf_string("outcome"),
                generic.pdf_name("/V"): generic.pdf_string("met"),
            }
        )
        form = writer.root["/AcroForm"]
        form["/Fields"].append(writer.add_object(field))
        writer.update_root()
        writer.update_container(form)

    return added(m.record, change)


@falls("seal.covers_whole_document", "data.digest_matches_sign_off")
def attachment_replaced(m: Material) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        file = writer.root["/AF"][0]["/EF"]
        other = generic.StreamObject(stream_data=canonical({**pep(), "child": {"lcs_person_id": "L-9999"}}))
        file[generic.pdf_name("/F")] = file[generic.pdf_name("/UF")] = writer.add_object(other)
        writer.update_container(file)

    return added(m.record, change)


@falls("seal.covers_whole_document")
def metadata_replaced(m: Material) -> bytes:
    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/Metadata"] = writer.add_object(generic.StreamObject(stream_data=xmp(b"")))
        writer.update_root()

    return added(m.record, change)


@falls("seal.covers_whole_document")
def store_of_certificates_added(m: Material) -> bytes:
    """As long-term validation does; a record needs none, for it is archived with what proves it."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/DSS"] = writer.add_object(generic.DictionaryObject())
        writer.update_root()

    return added(m.record, change)


@falls("seal.covers_whole_document")
def shadow_layer_switched_over(m: Material) -> bytes:
    """A hidden layer was prepared before the seal; a later revision shows it."""
    prepared = m.sealer.seal(rewritten(m.finished, add_layer))

    def change(writer: IncrementalPdfFileWriter) -> None:
        state = writer.root["/OCProperties"]["/D"]
        state[generic.pdf_name("/ON")], state[generic.pdf_name("/OFF")] = state["/OFF"], generic.ArrayObject()
        writer.update_container(state)

    return added(prepared, change)


def add_layer(document: pikepdf.Pdf) -> None:
    layer = document.make_indirect(Dictionary(Type=Name.OCG, Name=String("Shadow")))
    document.Root.OCProperties = document.make_indirect(
        Dictionary(OCGs=Array([layer]), D=Dictionary(ON=Array(), OFF=Array([layer])))
    )


@falls("seal.intact", "seal.trusted", "seal.covers_whole_document")
def shadow_seal_put_over_the_first(m: Material) -> bytes:
    """A later revision replaces the seal's own object by one that points at other bytes."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        seal = writer.root["/AcroForm"]["/Fields"][0]["/V"]
        seal[generic.pdf_name("/ByteRange")] = generic.ArrayObject(map(generic.NumberObject, (0, 9, 20, 9)))
        writer.update_container(seal)

    return added(m.record, change)


# Seals that are another's


def signed_elsewhere(
    m: Material, pdf: bytes, *chain: str, field: str = "Seal", key: str = "seal-rsa", **how: Any
) -> bytes:
    """The PDF signed by another program (plain pyHanko), with a key whose authority is trusted here."""
    files = {name: m.authorities.certificate_file(name) for name in (key, *chain)}
    signer = SimpleSigner.load(
        str(m.authorities.folder / f"{key}.key"), str(files[key]), ca_chain_files=[str(files[name]) for name in chain]
    )
    out = io.BytesIO()
    meta = PdfSignatureMetadata(field, **{"md_algorithm": "sha256", "subfilter": SigSeedSubFilter.PADES, **how})
    PdfSigner(meta, signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out)
    return out.getvalue()


@falls("seal.intact")
def seal_of_another_program_with_a_key_that_is_trusted(m: Material) -> bytes:
    """The issuer's certificate lies in it, but nothing that is signed names it."""
    return signed_elsewhere(m, m.finished, "issuer")


@falls("seal.intact", "seal.covers_whole_document")
def second_seal_over_the_first(m: Material) -> bytes:
    return signed_elsewhere(m, signed_elsewhere(m, m.finished, "issuer"), field="Second", key="clock")


@falls("seal.trusted")
def seal_of_another_authority(m: Material) -> bytes:
    return m.stranger.seal(m.finished)


@falls("seal.trusted", "data.digest_matches_sign_off")
def forged_whole_by_a_stranger(m: Material) -> bytes:
    changed = canonical({**pep(), "child": {"lcs_person_id": "L-9999"}})
    return m.stranger.seal(finish(m.converted, title="PEP", stamp=STAMP, embedded=embedded(changed)))


@falls("seal.trusted")
def seal_of_another_program_without_its_issuer(m: Material) -> bytes:
    return signed_elsewhere(m, m.finished)


@falls("seal.trusted")
def seal_of_another_program_that_permits_changes(m: Material) -> bytes:
    return signed_elsewhere(m, m.finished, certify=True, docmdp_permissions=MDPPerm.ANNOTATE)


@falls("seal.trusted")
def seal_by_the_old_way_of_adobe(m: Material) -> bytes:
    return signed_elsewhere(m, m.finished, subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED)


@falls("seal.intact", "seal.trusted")
def seal_by_sha1(m: Material) -> bytes:
    return signed_elsewhere(m, m.finished, md_algorithm="sha1")


@falls("seal.intact", "seal.trusted")
def container_of_another_record(m: Material) -> bytes:
    begin, end = m.gap
    other = m.sealer.seal(finish(m.converted, title="Another"))
    digits = other[slice(*gap(other))]
    return m.record[:begin] + digits.ljust(end - begin, b"0")[: end - begin] + m.record[end:]


@falls("seal.intact")
def timestamp_of_the_document_in_place_of_a_seal(m: Material) -> bytes:
    clock, out = HTTPTimeStamper(m.authorities.clock("clock-rsa")), io.BytesIO()
    PdfTimeStamper(clock).timestamp_pdf(IncrementalPdfFileWriter(io.BytesIO(m.finished)), "sha256", output=out)
    return out.getvalue()


@falls("seal.trusted", "seal.time_proven")
def timestamp_by_a_stranger(m: Material) -> bytes:
    """The stranger sealed it and had the time proven by an authority that nobody trusts here."""
    clocks = Trust((), (m.authorities.pem("clocks-root"),))
    clock = Authority(m.authorities.clock("clock"), clocks)
    return Sealer.read(m.authorities.key_file("no-clock"), None, clock).seal(m.finished)


# The byte range


def range_as(record: bytes, numbers: str) -> bytes:
    found = re.search(rb"/ByteRange \[[^]]*\] *", record)
    assert found
    written = f"/ByteRange [{numbers}]".encode()
    return record[: found.start()] + written.ljust(found.end() - found.start()) + record[found.end() :]


@falls("seal.intact", "seal.trusted", "seal.covers_whole_document")
def byte_range_that_leaves_out_more_before(m: Material) -> bytes:
    begin, end = m.gap
    return range_as(m.record, f"0 {begin - 50} {end + 1} {len(m.record) - end - 1}")


@falls("seal.intact", "seal.trusted", "seal.covers_whole_document")
def byte_range_that_leaves_out_the_end(m: Material) -> bytes:
    begin, end = m.gap
    return range_as(m.record, f"0 {begin - 1} {end + 1} 10")


@falls("seal.intact", "seal.trusted", "seal.covers_whole_document")
def byte_range_that_leaves_out_the_beginning(m: Material) -> bytes:
    begin, end = m.gap
    return range_as(m.record, f"9 {begin - 10} {end + 1} {len(m.record) - end - 1}")


@falls("seal.intact", "seal.trusted", "seal.covers_whole_document")
def byte_range_of_nothing(m: Material) -> bytes:
    return range_as(m.record, "0 0 0 0")


@falls("seal.intact", "seal.trusted", "seal.covers_whole_document")
def byte_range_of_six_numbers(m: Material) -> bytes:
    begin, end = m.gap
    return range_as(m.record, f"0 {begin - 1} {end + 1} 9 {end + 10} 9")


@falls("seal.intact", "seal.trusted", "seal.covers_whole_document")
def byte_range_below_zero(m: Material) -> bytes:
    return range_as(m.record, "0 -1 5 -9")


@falls("seal.present")
def byte_range_that_is_missing(m: Material) -> bytes:
    return m.record.replace(b"/ByteRange", b"/BateRynge")


@falls("seal.intact", "seal.covers_whole_document")
def byte_range_of_words(m: Material) -> bytes:
    return range_as(m.record, "/a /b /c /d")


# The container


def contained(m: Material, digits: bytes) -> bytes:
    begin, end = m.gap
    assert len(digits) == end - begin
    return m.record[:begin] + digits + m.record[end:]


@falls("seal.intact")
def container_in_small_letters(m: Material) -> bytes:
    return contained(m, m.record[slice(*m.gap)].lower())


@falls("seal.intact")
def container_with_one_small_letter(m: Material) -> bytes:
    return contained(m, re.sub(rb"[A-F]", lambda found: found[0].lower(), m.record[slice(*m.gap)], count=1))


@falls("seal.intact")
def container_padded_with_something(m: Material) -> bytes:
    return contained(m, m.record[slice(*m.gap)][:-2] + b"01")


@falls("seal.intact")
def container_padded_with_a_blank(m: Material) -> bytes:
    return contained(m, m.record[slice(*m.gap)][:-1] + b" ")


@falls("seal.intact")
def container_with_a_stranger_certificate(m: Material) -> bytes:
    return reassembled(m, lambda data: data["certificates"].append(certificate_of(m, "clock")))


@falls("seal.intact")
def container_with_an_attribute_added(m: Material) -> bytes:
    attribute = {"type": "1.2.3.4", "values": [cms.Any(cms.OctetString(b"anything"))]}
    return reassembled(m, lambda data: data["signer_infos"][0].__setitem__("unsigned_attrs", [attribute]))


@falls("seal.intact")
def container_of_two_signers(m: Material) -> bytes:
    return reassembled(m, lambda data: data["signer_infos"].append(data["signer_infos"][0].copy()))


@falls("seal.intact", "seal.valid", "seal.trusted")
def signature_of_zeros(m: Material) -> bytes:
    def change(data: cms.SignedData) -> None:
        data["signer_infos"][0]["signature"] = bytes(len(data["signer_infos"][0]["signature"].native))

    return reassembled(m, change)


@falls("seal.intact")
def container_of_zeros(m: Material) -> bytes:
    begin, end = m.gap
    return contained(m, b"0" * (end - begin))


def certificate_of(m: Material, name: str) -> cms.CertificateChoices:
    pem = m.authorities.pem(name)
    return cms.CertificateChoices.load(base64.b64decode(b"".join(pem.splitlines()[1:-1])))


def reassembled(m: Material, change: Callable[[cms.SignedData], object]) -> bytes:
    begin, end = m.gap
    whole = cms.ContentInfo.load(bytes.fromhex(m.record[begin:end].decode()))
    change(whole["content"])
    digits: bytes = whole.dump(force=True).hex().upper().encode()
    # The container must have room for what is added, so the record was sealed with some to spare where it grows.
    return resized(m.record, digits)


def resized(record: bytes, digits: bytes) -> bytes:
    """The record with other digits in its container, its byte range still right."""
    begin, end = gap(record)
    size = max(len(digits), end - begin)
    longer = record[:begin] + digits.ljust(size, b"0") + record[end:]
    return (
        range_as(longer, f"0 {begin - 1} {begin + size + 1} {len(record) - end - 1}") if size != end - begin else longer
    )


# --- Word files ------------------------------------------------------------------------------------------------------

WORD_CASES: dict[str, tuple[Callable[[], bytes], str]] = {}
"""Each Word file by its name: how it is built, and the slug that refuses it."""


def refused(slug: str) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """What is told of a Word file that is sent as a template."""

    def register(builder: Callable[[], bytes]) -> Callable[[], bytes]:
        WORD_CASES[builder.__name__] = builder, slug
        return builder

    return register


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def word_with(part: str, change: Callable[[bytes], bytes]) -> bytes:
    parts = parts_of(word("A paragraph."))
    return zipped({**parts, part: change(parts.get(part, b""))})


TEXT, RELATIONSHIPS, TYPES = "word/document.xml", "word/_rels/document.xml.rels", "[Content_Types].xml"


@refused("not-a-word-file")
def word_empty() -> bytes:
    return b""


@refused("not-a-word-file")
def word_cut_short() -> bytes:
    return word()[:-200]


@refused("not-a-word-file")
def word_of_the_old_kind() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096)


@refused("not-a-word-file")
def word_without_text() -> bytes:
    return zipped({TYPES: b"<Types/>"})


@refused("not-a-word-file")
def word_of_a_zip_in_a_zip() -> bytes:
    inner = zipped({"word/document.xml": bytes(1 << 20)})
    for _ in range(5):
        inner = zipped({"inner.zip": inner})
    return inner


@refused("too-large")
def word_that_inflates_to_much() -> bytes:
    return zipped({TYPES: b"<Types/>", TEXT: bytes(101 << 20)})


@refused("too-large")
def word_of_too_many_parts() -> bytes:
    return zipped({TYPES: b"<Types/>", TEXT: b"<w/>", **{f"word/{number}.xml": b"" for number in range(2001)}})


@refused("not-a-word-file")
def word_that_lies_about_its_size() -> bytes:
    data = zipped({TYPES: b"<Types/>", TEXT: bytes(60 << 20)})
    return data.replace(struct.pack("<I", 60 << 20), struct.pack("<I", 100))


@refused("not-a-word-file")
def word_whose_sum_is_wrong() -> bytes:
    data = zipped({TYPES: b"<Types/>", TEXT: b"<w:document/>"})
    return data.replace(struct.pack("<I", zlib.crc32(b"<w:document/>")), struct.pack("<I", 1))


@refused("not-a-word-file")
def word_of_a_billion_laughs() -> bytes:
    def change(xml: bytes) -> bytes:
        declaration, _, rest = xml.partition(b"?>")
        return declaration + b"?>" + LAUGHS + b"]>" + rest.replace(b"A paragraph.", b"&j;")

    return word_with(TEXT, change)


@refused("not-a-word-file")
def word_that_reads_a_file_of_ours() -> bytes:
    def change(xml: bytes) -> bytes:
        declaration, _, rest = xml.partition(b"?>")
        entity = b"<!DOCTYPE w [<!ENTITY f SYSTEM 'file:///etc/hostname'>]>"
        return declaration + b"?>" + entity + rest.replace(b"A paragraph.", b"&f;")

    return word_with(TEXT, change)


@refused("not-a-word-file")
def word_that_is_no_xml() -> bytes:
    return word_with(TEXT, lambda xml: xml.replace(b"</w:body>", b""))


@refused("not-a-word-file")
def word_nested_a_hundred_thousand_deep() -> bytes:
    return word_with(TEXT, lambda xml: xml.replace(b"<w:body>", b"<w:body>" + b"<w:p>" * 100_000))


@refused("macros")
def word_with_macros() -> bytes:
    return word_with("word/vbaProject.bin", lambda _: b"macro")


@refused("macros")
def word_that_is_said_to_have_macros() -> bytes:
    plain = b"vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return word_with(TYPES, lambda xml: xml.replace(plain, b"vnd.ms-word.document.macroEnabled.main+xml"))


def related(relationship: bytes) -> bytes:
    end = b"</Relationships>"
    return word_with(RELATIONSHIPS, lambda xml: xml.replace(end, relationship + end))


KIND = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


@refused("outside-target")
def word_with_a_picture_from_elsewhere() -> bytes:
    return related(
        b'<Relationship Id="x" Type="%simage" TargetMode="External" Target="http://track.example/x.png"/>' % KIND
    )


@refused("outside-target")
def word_with_a_template_from_elsewhere() -> bytes:
    return related(
        b'<Relationship Id="x" Type="%sattachedTemplate" TargetMode="External" Target="http://evil.example/x.dotm"/>'
        % KIND
    )


@refused("outside-target")
def word_with_an_object_from_a_share() -> bytes:
    return related(
        b'<Relationship Id="x" Type="%soleObject" TargetMode="External" Target="file://server/share/x.xls"/>' % KIND
    )


@refused("embedded-object")
def word_with_an_object_of_another_program() -> bytes:
    return related(b'<Relationship Id="x" Type="%soleObject" Target="settings.xml"/>' % KIND)


@refused("not-a-word-file")
def word_whose_relationships_lead_nowhere() -> bytes:
    return related(b'<Relationship Id="x" Type="%sheader" Target="nowhere.xml"/>' % KIND)


@refused("not-a-word-file")
def word_whose_relationships_are_no_xml() -> bytes:
    return word_with(RELATIONSHIPS, lambda xml: xml[:-20])


@refused("not-a-word-file")
def word_whose_relationships_climb_out() -> bytes:
    return related(b'<Relationship Id="x" Type="%simage" Target="../../../../etc/hostname"/>' % KIND)


@refused("template-refused")
def word_with_a_tag_that_calls() -> bytes:
    return word("{{ ''.__class__.__mro__ }}")


# --- the tests -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wiring(authorities: Any, tmp_path_factory: pytest.TempPathFactory) -> Wiring:
    """Trusts the authority, judges nothing by veraPDF."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "trust.pem").write_bytes(authorities.pem("root"))
    chosen = {"PEPFORMS_HOME": str(folder), "PEPFORMS_SEAL_TRUST": str(folder / "trust.pem")}
    return Wiring(settings.load({**chosen, "PEPFORMS_ARCHIVE_VALIDATE": "off"}))


@pytest.fixture(scope="module")
def app(wiring: Wiring) -> Flask:
    return create_app(wiring)


@pytest.fixture(scope="module")
def answers(app: Flask, material: Material) -> dict[str, Any]:
    """What the API says of every case; as many at once as there are processes that read."""

    def asked(name: str) -> tuple[str, Any]:
        builder, _ = CASES[name]
        return name, app.test_client().post("/api/v1/verify", data=builder(material))

    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(asked, CASES))


def fallen(entry: dict[str, Any]) -> list[str] | str:
    """The facts that are false, or the problem's slug."""
    if entry["problem"]:
        return str(entry["problem"]["slug"])
    groups = {name: entry[name] for name in ("pdfa", "pdfua", "seal", "data")}
    return sorted(f"{group}.{fact}" for group, facts in groups.items() for fact in facts if facts[fact] is False)


@pytest.mark.parametrize("name", CASES)
def test_of_a_hostile_file_the_fact_that_falls_is_named(answers: dict[str, Any], name: str) -> None:
    answer = answers[name]
    assert answer.status_code == 200
    (entry,) = answer.json["results"]
    assert fallen(entry) == CASES[name][1]


def test_the_corpus_is_as_large_as_it_is_said_to_be() -> None:
    assert len(CASES) + len(WORD_CASES) >= 120


@pytest.fixture(scope="module")
def readers() -> Iterator[Any]:
    """What a worker process does with a Word file, where it finds it too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).with_name("engines")))
        yield importlib.import_module("readers")


@pytest.mark.parametrize("name", WORD_CASES)
def test_a_hostile_word_file_is_refused_as_what_it_is(readers: Any, wiring: Wiring, name: str) -> None:
    builder, slug = WORD_CASES[name]
    data = builder()
    with pytest.raises(Refused) as told:
        wiring.apart(readers.template, data, about="A Word file")
    assert told.value.slug == slug
    assert any(one.severity == "blocks" for one in trial.lint(data, "A Word file", forms.named("pep"), wiring))


def test_a_word_file_that_links_to_a_web_page_is_taken(readers: Any, wiring: Wiring) -> None:
    link = b'<Relationship Id="x" Type="%shyperlink" TargetMode="External" Target="https://www.gov.uk/"/>' % KIND
    assert wiring.apart(readers.template, related(link), about="A Word file") == "taken"


def test_a_file_that_costs_more_than_it_may_is_a_problem_and_no_traceback(readers: Any, wiring: Wiring) -> None:
    with pytest.raises(Refused) as told:
        wiring.apart(readers.swallow, 600 << 20, about="A file")
    assert told.value.slug == "too-much-memory"


def test_a_file_that_takes_longer_than_it_may_is_a_problem_in_the_api_too(wiring: Wiring, material: Material) -> None:
    hasty = Wiring(wiring.settings)
    hasty._reader = Pool(calls, name="Reading", size=1, deadline=0.01)
    answer = create_app(hasty).test_client().post("/api/v1/verify", data=material.record)
    (entry,) = answer.json["results"]
    assert (answer.status_code, entry["problem"]["slug"], entry["holds"]) == (200, "worker-lost", False)
    assert len(entry["sha256"]) == 64
    assert "seconds" in entry["problem"]["message"]

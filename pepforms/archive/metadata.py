"""What a PDF says about itself: the XMP packet and the document information, written together so that they agree."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import regex

import pepforms

if TYPE_CHECKING:
    import pikepdf

PRODUCER = f"pepforms {pepforms.__version__}"

_NOT_XML = regex.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_PDFA = """\
<pdfaid:part>{part}</pdfaid:part>
<pdfaid:conformance>{conformance}</pdfaid:conformance>
"""
_PDFUA = """\
<pdfuaid:part>1</pdfuaid:part>
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289 that the file conforms to</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
"""
"""PDF/A knows no PDF/UA by itself: its identification is declared as an extension schema, or the file fails PDF/A."""

_MADE_FROM = """\
<xmpMM:DerivedFrom rdf:parseType="Resource"><stRef:documentID>{template}</stRef:documentID></xmpMM:DerivedFrom>
"""
"""The place that PDF/A knows for what a document was made from."""

_PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:stRef="http://ns.adobe.com/xap/1.0/sType/ResourceRef#"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
 xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"
 xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
{properties}</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


@dataclass(frozen=True, slots=True)
class About:
    """What a document says about itself.

    `pdfa_part` 2 or 3 claims that part of PDF/A at `conformance` (A, U or B), and PDF/UA-1 too if `pdfua`; None claims
    nothing. Without `language` it does not say in which it is written. `template` is the version of the Word template.
    """

    title: str
    subject: str
    language: str
    at: datetime | None
    pdfa_part: int | None
    conformance: str = "A"
    pdfua: bool = True
    template: str | None = None


def write(document: "pikepdf.Pdf", about: About) -> None:
    """Replace the document's XMP packet and its document information."""
    from pikepdf import Dictionary, Name

    document.Root.Metadata = document.make_stream(_xmp(about), Type=Name.Metadata, Subtype=Name.XML)
    information = {"/Title": about.title, "/Subject": about.subject, "/Producer": PRODUCER, "/Creator": PRODUCER}
    if about.at:
        information["/CreationDate"] = information["/ModDate"] = pdf_date(about.at)
    document.trailer.Info = document.make_indirect(
        Dictionary({key: _xml_text(value) for key, value in information.items() if value})
    )


def pdf_date(at: datetime) -> str:
    """A moment as PDF writes it, in UTC."""
    return f"D:{at.astimezone(UTC):%Y%m%d%H%M%S}Z"


def _xmp(about: About) -> bytes:
    rows = [_in_words("title", about.title), _in_words("description", about.subject)]
    if about.language:
        language = escape(_xml_text(about.language))
        rows.append(f"<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>\n")
    rows.append(f"<pdf:Producer>{PRODUCER}</pdf:Producer>\n<xmp:CreatorTool>{PRODUCER}</xmp:CreatorTool>\n")
    if about.at:
        moment = f"{about.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        rows.extend(f"<xmp:{key}>{moment}</xmp:{key}>\n" for key in ("CreateDate", "ModifyDate", "MetadataDate"))
    if about.template:
        rows.append(_MADE_FROM.format(template=about.template))
    if about.pdfa_part:
        rows.append(_PDFA.format(part=about.pdfa_part, conformance=about.conformance))
        rows.append(_PDFUA if about.pdfua else "")
    return _PACKET.format(properties="".join(rows)).encode("utf-8")


def _in_words(key: str, text: str) -> str:
    if not text:
        return ""
    value = f'<rdf:Alt><rdf:li xml:lang="x-default">{escape(_xml_text(text))}</rdf:li></rdf:Alt>'
    return f"<dc:{key}>{value}</dc:{key}>\n"


def _xml_text(text: str) -> str:
    """XML has no place for control characters, not even escaped: a packet that holds one cannot be read."""
    cleaned: str = _NOT_XML.sub(" ", text)
    return cleaned

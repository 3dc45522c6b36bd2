"""PDFs as other systems make them, of invented children: an old ePEP, LibreOffice, Chromium, Word, a scanner."""

import datetime as dt
import io
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import docx
import pikepdf
import pypdfium2
import rdocx
from PIL import Image

Line = str


@dataclass(frozen=True)
class Made:
    """A child of the list, and the name and date of birth in the form that one system prints them."""

    lcs: str
    name: str
    born: dt.date
    printed_name: str
    printed_born: str
    upn: str = ""


_NAMES = (
    ("Quill Mockworth", "Quill Mockworth"),
    ("Otti Sample", "SAMPLE, Otti"),
    ("Renée Mockington-Sample", "Renee MOCKINGTON-SAMPLE"),
    ("Séamus O’Testchild", "Seamus O'Testchild"),
    ("Łucja Próbna", "Lucja Probna"),
    ("Testchild, Ava Grace", "Ava Testchild"),
    ("Ben Testchild", "Ben James Testchild"),
    ("Kit (Christopher) Placeholder", "Christopher Placeholder"),
    ("Zoë Nobody", "Zoë NOBODY"),
    ("Senait", "Senait"),
)
_SURNAMES = ("Example", "Dummy", "Specimen")
_FORMS: tuple[Callable[[dt.date], str], ...] = (
    lambda day: f"{day:%d/%m/%Y}",
    lambda day: f"{day.day} {day:%B %Y}",
    lambda day: day.isoformat(),
    lambda day: f"{day:%d.%m.%y}",
    lambda day: f"{day.day}th of {day:%B}, {day.year}" if day.day in (4, 5, 6) else f"{day:%d-%b-%Y}",
)


def children(count: int) -> list[Made]:
    """Children whose names and birth dates are written in every way that systems write them."""
    made = []
    for number in range(count):
        name, printed = _NAMES[number % len(_NAMES)]
        if number >= len(_NAMES):
            given, family = f"Tester{chr(65 + number % 26)}{chr(97 + number // 3)}", _SURNAMES[number % 3]
            name, printed = f"{given} {family}", (f"{family}, {given}", f"{given.upper()} {family.upper()}")[number % 2]
        born = dt.date(2010, 3, 1) + dt.timedelta(days=37 * number)
        form = _FORMS[number % len(_FORMS)]
        made.append(Made(f"LCS-{1001 + number}", name, born, printed, form(born)))
    return made


def lines(child: Made, *, pages: int = 3) -> list[Line]:
    """The text of an invented plan."""
    head = [
        "Personal Education Plan",
        f"Name of child: {child.printed_name}",
        f"Date of birth: {child.printed_born}",
        "School: Mock Academy, Fakeham",
        "Meeting: 4 November 2026. Present: Ms P Mockteacher, Mr D Pretend (social worker)",
    ]
    body = [
        f"Target {number}: reads with an adult for ten minutes on {number + 1} days, and says what it was about."
        for number in range(1, 24 * pages)
    ]
    return [*head, *body]


def old_epep(text: Sequence[Line], *, per_page: int = 30, foot: bool = False) -> bytes:
    """PDF 1.4 with Helvetica that is not embedded, no tags, and a child's name in the document information."""
    pdf = pikepdf.new()
    font = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
    )
    for start in range(0, len(text), per_page):
        shown = [f"BT /F1 {14 if start + n == 0 else 10} Tf 50 {780 - 22 * n} Td ({_literal(line)}) Tj ET"
                 for n, line in enumerate(text[start : start + per_page])]  # fmt: skip
        if foot:
            shown += [f"BT /F1 8 Tf 50 {y} Td (Confidential: printed from the ePEP of an invented authority) Tj ET"
                      for y in range(16, 120, 11)]  # fmt: skip
        page = pikepdf.Dictionary(
            Type=pikepdf.Name.Page,
            MediaBox=[0, 0, 595, 842],
            Resources=pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font)),
            Contents=pdf.make_stream("\n".join(shown).encode("cp1252")),
        )
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
    pdf.docinfo["/Title"] = text[1]
    pdf.docinfo["/Author"] = text[1]
    pdf.docinfo["/Producer"] = "Old ePEP export 3.1"
    buffer = io.BytesIO()
    pdf.save(buffer, force_version="1.4", object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return buffer.getvalue()


def _literal(text: str) -> str:
    plain = text.encode("cp1252", "replace").decode("cp1252")
    return plain.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def word_file(text: Sequence[Line]) -> bytes:
    word, buffer = docx.Document(), io.BytesIO()
    word.add_heading(text[0], 1)
    table = word.add_table(0, 2, style="Table Grid")
    for line in text[1:5]:
        cells = table.add_row().cells
        cells[0].text, _, cells[1].text = line.partition(": ")
    for line in text[5:]:
        word.add_paragraph(line)
    word.core_properties.title = word.core_properties.author = text[1]
    word.save(buffer)
    return buffer.getvalue()


def word_like(text: Sequence[Line]) -> bytes:
    """Tagged, fonts embedded, no claim and no output intent, as Word saves a PDF."""
    made = rdocx.Document.from_bytes(word_file(text)).to_pdfa_deterministic("pdfa-3b")
    with pikepdf.open(io.BytesIO(made)) as pdf:
        del pdf.Root.Metadata, pdf.Root.OutputIntents
        pdf.Root.Lang = "en-GB"
        pdf.docinfo["/Title"] = text[1]
        pdf.docinfo["/Producer"] = "Word for an invented authority"
        buffer = io.BytesIO()
        pdf.save(buffer)
    return buffer.getvalue()


def libreoffice(texts: Sequence[Sequence[Line]]) -> list[bytes]:
    """Many at once: most of the time is LibreOffice's start."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.docx") for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(word_file(text))
        _run("soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "pdf",
             "--outdir", folder, *map(str, paths))  # fmt: skip
        return [path.with_suffix(".pdf").read_bytes() for path in paths]


def chromium(texts: Sequence[Sequence[Line]]) -> list[bytes]:
    """A page of the browser, printed."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for text in texts:
            page, pdf = Path(folder, "page.html"), Path(folder, "page.pdf")
            rows = "".join(f"<p>{escape(line)}</p>" for line in text[1:])
            page.write_text(
                f"<!doctype html><meta charset=utf-8><title>{escape(text[1])}</title><h1>{text[0]}</h1>{rows}"
            )
            _run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 f"--user-data-dir={folder}/profile", f"--print-to-pdf={pdf}", page.as_uri())  # fmt: skip
            made.append(pdf.read_bytes())
    return made


def scan(pdf: bytes) -> bytes:
    """Every page as a picture and nothing else."""
    pages = [page.render(scale=1.5).to_pil().convert("L") for page in pypdfium2.PdfDocument(pdf)]
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:], resolution=108)
    return buffer.getvalue()


def picture(pdf: bytes, page: int = 0, scale: float = 1.0) -> Image.Image:
    """A page as a person sees it."""
    document = pypdfium2.PdfDocument(pdf)
    if document.get_formtype():
        document.init_forms()
    shown: Image.Image = document[page].render(scale=scale).to_pil().convert("RGB")
    return shown


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)


def cards(made: Sequence[Made], files: Sequence[str], **more: Sequence[str]) -> str:
    """A list as a spreadsheet saves it."""
    header = ("file,lcs_person_id,academic_year,term,meeting_date,signed_off_at,signed_off_by,role,title,source,"
              "social_worker,team,child_name,date_of_birth,upn")  # fmt: skip
    rows = [
        f"{file},{child.lcs},2026/27,autumn,04/11/2026,11/11/2026 15:30,Sasha Mockworth,virtual_school_officer,,"
        f'eGov ePEP,Dana Pretend,Looked After Team 2,"{child.name}",{child.born:%d/%m/%Y},{child.upn}'
        for child, file in zip(made, files, strict=True)
    ]
    columns = "".join(f",{column}" for column in more)
    ends = ["".join(f",{values[number]}" for values in more.values()) for number in range(len(rows))]
    return "\n".join([header + columns, *(row + end for row, end in zip(rows, ends, strict=True))]) + "\n"

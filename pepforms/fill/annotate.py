"""The findings in a template as comments of Word, in a copy, each at the paragraph that it speaks of."""

import io
from collections.abc import Sequence

from lxml import etree

from pepforms.errors import Refused
from pepforms.fill.lint import Finding
from pepforms.fill.tags import W, paragraphs

_AUTHOR = "pepforms"


def annotated(data: bytes, name: str, findings: Sequence[Finding]) -> bytes:
    """The copy. What stands in no paragraph of the text, in a header or in no place, is said at the first paragraph."""
    import docx

    try:
        word = docx.Document(io.BytesIO(data))
    except Exception as error:  # whatever python-docx meets in a file that is no Word document, or a broken one
        raise Refused(
            f"{name} cannot be opened, so its findings cannot be written into it.", slug="not-a-word-file"
        ) from error
    at = {paragraph.place: paragraph.element for paragraph in paragraphs("text", word.element)}
    first = next(iter(at.values()), None)
    if first is None:
        first = word.add_paragraph()._p
    for finding in findings:
        comment = word.comments.add_comment(text=_said(finding, finding.place in at), author=_AUTHOR, initials="pf")
        _mark(at.get(finding.place, first), comment.comment_id)
    buffer = io.BytesIO()
    word.save(buffer)
    return buffer.getvalue()


def _said(finding: Finding, here: bool) -> str:
    where = "" if here else f"{str(finding.place).capitalize()}: "
    return f"{'Please check' if finding.severity == 'warns' else 'Put right'}. {where}{finding.message}"


def _mark(paragraph: etree._Element, comment: int) -> None:
    """Have the comment stand at the whole paragraph."""
    begin, end = (_named(paragraph, name, comment) for name in ("commentRangeStart", "commentRangeEnd"))
    first = paragraph[0] if len(paragraph) else None
    paragraph.insert(1 if first is not None and first.tag == f"{W}pPr" else 0, begin)
    run = paragraph.makeelement(f"{W}r")
    run.append(_named(paragraph, "commentReference", comment))
    paragraph.extend([end, run])


def _named(beside: etree._Element, name: str, comment: int) -> etree._Element:
    return beside.makeelement(f"{W}{name}", {f"{W}id": str(comment)})

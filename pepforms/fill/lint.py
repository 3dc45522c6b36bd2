"""Everything that is wrong with a Word template, at once, each with its place and what to do about it in Word.

What `blocks` would stop the template from being filled, lose something in a PDF, or keep it from some readers; what
`warns` is worth a look.
"""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from pepforms import forms
from pepforms.errors import PepformsError, Refused
from pepforms.fill import fabric, heads, letterhead, package, plain
from pepforms.fill.package import title
from pepforms.fill.scopes import Reader, placeholder
from pepforms.fill.tags import Place, Tag, W, survey
from pepforms.fill.template import FILLED
from pepforms.forms import Form
from pepforms.model import Audience, Severity

_AROUND = 80
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no Word file can hold and no terminal shows, though a tag may write them down."""
WHOLE_FILE = Place("the whole file")
_FAMILY = frozenset(("child", "carer", "parent"))
_WHOLE_PEP = "pep"
"""The form whose template prints a whole PEP: what is needed at sign-off must be seen there."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding: whether it blocks, and what to do about it."""

    severity: Severity
    remedy: str
    says: str = ""


KINDS: Mapping[str, Kind] = {
    # of the file
    "not-a-word-file": Kind("blocks", ""),
    "too-large": Kind("blocks", "Take out what is not needed, pictures above all."),
    "macros": Kind("blocks", ""),
    "outside-target": Kind("blocks", ""),
    "embedded-object": Kind(
        "blocks", "", "there is an object of another program, which no PDF shows; paste what it shows as a picture"
    ),
    "template-refused": Kind("blocks", ""),
    "engines-differ": Kind("blocks", ""),
    "not-convertible": Kind("blocks", ""),
    "engine-failed": Kind("blocks", ""),
    "worker-lost": Kind("blocks", "Take out what makes it so large."),
    "too-much-memory": Kind("blocks", "Take out what makes it so large, pictures above all."),
    # of the tags
    "unknown-field": Kind("blocks", "Write the name as `pepforms template fields` lists it."),
    "withheld-field": Kind("blocks", "Take it out, or use the template for another form."),
    "not-a-list": Kind("blocks", "Take a name that `pepforms template fields` lists with [] behind it."),
    "prints-a-group": Kind("blocks", "Write a dot and the name of the fact behind it."),
    "unknown-filter": Kind("blocks", "Use a filter that docs/templates.md lists, or none."),
    "wrong-filter": Kind("blocks", "Take the filter out, or take another fact or filter."),
    "wrong-comparison": Kind("blocks", "Write it as the PEP holds it; `pepforms template fields` shows examples."),
    "unknown-test": Kind("blocks", "Ask “is known”, “is unknown” or “is shown”."),
    "unknown-statement": Kind("blocks", "Correct or delete the tag."),
    "unsafe-tag": Kind("blocks", "Name the fact alone; templates do not reckon."),
    "needs-run-tag": Kind("blocks", ""),
    "unreadable-tag": Kind("blocks", "Compare it with a tag that works, and type it anew."),
    "split-tag": Kind("blocks", "Delete all of it and type it in one go."),
    "tag-not-filled": Kind("blocks", "Delete the tag."),
    "misplaced-tag": Kind("blocks", "Give the tag a row, cell or paragraph of its own."),
    "unbalanced-tag": Kind("blocks", "Add the tag that is missing, or delete the one that is too many."),
    "tag-out-of-reach": Kind("blocks", "Move the tag into the text.", "a tag stands in {what}, where none is filled"),
    "needed-not-printed": Kind(
        "warns", "Add it, unless it is left out on purpose.", "no tag prints {what}, which is needed at sign-off"
    ),
    # of its words
    "not-plain-words": Kind("warns", "", "only the child reads this, and it says {what}"),
    "never-said": Kind(
        "blocks", "", "a child, a carer or a parent reads this, and no child should be called {what}"
    ),
    "hard-to-read": Kind(
        "warns", "Write shorter sentences and shorter words.", "the sentences ask for a reader of {what}"
    ),
    # of what else is in the file
    "own-header": Kind(
        "warns",
        "Write it into the letterhead; or take “letterhead” out of the form’s row of forms.toml.",
        "the form stands under the letterhead, so the template’s own headers and footers take no part",
    ),
    "no-heading-row": Kind(
        "blocks",
        "Give the table a first row with headings, click into it, and choose Layout, Repeat Header Rows.",
        "this table loops over rows, and its first row is not marked as its heading, which screen readers need",
    ),
    "no-alternative-text": Kind(
        "blocks",
        "Right-click the picture, choose View Alt Text, and describe it.",
        "this picture has no alternative text, so whoever cannot see it learns nothing",
    ),
    "no-title": Kind(
        "warns", "Choose File, Info, and write {{ document.title }} under Title.", "the document has no title"
    ),
    "wrong-orientation": Kind(
        "warns",
        "Choose Layout, Orientation; or put the orientation in the form’s row of forms.toml right.",
        "no page lies as the form says it does ({what})",
    ),
    "page-not-marked": Kind(
        "blocks",
        "Type it there just so; or copy the headers of letterhead.docx, in the folder that `pepforms doctor` shows.",
        "the header and footer of {what}, so a page would not say whose it is, or that it is a draft",
    ),
    "title-no-heading": Kind(
        "blocks",
        "Choose Home, Styles, Title, Modify, Format, Paragraph, Outline level: Level 1.",
        "the style Title is no heading of the first level, so no screen reader finds the title of any document",
    ),
    "no-language": Kind(
        "warns",
        "Choose Review, Language, Set Proofing Language, English (United Kingdom), and Set As Default.",
        "the document does not say which language it is in, so a screen reader guesses",
    ),
    "font-not-drawn": Kind(
        "warns",
        "Use Arial, Calibri, Times New Roman or Courier New, or embed the font (File, Options, Save).",
        "the font {what} is not in the file and not here, so another takes its place and lines break elsewhere",
    ),
    "tracked-change": Kind(
        "blocks",
        "Choose Review, Accept, Accept All Changes and Stop Tracking.",
        "a tracked change was left in; whoever gets the Word file can read what was deleted",
    ),
    "tracking-on": Kind(
        "blocks",
        "Choose Review, Track Changes, and switch it off.",
        "Word goes on tracking changes in every document, so it keeps what anybody deletes there",
    ),
    "comment-left": Kind(
        "blocks",
        "Choose Review, Delete, Delete All Comments in Document.",
        "a comment was left in; whoever gets the Word file can read it",
    ),
    "note-not-read": Kind(
        "warns", "Put its words into the text.", "there is a {what}, which a screen reader passes over in the PDF"
    ),
    "unbreakable-hyphen": Kind(
        "blocks",
        "Type an ordinary hyphen in its place.",
        "there is a non-breaking hyphen, which is drawn as an empty box",
    ),
    "old-drawing": Kind(
        "blocks",
        "Choose File, Info, Convert; or delete the drawing and insert it anew.",
        "there is a drawing or line of the kind that Word made before 2007, which is lost in the PDF",
    ),
    "text-box": Kind(
        "blocks", "Put its words into the text or a table.", "there is a text box, whose words are lost in the PDF"
    ),
    "shape-or-chart": Kind(
        "warns",
        "Look at the PDF; paste it as a picture if it is not right.",
        "there is a shape, chart or diagram, which may be drawn otherwise in the PDF",
    ),
    "sign-of-a-picture-font": Kind(
        "blocks",
        "Choose Insert, Symbol, and take a sign of Segoe UI Symbol or of “(normal text)”, such as ✓.",
        "there is a sign of a picture font ({what}), which no reader of the PDF can search or hear",
    ),
    "picture-font-bullet": Kind(
        "warns",
        "Choose Home, Bullets, and take the round one.",
        "the bullets of this list are signs of a picture font, which a screen reader cannot name",
    ),
    "placeholder-text": Kind(
        "blocks",
        "Fill the content control in, or right-click it and choose Remove Content Control.",
        "there is a content control with its placeholder text, which would stand in every document",
    ),
    "field-of-word": Kind(
        "blocks",
        "Delete it and write a tag in {{ }} in its place; or type the date that a document is to bear, or use one of "
        "the PEP, such as {{ meeting.date|long_date }}.",
        "there is a field that Word fills itself ({what}), which nobody fills here",
    ),
    "hidden-by-style": Kind(
        "blocks",
        "Delete it, or give it another style.",
        "there is text that its style hides; whoever gets the Word file can make it visible",
    ),
    "hidden-text": Kind(
        "warns", "Delete it.", "there is hidden text; whoever gets the Word file can make it visible"
    ),
}  # fmt: skip
"""Every kind of finding by its slug, in the order of docs/templates.md."""

_OTHER = Kind("blocks", "")
"""What is found besides: the errors of other parts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found wrong: where, in which tag, with what text around it, and a sentence for whoever edits Word."""

    slug: str
    severity: Severity
    place: Place
    tag: str
    text: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """The finding as every face reports it."""
        return {
            "slug": self.slug,
            "severity": self.severity,
            "part": self.place.part,
            "table": self.place.table,
            "row": self.place.row,
            "cell": self.place.cell,
            "paragraph": self.place.paragraph,
            "tag": self.tag,
            "text": self.text,
            "message": self.message,
        }


def lint(data: bytes, name: str, form: Form) -> list[Finding]:
    """All findings in a template of a form, those of the whole file last."""
    try:
        parts = package.opened(data, name)
        roots = package.parsed(parts, name)
    except Refused as error:
        return [of_file(error)]
    found: list[Finding] = []
    judged = {part: root for part, root in roots.items() if FILLED.fullmatch(part)}
    if form.letterhead:
        judged, dropped = _under_a_letterhead(judged, form)
        found += map(_of_fabric, dropped)
    stories = {part: fabric.Story(title(part), root) for part, root in judged.items() if part.startswith("word/")}
    found += [_objected(objection, stories) for objection in package.objections(parts, roots, name)]
    reader = Reader(form.audiences)
    for part, root in judged.items():
        found += _of_tags(title(part), root, reader)
    for part, story in stories.items():
        faults = fabric.links(story, roots.get(package.relations(part))), fabric.faults(story)
        found += map(_of_fabric, itertools.chain(*faults, _unplain(story, form.audiences)))
    found = [*_in_order(found, stories), *map(_of_fabric, fabric.of_whole([*stories.values()], roots))]
    found += map(_of_fabric, _hard(stories.values(), form.audiences))
    found += map(_of_fabric, heads.faults(roots, form))
    if form.orientation and fabric.turned([*stories.values()], form.orientation):
        found.append(_of_fabric(fabric.Fault("wrong-orientation", WHOLE_FILE, what=form.orientation)))
    if form.name == _WHOLE_PEP:
        found += [_untold(placeholder(one), one.title) for one in reader.untold()]
    return found


def of_pages(data: bytes, name: str, form: Form) -> list[Finding]:
    """What a template lacks on its pages and of its title, alone: quick enough to ask of one that is in use."""
    return [*map(_of_fabric, heads.faults(package.parsed(package.opened(data, name), name), form))]


def _under_a_letterhead(
    parts: Mapping[str, etree._Element], form: Form
) -> tuple[dict[str, etree._Element], Iterator[fabric.Fault]]:
    """The parts that a form keeps under its letterhead; and whether the author wrote into those that it does not keep.

    A template that was made from a shipped one holds the headers of its letterhead, which nobody misses.
    """
    kept = {part: root for part, root in parts.items() if not letterhead.is_of_pages(part)}
    known = {_uncounted(_says(root)) for path in (form.letterhead, forms.letterhead()) for root in _headers(path)}
    own = ((title(part), _says(root)) for part, root in parts.items() if part not in kept)
    dropped = (
        fabric.Fault("own-header", Place(part), said) for part, said in own if said and _uncounted(said) not in known
    )
    return kept, itertools.islice(dropped, 1)


def _headers(path: Path | None) -> Iterator[etree._Element]:
    """The headers and footers of the letterhead in a file; none of one that cannot be read."""
    try:
        parts = package.opened(path.read_bytes(), path.name) if path else {}
        roots = package.parsed(parts, "") if parts else {}
    except (OSError, Refused):
        return
    yield from (root for part, root in roots.items() if letterhead.is_of_pages(part))


def _says(header: etree._Element) -> str:
    """The words of a header or footer, and a sign for each picture."""
    pieces = (one.text or "" if one.tag == f"{W}t" else "□" for one in header.iter(f"{W}t", f"{W}drawing", f"{W}pict"))
    return "".join(pieces).strip()


def _uncounted(said: str) -> str:
    """The words of a header without the numbers of pages that were counted when it was saved."""
    return re.sub(r"[\d\s]", "", said)


def _of_tags(part: str, root: etree._Element, reader: Reader) -> Iterator[Finding]:
    tags, misused = survey(part, root)
    for one in misused:
        place, tag, reason = one.args
        yield _of_tag(one.slug, Tag(tag, place, one.around), reason)
    without = {(one.args[0], one.args[1]) for one in misused if one.slug == "tag-not-filled" or _closes(one.args[1])}
    faults = reader.faults([tag for tag in tags if (tag.place, tag.text) not in without])
    for fault in dict.fromkeys(faults):  # a text box holds its words twice
        yield _of_tag(fault.slug, fault.tag, fault.reason)


def _closes(tag: str) -> bool:
    return re.match(r"\{%\w*[-+\s]*end", tag) is not None


def _of_tag(slug: str, tag: Tag, reason: str) -> Finding:
    said = f"The tag {tag.text}: {reason}{'' if reason.endswith('?') else '.'}"
    return _finding(slug, tag.place, said, tag=tag.text, around=tag.around)


def _of_fabric(fault: fabric.Fault) -> Finding:
    kind = KINDS[fault.slug]
    said = kind.says.format(what=fault.what or "it")
    return _finding(fault.slug, fault.place, f"{said[0].upper()}{said[1:]}.", around=fault.around)


def _unplain(story: fabric.Story, audiences: Collection[Audience]) -> Iterator[fabric.Fault]:
    """The words of one part that its readers should be spared."""
    lists = [("never-said", "never")] if _FAMILY & {*audiences} else []
    lists += [("not-plain-words", "child")] if {*audiences} == {"child"} else []
    for paragraph, (slug, group) in itertools.product(story.paragraphs.values(), lists):
        for word, instead in plain.avoided(paragraph.text, group):
            yield fabric.Fault(slug, paragraph.place, paragraph.text, f"“{word}”; say instead: {instead}")


def _hard(stories: Iterable[fabric.Story], audiences: Collection[Audience]) -> Iterator[fabric.Fault]:
    """Whether what only the child reads asks for an older reader than it may."""
    age = plain.reading_age(paragraph.text for story in stories for paragraph in story.paragraphs.values())
    if {*audiences} == {"child"} and age is not None and age > plain.oldest():
        what = f"{age:.1f} years; a child’s own document may ask for one of {plain.oldest()}"
        yield fabric.Fault("hard-to-read", WHOLE_FILE, what=what)


def _untold(name: str, meaning: str) -> Finding:
    said = KINDS["needed-not-printed"].says.format(what=f"{name} ({meaning})")
    return _finding("needed-not-printed", WHOLE_FILE, f"{said[0].upper()}{said[1:]}.")


def _objected(objection: package.Objection, stories: Mapping[str, fabric.Story]) -> Finding:
    story = stories.get(objection.part)
    place = fabric.holding(story, objection.reference) if story else None
    return _finding(objection.refused.slug, place or WHOLE_FILE, str(objection.refused))


def of_file(error: PepformsError) -> Finding:
    """An error as a finding in the whole file."""
    return _finding(error.slug, WHOLE_FILE, str(error))


def _finding(slug: str, place: Place, said: str, *, tag: str = "", around: str = "") -> Finding:
    kind = KINDS.get(slug, _OTHER)
    message = _UNWRITABLE.sub(lambda one: f"\\u{ord(one.group()):04x}", f"{said} {kind.remedy}".rstrip())
    return Finding(slug, kind.severity, place, tag, _clipped(around, tag), message)


def _clipped(text: str, tag: str) -> str:
    """The text around a tag, or the beginning of a paragraph."""
    begin = max(0, text.find(tag) - _AROUND // 2) if tag in text else 0
    cut = text[begin : begin + _AROUND + len(tag)]
    return ("…" if begin else "") + cut + ("…" if begin + len(cut) < len(text) else "")


def _in_order(found: list[Finding], stories: Mapping[str, fabric.Story]) -> list[Finding]:
    """The findings as they stand in the file: part by part, paragraph by paragraph."""
    order: dict[Place, int] = {}
    for story in stories.values():
        for place in (Place(story.part), *(paragraph.place for paragraph in story.paragraphs.values())):
            order.setdefault(place, len(order))
    return sorted(found, key=lambda one: order.get(one.place, len(order)))

"""Nothing leaked: every withheld value is looked for again, in all that a copy says and in all that it hides.

A value is looked for in the ways people write it: in any case and spacing, accents or not, a date in words or figures, a
postcode or telephone number in one piece or several. Where the home of the child is hidden from the reader, the parts of
it count too: a first name, a town, the domain of an e-mail address, a dialling code. Words are matched whole; what is
short, or an ordinary word, only in company (`Miss May`, `Hope Street`, `Reading School`). What is found is told by field
and place, never by value.
"""

import functools
import io
import itertools
import re
import unicodedata
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pepforms import codes, schema, text
from pepforms.audience import Copy
from pepforms.errors import Refused
from pepforms.model import Fact, Problem

_WINDOW = 8
"""Words: a longer text is found by any so many of them in a row, on whatever page it breaks."""
_FEWEST_LETTERS = 4

_PEOPLE = frozenset(
    {
        "/people/*/name", "/people/*/covers", "/sign_offs/*/name", "/care/collection/emergency/*/name",
        "/meeting/attendees/*/covers", "/views/child/translated_by", "/care/placement/previous/approved_by",
        "/child/also_known_as/*", "/child/legal_name/given", "/child/legal_name/family", "/child/preferred_name",
    }
)  # fmt: skip
_PEOPLE_OR_WORDS = frozenset(
    {
        "/care/parental_responsibility/*/holder", "/care/family_time/*/with", "/transition/support",
        "/care/collection/may_collect/*", "/care/permissions/*/decided_by",
    }
)  # fmt: skip
"""Fields that hold a name or say “Social worker”."""
_PLACES = frozenset(
    {
        "/care/placement/authority", "/people/*/organisation", "/education/settings/*/name",
        "/education/history/*/name", "/education/exclusions/*/school", "/education/sen/ehcp/maintaining_authority",
        "/education/post_16/employer", "/education/needs/tuition", "/education/no_school/interim",
        "/pupil_premium_plus/lines/*/provider", "/transition/next_setting", "/transition/application",
        "/transition/offer", "/meeting/venue", "/distribution/*/recipient",
    }
)  # fmt: skip
_ADDRESSES = frozenset({"/care/placement/address"})
_PLAIN_WORDS = frozenset({"/child/religion", "/care/circumstances/immigration"})
_IN_COMPANY = {
    "/care/sdq/score": ("sdq {}", "score {}", "score of {}"),
    "/care/placement/distance_miles": ("{} miles", "{} mi"),
}
_OF_WORK = frozenset(
    {
        "/people/*/organisation", "/people/*/covers", "/meeting/venue", "/meeting/attendees/*/covers",
        "/sign_offs/*/at", "/sign_offs/*/method", "/transition/support",
    }
)  # fmt: skip
"""What tells nothing by itself as long as the child's home need not be hidden: where and with whom people work."""
_UNTELLING = frozenset(
    {
        "/actions/*/due", "/previous_spend/*/spent", "/education/attainment/*/method", "/education/attainment/*/date",
        "/education/attainment/*/prior", "/education/attainment/*/current", "/education/attainment/*/predicted",
        "/views/carer/date", "/views/parent/*/date", "/distribution/*/sent", "/distribution/*/channel",
        "/pupil_premium_plus/lines/*/date", "/education/sen/ehcp/issued", "/child/first_language", "/people/*/relation",
        "/targets/*/need", "/targets/*/baseline", "/previous_targets/*/evidence", "/education/needs/barriers/*",
        *(f"/distribution/*/decisions/*/{name}" for name in ("pointer", "words", "reason", "on")),
    }
)  # fmt: skip
"""What is withheld to keep a copy plain and short: its words may be said elsewhere in their own right."""
_UNSEARCHED = frozenset({"id", "slug", "pointer", "time", "academic-year", "financial-year"})
"""Formats whose values say nothing by themselves: references within the PEP, a time of day."""

_TITLES = ("mr", "mrs", "ms", "miss", "mx", "dr", "sir", "madam", "aunt", "auntie", "uncle", "nan", "nanny", "teacher")
_STREETS = (
    "street", "st", "road", "rd", "lane", "avenue", "close", "drive", "crescent", "terrace", "row", "way", "house",
    "council", "borough", "town", "village",
)  # fmt: skip
_SCHOOLS = (
    "school", "academy", "college", "primary", "junior", "infant", "infants", "nursery", "high", "grammar",
)  # fmt: skip
_GENERIC = frozenset(
    "a an and at by for from in of on or the to with our no room flat unit floor st saint cofe ce rc catholic england "
    "school schools academy college primary junior infant infants nursery high secondary sixth form grammar special "
    "centre center house home children childrens team service services council county borough city london office "
    "learning support education virtual trust street road lane avenue close drive crescent terrace row way".split()
)
"""Words in names of places that name nothing by themselves."""
_ORDINARY = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday spring summer autumn winter reading english science music drama history art maths "
    "mathematics french german spanish hope rose grace faith joy ruby ivy lily daisy olive amber dawn eve penny pearl "
    "mark will bill art pat miles chase hunter mason angel blue sunny sky star young long short king bishop hall wood "
    "woods field fields hill park green brown black white grey gray page price rich sharp small stone walker ward west "
    "north east south cook baker carter taylor fisher gardener knight day best good bright love cross bell bird bush "
    "church bath deal sandwich ware rugby poole hove hull sale bury barking epping tring wells rye battle settle "
    "moore newton rivers lake banks marsh forest garden orchard meadow bridge ford case child childs children mother "
    "mum mummy dad daddy aunt auntie uncle cousin nan nana gran granny grandma grandmother grandad grandfather grandpa "
    "father carer carers family parent parents brother sister friend friends somebody nobody anyone everyone library "
    "class lesson pretend imaginary young person people staff teacher tutor group club play work game games".split()
)
_LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Said:
    """Text that a document holds: where it stands, in words that follow “it stands”, and what it says."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for: each written form, with the withheld facts that it would tell.

    A form is letters and digits alone, however they are spaced; one with a space in it is found with just that space.
    """

    forms: Mapping[str, tuple[Fact, ...]]
    shown: tuple[Fact, ...]

    def through(self, docx: bytes, pdf: bytes | None = None) -> None:
        """Refused (slug `leak`) where a Word file, or the PDF made of it, says something withheld, seen or unseen."""
        hits: dict[str, list[str]] = {}
        for said in itertools.chain(in_word(docx), in_pdf(pdf) if pdf else ()):
            for form in _found(self.forms, said.text):
                hits.setdefault(form, []).append(said.where)
        if hits:
            raise _leak(self, hits)


def search(copy: Copy, open_words: str) -> Search:
    """What to look for in a copy; `open_words` are what the document says of itself, to every reader.

    Where the child's home is hidden, a part of a name, a place or an address counts as well as the whole. What stands in
    words that a named person lets stand as not identifying is not looked for.
    """
    parts = copy.hides_home
    open_ = {form for fact in copy.shown if _is_open(fact, parts) for form in _forms(fact, parts=True)}
    wanted: dict[str, list[Fact]] = {}
    reworded = {fact.pointer for fact in copy.shown}
    for fact in copy.left_out:
        if fact.field in _UNTELLING or (fact.field in _OF_WORK and not parts) or fact.pointer in reworded:
            continue
        for form in _forms(fact, parts=parts):
            if form and form not in open_:
                wanted.setdefault(form, []).append(fact)
    for form in set(_found(wanted, open_words)):
        del wanted[form]
    for fact in copy.shown:
        if fact.pointer in copy.accepted:
            for form in set(_found(wanted, _prose(fact.value))):
                del wanted[form]
    return Search({form: tuple(facts) for form, facts in wanted.items()}, copy.shown)


def _leak(search: Search, hits: Mapping[str, list[str]]) -> Refused:
    """The refusal: each withheld field once, where it stands, and in which field's words."""
    problems: dict[tuple[str, str], Problem] = {}
    for form, places in hits.items():
        told_in = [fact for fact in search.shown if any(True for _ in _found({form: ()}, _prose(fact.value)))]
        for fact in search.forms[form][:1]:
            for source in told_in or [None]:
                key = (fact.field, source.pointer if source else "")
                words = f"in the words of “{source.title}”" if source else "in what the template or the program says"
                problems.setdefault(
                    key,
                    Problem(
                        slug="leak", severity="blocks", pointer=source.pointer if source else fact.pointer,
                        message=f"This copy would tell “{fact.title}”: {_listed(places)}, {words}. Leave the words out, "
                        "say them in other words, or record why they are safe, under distribution, decisions.",
                        source="Who sees what",
                    ),
                )  # fmt: skip
    return Refused(
        f"This copy is not made: {len(problems)} place{'s' * (len(problems) != 1)} in it would tell its reader what they "
        "may not see.",
        slug="leak",
        problems=tuple(problems.values()),
    )


def _listed(places: list[str]) -> str:
    """The places, those on pages before and instead of the text that the pages were made of."""
    on_pages = [place for place in places if place.startswith("on page")]
    others = [place for place in places if place not in on_pages and not (on_pages and place in (_BODY, _BETWEEN))]
    return ", ".join(dict.fromkeys([*on_pages, *others]))


# How a value may be written


def _is_open(fact: Fact, home_hidden: bool) -> bool:
    """Whether a fact that is shown is no secret elsewhere: a person who is named, a day, a sum, a school.

    Where the home is hidden, a place that is shown may be the very one that must not be.
    """
    field = _field(fact)
    if fact.field in _PLACES:
        return not home_hidden
    return fact.field in _PEOPLE or bool(field and (field.format or field.codes or field.labels))


def _field(fact: Fact) -> schema.Field | None:
    return schema.load().at([0 if step == "*" else step for step in fact.field.split("/")[1:]])


def _forms(fact: Fact, *, parts: bool) -> Iterator[str]:
    """Every way in which a fact may be written, in letters and digits alone."""
    field, value = _field(fact), fact.value
    if field is None or isinstance(value, bool) or value is None:
        return
    if isinstance(value, dict):
        yield from _prose_forms(_prose(value))
    elif isinstance(value, int | float):
        yield from (_compact(form.format(f"{value:g}")) for form in _IN_COMPANY.get(fact.field, ()))
    elif field.person or field.format in _UNSEARCHED or fact.field.endswith("/pictures/*/data"):
        return
    elif field.codes or field.labels:
        yield from _prose_forms(_label(field, value))
    elif field.format:
        yield from _formatted(field.format, value, parts=parts)
    elif fact.field in _PEOPLE:
        yield from _name_forms(value, parts=parts)
    elif fact.field in _PEOPLE_OR_WORDS:
        names = [name for name in re.split("[,;]", value) if _tells(_words(name))]
        yield from itertools.chain.from_iterable(_name_forms(name, parts=parts) for name in names)
    elif fact.field in _PLACES:
        yield from _place_forms(value, parts=parts)
    elif fact.field in _ADDRESSES:
        yield from _address_forms(value, parts=parts)
    elif fact.field in _PLAIN_WORDS and _tells(_words(value)):
        yield _compact(value)
    else:
        yield from _prose_forms(value)


def _formatted(kind: str, value: str, *, parts: bool) -> Iterator[str]:
    if kind == "date":
        yield from _dates(date.fromisoformat(value))
    elif kind == "date-time":
        yield from _dates(datetime.fromisoformat(value).astimezone(_LONDON).date())
    elif kind == "money":
        yield _compact(value) if len(value) > len("99.00") else ""
    elif kind == "phone":
        yield from _phones(value, parts=parts)
    elif kind == "email":
        yield _compact(value)
        domain = value.rpartition("@")[2]
        yield from (_compact(domain),) if parts else ()
    elif kind == "digest":
        yield from (value.casefold(), value.casefold()[:16])
    elif len(_compact(value)) >= _FEWEST_LETTERS:
        yield _compact(value)


def _dates(day: date) -> Iterator[str]:
    months = {f"{day:%B}".casefold(), f"{day:%b}".casefold(), *(["sept"] if day.month == 9 else [])}
    ending = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    for number, month in itertools.product((f"{day.day}", f"{day.day:02}", f"{day.day}{ending}"), months):
        yield from (f"{number}{month}{day.year}", f"{number}of{month}{day.year}", f"{month}{number}{day.year}")
    for number, month, year in itertools.product(
        (f"{day.day}", f"{day.day:02}"), (f"{day.month}", f"{day.month:02}"), (f"{day.year}", f"{day:%y}")
    ):
        yield f"{number}{month}{year}" if len(number + month + year) > 4 else ""
    yield f"{day:%Y%m%d}"


def _phones(value: str, *, parts: bool) -> Iterator[str]:
    digits = re.sub(r"\D", "", value)
    national = "0" + digits[2:].removeprefix("0") if value.lstrip().startswith("+44") else digits
    yield from (national, f"44{national[1:]}", f"440{national[1:]}", f"0044{national[1:]}")
    pieces = re.findall(r"\d+", value)
    if parts and len(pieces) > 1 and pieces[0].startswith("01"):  # the code of a town; 020, 07 and 03 tell none
        yield pieces[0]


def _name_forms(value: str, *, parts: bool) -> Iterator[str]:
    """A person: the whole name; in parts, each of their names, and title with initial (`Mr P`)."""
    for name in re.split(r"[,;]", re.sub(r"\([^)]*\)", "", value)):
        words = _words(name)
        if len(words) > 1 or (words and _tells(words)):
            yield "".join(words)
        elif words:
            yield from _company(words[0])
        if parts and 0 < len(words) < 5:
            yield from itertools.chain.from_iterable(_part(word) for word in words)
            if len(words) > 1:
                initials = (words[-1][0], f"{words[1][0]} {words[-1][0]}" if len(words) > 2 else words[-1][0])
                yield from (f"{title} {initial}" for title in _TITLES[:6] for initial in initials)


def _place_forms(value: str, *, parts: bool) -> Iterator[str]:
    """A school, an authority, a firm: the whole name; in parts, each telling word, and its initials in company."""
    for name in re.split(r"[,;]", re.sub(r"\([^)]*\)", "", value)):
        words = _words(name)
        telling = [word for word in words if word not in _GENERIC and not word.isdigit()]
        if len(words) >= 2 and telling:
            yield "".join(words)
        elif len(words) == 1 and telling:
            yield from _part(words[0])
        if parts and len(words) <= 6:
            yield from itertools.chain.from_iterable(_part(word) for word in telling)
            initials = "".join(word[0] for word in words)
            yield from (f"{initials} {kind}" for kind in _SCHOOLS if len(initials) > 1)


_POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][0-9A-Z]?)\s*([0-9][A-Z]{2})\b", re.IGNORECASE)


def _address_forms(value: str, *, parts: bool) -> Iterator[str]:
    """An address: each line, the street without its number, the postcode; in parts, the town and the district too."""
    for district, rest in _POSTCODE.findall(value):
        yield _compact(district + rest)
        yield from (_compact(district),) if parts and len(district) > 2 else ()
    yield _compact(value)
    for line in re.split(r"[,;\n]", _POSTCODE.sub(",", value)):
        words = _words(line)
        names = [word for word in words if word not in _GENERIC and not any(sign.isdigit() for sign in word)]
        if len(words) > 1 and names:
            yield "".join(words)
            yield "".join(word for word in words if not word.isdigit())
        if parts and names:
            yield from itertools.chain.from_iterable(_part(word) for word in names)


def _part(word: str) -> Iterator[str]:
    """A word of a name by itself; in company only, where it is short or ordinary."""
    if len(word) >= _FEWEST_LETTERS and word not in _ordinary() and word not in _GENERIC:
        yield word
    elif word not in _GENERIC:
        yield from _company(word)


def _company(word: str) -> Iterator[str]:
    yield from (f"{title} {word}" for title in _TITLES)
    yield from (f"{word} {kind}" for kind in (*_STREETS, *_SCHOOLS))


def _prose_forms(value: str) -> Iterator[str]:
    """Free text: as a whole where it is short and telling, else any few words of it in a row."""
    words = _words(value)
    if len(words) >= _WINDOW:
        yield from ("".join(words[start : start + _WINDOW]) for start in range(len(words) - _WINDOW + 1))
    elif len(words) >= 4 or (words and _tells(words)):
        yield "".join(words)


def _tells(words: list[str]) -> bool:
    """Whether some word of these is not an ordinary one."""
    return any(len(word) >= _FEWEST_LETTERS and word not in _ordinary() and word not in _GENERIC for word in words)


@functools.cache
def _ordinary() -> frozenset[str]:
    """Ordinary words: a few of our own, and all that the schema uses to say what its fields and codes mean."""
    fields = list(schema.load().root.walk())
    labels = itertools.chain.from_iterable(each.labels.values() for each in fields)
    coded = (code.label for each in fields if each.codes for code in codes.known(each.codes).values())
    said = itertools.chain((each.title for each in fields), (each.description for each in fields), labels, coded)
    return _ORDINARY.union(*(_words(each) for each in said))


def _label(field: schema.Field, value: str) -> str:
    return (codes.label(field.codes, value) if field.codes else field.labels.get(value)) or value


def _prose(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if isinstance(part, str))
    return str(value)


# How a text is read


def _words(value: str) -> list[str]:
    """Words in letters and digits alone, in lower case and without accents; `Mockford’s` is Mockford."""
    plain = unicodedata.normalize("NFKD", value).casefold()
    plain = re.sub("[\u00ad\u200b-\u200f\u2060\ufeff]", "", plain)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = re.sub(r"['’‘ʼ`]s\b", "", plain)
    return re.findall(r"[^\W_]+", re.sub(r"['’‘ʼ`]", "", plain))


def _compact(value: str) -> str:
    return "".join(_words(value))


def _found(forms: Iterable[str], said: str) -> Iterator[str]:
    """The forms that a text holds, from the beginning of a word to the end of one."""
    words = _words(said)
    whole, spaced = "".join(words), f" {' '.join(words)} "
    edges = {0, *itertools.accumulate(map(len, words))}
    for form in forms:
        if " " in form and f" {form} " in spaced:
            yield form
        start = whole.find(form)
        while start >= 0:
            if start in edges and start + len(form) in edges:
                yield form
                break
            start = whole.find(form, start + 1)


# All that a document holds


_BODY, _BETWEEN = "in the text of the Word file", "from one page to the next"


def in_word(docx: bytes) -> Iterator[Said]:
    """All that a Word file says: text seen and hidden, deleted and commented, alternative texts, properties, names."""
    from lxml import etree

    with zipfile.ZipFile(io.BytesIO(docx)) as parts:
        yield Said("in the names of the Word file’s parts", "\n".join(parts.namelist()))
        for name in parts.namelist():
            content = parts.read(name)
            if name.startswith("word/theme/") or name in _LOOKS:
                continue
            if name.endswith((".xml", ".rels")):
                root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
                yield Said(_BODY if name == "word/document.xml" else f"in the Word file, {name}", "".join(_of_xml(root)))
                values = {str(value) for each in root.iter("*") for key, value in each.attrib.items() if _says(key, value)}
                yield Said(f"in the Word file, what {name} does not print", "\n|\n".join(sorted(values)))
            elif not name.endswith((".png", ".jpg", ".jpeg", ".odttf")):
                yield Said(f"in the Word file, {name}", content.decode("utf-8", "replace"))


_LOOKS = ("word/fontTable.xml", "word/styles.xml", "word/numbering.xml")
"""Parts that say how a page looks and nothing else."""
_FONTS = ("ascii", "hAnsi", "cs", "eastAsia", "val", "lang")


def _says(key: Any, value: Any) -> bool:
    """Whether an attribute of Word's can say anything: it has letters, and is no font, style or language."""
    return bool(re.search(r"[^\W\d_]{2}", str(value))) and str(key).rpartition("}")[2] not in _FONTS


def _of_xml(root: Any) -> Iterator[str]:
    """The text of a part, a break after each paragraph and property."""
    runs = ("t", "delText", "instrText")
    for each in root.iter():
        if not isinstance(each.tag, str):
            yield f"\n|{each.text or ''}|\n"
            continue
        kind = each.tag.rpartition("}")[2]
        if kind in ("p", "br", "tab", "cr"):
            yield "\n"
        yield (each.text or "") if kind in runs else f"\n{each.text}\n" if (each.text or "").strip() else ""


def in_pdf(pdf: bytes) -> Iterator[Said]:
    """All that a PDF says: its pages, metadata, bookmarks, alternative texts, comments, attachments, names."""
    import pikepdf

    pages = text.of_pdf(pdf)
    for number, page in enumerate(pages, 1):
        yield Said(f"on page {number}", page)
    yield from _over_pages(pages)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        yield Said("in the PDF’s unseen texts", "\n|\n".join(sorted(set(_strings(document)))))
        yield Said("in the spoken words of the PDF", "\n|\n".join(_spoken(document)))
        for each in document.objects:
            if isinstance(each, pikepdf.Stream) and str(each.get("/Type", "")) in ("/Metadata", "/EmbeddedFile"):
                kind = "metadata" if each.get("/Type") == "/Metadata" else "attachment"
                content = each.read_bytes().decode("utf-8", "replace")
                yield Said(f"in the PDF’s {kind}", re.sub(r"<[^>]*>", " ", content) + content)


def _over_pages(pages: list[str]) -> Iterator[Said]:
    """The end of each page with the beginning of the next."""
    for before, after in itertools.pairwise(pages):
        yield Said(_BETWEEN, f"{before[-400:]} {after[:400]}")


def _strings(document: Any) -> Iterator[str]:
    """Every text in the objects of a PDF: titles, alternative texts, notes, names of files."""
    import pikepdf

    waiting = list(document.objects)
    while waiting:
        each = waiting.pop()
        if isinstance(each, pikepdf.String):
            yield str(each)
        elif isinstance(each, pikepdf.Array):
            waiting += [part for part in each if not getattr(part, "is_indirect", False)]
        elif isinstance(each, pikepdf.Dictionary | pikepdf.Stream):
            waiting += [part for _, part in each.items() if not getattr(part, "is_indirect", False)]


_SPOKEN = re.compile(rb"/(?:ActualText|Alt|E)\s*(\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>)", re.DOTALL)


def _spoken(document: Any) -> Iterator[str]:
    """What page contents have a screen reader say in place of what is drawn."""
    import pikepdf

    for page in document.pages:
        page.contents_coalesce()
        for spoken in _SPOKEN.findall(page.Contents.read_bytes()):
            yield str(pikepdf.Object.parse(spoken))

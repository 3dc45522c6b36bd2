"""Nothing lost: all that a filled Word file says, and no more, is said and drawn by the PDF made of it.

What is compared is bags of characters, the words of the file against the tagged text of the PDF, both ways: where a
line ends, how rows run over pages and in which order right-to-left words are kept is an engine's own matter. Composed
or not, ligature or letters, capital by style or by hand is all one. Text that only its span speaks for, as of joined
letters, is counted by its glyphs too. Headers and footers are looked for on every page.
"""

import itertools
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import regex

from pepforms import fonts
from pepforms.errors import Broken
from pepforms.fonts import shaping
from pepforms.text import pdf as pdf_text
from pepforms.text import word as word_text

Fact = tuple[str, str, str]
"""One fact of a PEP as it is printed: its title, its pointer, its words."""

_UNSEEN = regex.compile(r"[\s\p{Default_Ignorable_Code_Point}]+")
"""What leaves no mark of its own."""

_JOINING = regex.compile(r"[\p{bidi_class=R}\p{bidi_class=AL}\p{M}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Tamil}]")
"""Letters and marks for which a glyph may say nothing, or something else."""

_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011", "-"),
        **dict(zip("\uf0b7\uf0a7\uf0d8\uf0fc\uf076\uf0fe", "•▪➢✓❖☑", strict=True)),
        **dict(zip(")]}>»›≥", "([{<«‹≤", strict=True)),
    }
)
"""What engines may write otherwise: hyphens that do not break lines; the bullets that Symbol and Wingdings keep at
places of their own; brackets, of which right-to-left text shows the mirror image."""

_LONG_WORD = regex.compile(r"[^\s/-]{30,}")
_MOST_NAMED = 5


def check(docx: bytes, pdf: bytes, *, about: str, facts: Callable[[], Iterable[Fact]]) -> None:
    """Broken (slug `text-lost`) where the PDF says or draws less than the Word file, or more.

    `about` names the document; `facts` are asked for only to say, by their titles, what is lost. No value is quoted.
    """
    word, shown = word_text.read(docx), pdf_text.read(pdf, counted=frozenset(map(_family, fonts.FACES)))
    losses = [
        *_unsaid(word, shown, facts),
        *_undrawn(word, shown),
        *_unheaded(word, shown),
        *_undescribed(word, pdf),
        *_off_paper(word, pdf),
    ]
    if losses:
        raise Broken(
            f"{about} was made, but the PDF does not show just what the Word file says: {'; '.join(losses)}. "
            "It is not kept. Make it with the other engine (convert.engine), and report this.",
            slug="text-lost",
        )


def _unsaid(word: word_text.Word, shown: pdf_text.Shown, facts: Callable[[], Iterable[Fact]]) -> Iterator[str]:
    said = "".join(piece for page in shown.pages for piece in page.said)
    written, read = _plain(word.body), _plain(said)
    if Counter(written) == Counter(read):
        return
    short, extra = _left_over(word.body, said), _left_over(said, word.body)
    if short.total():
        yield f"{_count(short)} missing, of {_holders(short, facts)}"
    if extra.total():
        yield f"{_count(extra)} too many, of {_holders(extra, facts)}"


def _undrawn(word: word_text.Word, shown: pdf_text.Shown) -> Iterator[str]:
    for number, page in enumerate(shown.pages, 1):
        if page.boxes:
            yield f"{page.boxes} characters on page {number} are drawn as empty boxes"
    spoken, drawn = (_plain("".join(itertools.chain.from_iterable(said))) for said in _by_spans(shown))
    missing = Counter(spoken) - Counter(drawn)
    sure: set[str] = set()  # letters of which every shape is there, whatever their glyphs say
    for face in (face for face in fonts.FACES if face.family in word.named):
        words = [one for piece in word.named[face.family] for one in piece.split()]
        letters = set(_plain("".join(words)))
        if not face.right_to_left and not missing.keys() & letters:
            continue  # an engine may draw a syllable as one shape that says all its letters
        wanted, there = sum(shaping.inked(one, face.regular) for one in words), shown.glyphs[_family(face)]
        if wanted != there:
            yield f"{there} of {wanted} shapes are drawn in {face.family}"
        sure |= letters
    alone = [letter for letter in missing.elements() if not (_JOINING.match(letter) and letter in sure)]
    if alone:
        yield f"{len(alone)} characters beside right-to-left text are said but not drawn"


def _family(face: fonts.Face) -> str:
    """The face’s family as a PDF names it."""
    return face.family.replace(" ", "")


def _by_spans(shown: pdf_text.Shown) -> Iterator[Iterator[str]]:
    """What spans say of themselves, and what their glyphs say."""
    yield (piece for page in shown.pages for piece in page.spoken)
    yield (piece for page in shown.pages for piece in page.drawn)


def _unheaded(word: word_text.Word, shown: pdf_text.Shown) -> Iterator[str]:
    for number, page in enumerate(shown.pages, 1):
        beside = _plain("".join(page.beside))
        choices = [word.first] if number == 1 else word.others
        numbers = {ord(word_text.PAGE_NUMBER): str(number), ord(word_text.PAGE_COUNT): str(len(shown.pages))}
        rests = [_rest([_plain(line.translate(numbers)) for line in lines], beside) for lines in choices]
        if not any(rest is not None and _repeats(rest, word.headings) for rest in rests):
            yield f"the header or footer of page {number} is not whole, or stands there twice"


def _rest(lines: Iterable[str], beside: str) -> Counter[str] | None:
    """What stands beside the text besides these lines; None where one of them does not."""
    rest = Counter(beside)
    for line in lines:
        if Counter(line) - rest or not (line in beside or fonts.RIGHT_TO_LEFT.search(line)):
            return None
        rest -= Counter(line)
    return rest


def _repeats(rest: Counter[str], headings: Iterable[str]) -> bool:
    """Whether all of it is heading rows, each whole."""
    rows = [Counter(_plain(heading)) for heading in headings]
    for row in sorted(rows, key=lambda row: row.total(), reverse=True):
        while row and row <= rest:
            rest = rest - row
    return not rest


def _undescribed(word: word_text.Word, pdf: bytes) -> Iterator[str]:
    if word.described and word.described != (described := pdf_text.described(pdf)):
        yield f"{described.total()} of {word.described.total()} pictures are described in the words of the Word file"


def _off_paper(word: word_text.Word, pdf: bytes) -> Iterator[str]:
    """What runs off the paper: only a word that is longer than its line may, so other documents are not looked at."""
    if _LONG_WORD.search(word.body):
        yield from (f"text on page {number} runs off the paper" for number in pdf_text.off_the_paper(pdf))


def _plain(said: str) -> str:
    return _UNSEEN.sub("", _alike(said))


def _alike(said: str) -> str:
    """Letters and marks apart, ligatures undone, capitals small."""
    return unicodedata.normalize("NFKD", said).casefold().translate(_ALIKE)


# --- naming what is lost ---------------------------------------------------------------------------------------------


def _left_over(said: str, elsewhere: str) -> Counter[str]:
    """The words of one text that the other lacks. A word cut in two at a line's end is not lacking."""
    ours, theirs = Counter(_words(said)), Counter(_words(elsewhere))
    spare = Counter("".join((theirs - ours).elements()))
    lacking = Counter[str]()
    for word in sorted((ours - theirs).elements(), key=len, reverse=True):
        if Counter(word) <= spare:
            spare -= Counter(word)
        else:
            lacking[word] += 1
    return lacking


def _words(said: str) -> list[str]:
    return [plain for word in said.split() if (plain := _plain(word))]


def _count(words: Counter[str]) -> str:
    return f"{words.total()} word{'s' * (words.total() != 1)}"


def _holders(words: Counter[str], facts: Callable[[], Iterable[Fact]]) -> str:
    """The facts whose printed words hold most of these, by title and pointer; the template's own words have none."""
    held = [((Counter(_words(said)) & words).total(), title, pointer) for title, pointer, said in facts()]
    best = sorted((row for row in held if row[0]), key=lambda row: -row[0])[:_MOST_NAMED]
    if not best:
        return "the template’s own words"
    return "what is printed for " + ", ".join(
        f"‘{title}’ ({pointer}, {count} of them)" for count, title, pointer in best
    )

"""The styles of a Word file: what a paragraph has from its own, and from those that they are based on."""

from collections.abc import Iterable, Iterator

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


class Styles:
    """The styles of one file, by name."""

    def __init__(self, root: etree._Element) -> None:
        self.defaults = root.findall(f"{W}docDefaults/{W}rPrDefault")
        self._named = {style.get(f"{W}styleId"): style for style in root.iter(f"{W}style")}
        self._normal = next((name for name, one in self._named.items() if one.get(f"{W}default") == "1"), None)

    def of(self, paragraph: etree._Element) -> Iterator[etree._Element]:
        """A paragraph's style and those that it is based on; each once, also where they go round in a ring."""
        named = paragraph.find(f"{W}pPr/{W}pStyle")
        name, left = named.get(f"{W}val") if named is not None else self._normal, dict(self._named)
        while (style := left.pop(name, None)) is not None:
            yield style
            based = style.find(f"{W}basedOn")
            name = based.get(f"{W}val") if based is not None else None


def first(holders: Iterable[etree._Element], way: str) -> etree._Element | None:
    """What the first of them says that says something under these names, such as `pPr/ind`."""
    path = "/".join(f"{W}{step}" for step in way.split("/"))
    return next((found for holder in holders if (found := holder.find(path)) is not None), None)

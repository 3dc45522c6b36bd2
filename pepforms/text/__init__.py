"""The text of a Word file and of a PDF: what each says, and what the PDF draws.

Both are read as they are written, by the tags of the one and the marked content of the other: no engine's guess at
words, lines or columns stands between. What is *said* is what a screen reader takes: the text that is no artifact,
where a span's own words (`/ActualText`) go before its glyphs.
"""

"""The archival PDF: stamped, sealed, judged by veraPDF and verified by other code than made it."""

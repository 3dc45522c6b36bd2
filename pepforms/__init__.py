"""Personal Education Plans: checked, filled into Word, made into archival PDFs, stamped, sealed and handed over."""

__version__ = "0.1.0"

"""Worksheets: a person's own network and derivation, written in a small language and judged line by line."""

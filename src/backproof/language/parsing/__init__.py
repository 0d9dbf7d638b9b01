"""Parsing: from text in ASCII, Unicode or LaTeX to notation. The door is `language.grammar`."""

"""Documents: notes, chapters and forum posts, read for their claims about derivatives."""

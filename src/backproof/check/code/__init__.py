"""Checking code: a person's forward and backward functions, compared, judged, and the mistake named."""

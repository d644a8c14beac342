"""Deliberate bugs and the hunt for them: does the oracle see? No product code lives here."""

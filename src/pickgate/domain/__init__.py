"""The rule book as pure functions: facts in, a decision out.

Values and `decide_…` functions live here. No clock, no input or output, no JSON, no vendor's word, and no import of
anything else of ours.
"""

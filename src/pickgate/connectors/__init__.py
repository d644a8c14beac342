"""One folder per system outside: what it says, what we say to it, and how its failures look.

Here lives everything that knows a vendor's words. What to do with an answer is decided in `domain` and `flows`;
the only thing shared between the folders is `transport.py`, which carries bytes and knows no vendor.
"""

"""One file for each use case, wiring decisions to the outside world through the Protocols in `ports.py`.

No SQL, no HTTP, no vendor's field names: a flow runs against PostgreSQL and the real vendors, or against the twins
on a virtual clock, without knowing.
"""

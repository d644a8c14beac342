"""Everything that lasts: the only SQL, its migrations, the embedded server, and the memory twin for simulations.

`PostgresStore` and `MemoryStore` satisfy `flows.ports.Store` and pass one conformance suite. `reads` and `operators`
serve people. No decision lives here, no vendor's word, and nothing that waits for another system.
"""

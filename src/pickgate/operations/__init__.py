"""What people can ask and do, each thing declared once. REST, console, CLI and MCP are skins over `run_operation`.

An operation checks nothing that the domain decides: it reads, or it records what a person said and wakes the order;
the next look decides what follows. No HTTP, no HTML and no SQL here.
"""

"""The real flows on a virtual clock, between stateful twins, under faults; judged by an oracle.

The oracle takes its truth from the twins' own histories, never from what Pickgate sent or stored. The same seed and the
same commit give the same trace. The demo plays the same stories in real time.
"""
